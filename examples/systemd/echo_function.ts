// The function that the programs of this folder are about.
import { bulkPair, usbFunction } from "@usb/gadget";

export const echo = usbFunction({
  name: "echo",
  interfaces: [{
    class: 0xff,
    description: "Echo",
    endpoints: { link: bulkPair() },
  }],
});

/** Where its FunctionFS is mounted. */
export const mountPoint = "/dev/ffs-echo";
