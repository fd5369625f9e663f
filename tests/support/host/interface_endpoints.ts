/**
 * The endpoints of a device, as its descriptors have them.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";

const INTERFACE = 4;
const ENDPOINT = 5;
const IN = 0x80;

/** Finds the first IN endpoint of an interface. */
export function inEndpointOf(device: UsbfsDevice, interfaceNumber: number) {
  const bytes = device.descriptors();
  let current: number | undefined;
  for (let at = 0; at < bytes.byteLength; at += bytes[at]) {
    const [, type, third] = bytes.subarray(at, at + 3);
    if (type === INTERFACE) current = third;
    const isIn = type === ENDPOINT && (third & IN) !== 0;
    if (isIn && current === interfaceNumber) return third;
  }
  assert(false, `interface ${interfaceNumber} has no IN endpoint`);
}

/** Finds the three endpoints of a device's first interface in its descriptors. */
export function endpointsOf(device: UsbfsDevice) {
  const BULK = 2;
  const bytes = device.descriptors();
  const found = { input: 0, output: 0, events: 0, packetSize: 0 };
  for (let at = 0; at < bytes.byteLength; at += bytes[at]) {
    const [, type, address, attributes, low, high] = bytes.subarray(at, at + 6);
    if (type !== ENDPOINT) continue;
    if ((attributes & 3) !== BULK) found.events = address;
    else {
      found.packetSize = low | high << 8;
      found[address & IN ? "input" : "output"] ||= address;
    }
  }
  return found;
}
