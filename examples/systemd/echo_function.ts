// The function that the programs in this folder serve.
import { bulkPair, usbFunction } from "@usb/gadget";

export const echo = usbFunction({
  name: "echo",
  interfaces: [{
    class: 0xff,
    description: "Echo",
    endpoints: { link: bulkPair() },
  }],
});

/** The mount point of its FunctionFS. */
export const mountPoint = "/dev/ffs-echo";
