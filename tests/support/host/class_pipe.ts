/**
 * The transfers of a host to a function with a pair of bulk endpoints, an interrupt
 * endpoint, and class requests: on a bus or in memory.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { ControlHandler, EndpointPair, InEndpoint } from "@usb/gadget";
import { type FakeSession, fakeSetup } from "@usb/gadget/testing";
import type { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import type { TransferOptions } from "../../../src/testing/usbfs/transfer.ts";
import { endpointsOf } from "./interface_endpoints.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The request type of a class request with data of the device. */
const REQUEST_IN = 0xa1;

/** What such hosts have in common. */
export interface ClassPipe {
  /** wMaxPacketSize of both bulk endpoints. */
  readonly packetSize: number;
  /** @param zlp Whether a transfer that ends on a packet border gets an empty packet. */
  send(data: Bytes, zlp: boolean, options?: TransferOptions): Promise<number>;
  receive(length: number, options?: TransferOptions): Promise<Bytes>;
  /** Polls the interrupt endpoint. */
  poll(length: number, options?: TransferOptions): Promise<Bytes>;
  controlIn(request: number, length: number): Promise<Bytes>;
}

/** The pipe of a real device, whose interface is claimed. */
export function usbfsPipe(device: UsbfsDevice, index = 0): ClassPipe {
  const { input, output, events, packetSize } = endpointsOf(device, index);
  return {
    packetSize,
    send: (data, zlp, options) =>
      device.bulkOut(output, data, { ...options, zeroPacket: zlp }),
    receive: (length, options) => device.bulkIn(input, length, options),
    poll: (length, options) => device.interruptIn(events, length, options),
    controlIn: (request, length) =>
      device.controlIn({ requestType: REQUEST_IN, request, length, index }),
  };
}

/** The pipe of a session in memory. */
export function fakePipe(
  // deno-lint-ignore no-explicit-any -- of any function
  session: FakeSession<any>,
  control: ControlHandler,
  link: EndpointPair,
  events: InEndpoint,
): ClassPipe {
  const { host } = session;
  return {
    packetSize: link.in.maxPacketSize,
    send: (data, zlp, options) =>
      host.write(link, data, { ...options, zlp: zlp ? "auto" : "never" }),
    async receive(length, options) {
      return new Uint8Array(await host.read(link, length, options));
    },
    async poll(length, options) {
      return new Uint8Array(await host.read(events, length, options));
    },
    async controlIn(request, length) {
      const setup = fakeSetup({
        type: "class",
        recipient: "interface",
        direction: "in",
        request,
        length,
      }, { session });
      const outcome = await setup.answer(control);
      assert(typeof outcome === "object" && "sent" in outcome, `${outcome}`);
      return Uint8Array.from(outcome.sent);
    },
  };
}
