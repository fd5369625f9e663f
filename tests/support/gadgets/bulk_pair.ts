/**
 * A gadget with one bulk pair, and transfers of its hosts.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { bulkPair, Gadget, usbFunction } from "@usb/gadget";
import { bulkEndpoints, roundTrip } from "../host/echo.ts";
import type { WebUsbHost } from "../host/webusb.ts";
import { firstDifference, pattern } from "../data/pattern.ts";
import { gadgetSpeed } from "../run/speed.ts";
import { until } from "../waiting/until.ts";
import { UsbfsDevice } from "../usbfs/device.ts";
import type { DeviceMatch } from "../usbfs/find.ts";
import { isTransferError } from "../usbfs/transfer.ts";

/** The IDs of the gadgets; each has its own serial number. */
export const ids = { vendorId: 0x1209, productId: 0x0001 };

const { maxSpeed, bulkPacketSize: PACKET } = gadgetSpeed();

let serial = 0;

/** Starts a gadget with an unserved bulk pair, and waits for the host. */
export async function startPair() {
  const match = { ...ids, serialNumber: `pair ${++serial}` };
  const gadget = await Gadget.start({
    ...match,
    maxSpeed,
    functions: [usbFunction({
      name: "echo",
      interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
    })],
  });
  const { echo } = gadget.functions;
  await until(() => echo.state === "enabled", "the host enables the function");
  const { link } = gadget.functions.echo.endpoints;
  return {
    gadget,
    link,
    match,
    [Symbol.asyncDispose]: () => gadget.stop(),
  };
}

/** Starts the same gadget, and echoes what it receives. */
export async function startEcho() {
  const pair = await startPair();
  const echoing = pair.link.readable.pipeTo(pair.link.writable);
  return {
    ...pair,
    [Symbol.asyncDispose]: async () => {
      await pair.gadget.stop();
      await echoing.catch(() => {});
    },
  };
}

/** Opens a gadget's device over usbfs, and claims its interface. */
export async function openUsbfs(match: DeviceMatch) {
  const device = await UsbfsDevice.find(match);
  await device.claimInterface(0);
  return { device, ...bulkEndpoints(device) };
}

/** Returns the code of the error that a transfer rejects with. */
export async function codeOf(transfer: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => transfer);
  assert(isTransferError(error), String(error));
  return error.code;
}

/** Sends data of several sizes through an echo and compares the result. */
export async function assertEchoes(
  device: UsbfsDevice,
  sizes: readonly number[],
) {
  const endpoints = bulkEndpoints(device);
  for (const size of sizes) {
    const sent = pattern(size, size);
    const back = await roundTrip(device, endpoints, sent);
    assertEquals(firstDifference(sent, back), -1, `${size} bytes`);
  }
}

/** Sends data through an echo and returns the result. */
export async function webUsbRoundTrip(
  host: WebUsbHost,
  sent: Uint8Array<ArrayBuffer>,
) {
  const number = (direction: "in" | "out") =>
    host.endpoints.find((each) => each.direction === direction)!.endpointNumber;
  const back = new Uint8Array(sent.byteLength);
  const take = async () => {
    for (let at = 0; at < back.byteLength;) {
      const left = Math.ceil((back.byteLength - at) / PACKET) * PACKET;
      const chunk = await host.transferIn(number("in"), left);
      back.set(chunk, at);
      at += chunk.byteLength;
    }
  };
  await Promise.all([host.transferOut(number("out"), sent), take()]);
  return back;
}
