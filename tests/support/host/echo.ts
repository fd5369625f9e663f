/**
 * The host's side of an echo: finds the two bulk endpoints of a device, and sends
 * data there and back.
 *
 * @module
 */
import type { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";

/** Addresses of a bulk endpoint in each direction, and their packet size. */
export interface BulkEndpoints {
  readonly input: number;
  readonly output: number;
  readonly packetSize: number;
}

/** Finds the first bulk endpoint of each direction in a device's descriptors. */
export function bulkEndpoints(device: UsbfsDevice): BulkEndpoints {
  const ENDPOINT = 5;
  const BULK = 2;
  const bytes = device.descriptors();
  let input = 0;
  let output = 0;
  let packetSize = 0;
  for (let at = 0; at < bytes.byteLength; at += bytes[at]) {
    const [, type, address, attributes, low, high] = bytes.subarray(at, at + 6);
    if (type !== ENDPOINT || (attributes & 3) !== BULK) continue;
    packetSize = low | high << 8;
    if (address & 0x80) input ||= address;
    else output ||= address;
  }
  return { input, output, packetSize };
}

/** Sends data and receives it back at the same time. */
export async function roundTrip(
  device: UsbfsDevice,
  { input, output, packetSize }: BulkEndpoints,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const back = new Uint8Array(bytes.byteLength);
  const take = async () => {
    for (let at = 0; at < back.byteLength;) {
      // Read whole packets: a longer packet would be an error.
      const left = Math.ceil((back.byteLength - at) / packetSize) * packetSize;
      const chunk = await device.bulkIn(input, left);
      back.set(chunk, at);
      at += chunk.byteLength;
    }
  };
  await Promise.all([device.bulkOut(output, bytes), take()]);
  return back;
}
