/**
 * The transfers of a host of MTP.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { ControlHandler, EndpointPair, InEndpoint } from "@usb/gadget";
import { type FakeSession, fakeSetup } from "@usb/gadget/testing";
import type { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import type { TransferOptions } from "../../../src/testing/usbfs/transfer.ts";
import { endpointsOf } from "./interface_endpoints.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Of a class, to an interface. */
const REQUEST_TYPE = 0x21;

/** The transfers of a host, on a bus or in memory. */
export interface MtpPipe {
  /** wMaxPacketSize of both bulk endpoints. */
  readonly packetSize: number;
  /** @param zlp Whether a transfer that ends on a packet border gets an empty packet. */
  send(data: Bytes, zlp: boolean, options?: TransferOptions): Promise<number>;
  receive(length: number, options?: TransferOptions): Promise<Bytes>;
  /** Polls the interrupt endpoint. */
  event(options?: TransferOptions): Promise<Bytes>;
  clearHalt(): Promise<void>;
  controlOut(request: number, data?: Bytes): Promise<unknown>;
  controlIn(request: number, length: number): Promise<Bytes>;
}

/** The pipe of a real device, whose interface is claimed. */
export function usbfsMtpPipe(device: UsbfsDevice): MtpPipe {
  const { input, output, events, packetSize } = endpointsOf(device);
  const requestType = REQUEST_TYPE;
  return {
    packetSize,
    send: (data, zlp, options) =>
      device.bulkOut(output, data, { ...options, zeroPacket: zlp }),
    receive: (length, options) => device.bulkIn(input, length, options),
    event: (options) => device.interruptIn(events, 64, options),
    clearHalt: () => device.clearHalt(input),
    controlOut: (request, data) =>
      device.controlOut({ requestType, request }, data),
    controlIn: (request, length) =>
      device.controlIn({ requestType, request, length }),
  };
}

/** The pipe of a session in memory. */
export function fakeMtpPipe(
  session: FakeSession,
  control: ControlHandler,
): MtpPipe {
  const { host } = session;
  const { link, events } = session.endpoints as unknown as {
    link: EndpointPair;
    events: InEndpoint;
  };
  const fields = { type: "class", recipient: "interface" } as const;
  return {
    packetSize: link.in.maxPacketSize,
    send: (data, zlp, options) =>
      host.write(link, data, { ...options, zlp: zlp ? "auto" : "never" }),
    async receive(length, options) {
      return new Uint8Array(await host.read(link, length, options));
    },
    async event(options) {
      return new Uint8Array(await host.read(events, 64, options));
    },
    clearHalt: () => host.clearHalt(link.in),
    async controlOut(request, data = new Uint8Array(0)) {
      const setup = fakeSetup(
        { ...fields, direction: "out", request },
        { data, session },
      );
      const answered = setup.answer(control);
      // FunctionFS acknowledges it when its data is received, not when it is done.
      for (let left = 100; left > 0 && setup.outcome === "nothing"; left--) {
        await Promise.resolve();
      }
      if (data.byteLength === 0) await answered;
      else answered.catch((error) => session.report(error));
      assertEquals(setup.outcome, { taken: data.byteLength });
    },
    async controlIn(request, length) {
      const setup = fakeSetup(
        { ...fields, direction: "in", request, length },
        { session },
      );
      const outcome = await setup.answer(control);
      assert(typeof outcome === "object" && "sent" in outcome, `${outcome}`);
      return Uint8Array.from(outcome.sent);
    },
  };
}
