/**
 * The function that the contenders serve: one bulk endpoint in each direction.
 *
 * @module
 */
import { bulkIn, bulkOut, usbFunction } from "@usb/gadget";

/** One interface, ep1 to the host and ep2 from it. */
export const benchFunction = usbFunction({
  name: "bench",
  interfaces: [{
    class: 0xff,
    description: "bench",
    endpoints: { source: bulkIn(), sink: bulkOut() },
  }],
});
