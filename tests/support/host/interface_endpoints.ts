/**
 * The endpoints of a device, as its descriptors have them.
 *
 * @module
 */
import type { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";

/**
 * Finds the bulk endpoints of an interface, and its interrupt IN endpoint, in the
 * descriptors of its device.
 */
export function endpointsOf(device: UsbfsDevice, interfaceNumber = 0) {
  const INTERFACE = 4;
  const ENDPOINT = 5;
  const BULK = 2;
  const bytes = device.descriptors();
  const found = { input: 0, output: 0, events: 0, packetSize: 0 };
  let isWanted = false;
  for (let at = 0; at < bytes.byteLength; at += bytes[at]) {
    const [, type, address, attributes, low, high] = bytes.subarray(at, at + 6);
    // Of an interface, the number is where an endpoint has its address.
    if (type === INTERFACE) isWanted = address === interfaceNumber;
    if (type !== ENDPOINT || !isWanted) continue;
    const isIn = (address & 0x80) !== 0;
    if ((attributes & 3) !== BULK) {
      if (isIn) found.events = address;
    } else {
      found.packetSize = low | high << 8;
      found[isIn ? "input" : "output"] ||= address;
    }
  }
  return found;
}
