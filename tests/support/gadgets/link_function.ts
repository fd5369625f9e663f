/**
 * A function with a single pair of endpoints.
 *
 * @module
 */
import { bulkPair, usbFunction } from "@usb/gadget";

/** Defines a function whose pair is called `link`. */
export function link<const N extends string>(name: N) {
  return usbFunction({
    name,
    interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
  });
}
