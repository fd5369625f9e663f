/**
 * A function that is nothing but a pair of endpoints.
 *
 * @module
 */
import { bulkPair, usbFunction } from "@usb/gadget";

/** Declares one, whose pair is called `link`. */
export function link<const N extends string>(name: N) {
  return usbFunction({
    name,
    interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
  });
}
