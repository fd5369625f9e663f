/**
 * The transfers of a host of MTP.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { ControlHandler, EndpointPair, InEndpoint } from "@usb/gadget";
import { type FakeSession, fakeSetup } from "@usb/gadget/testing";
import type { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import { type ClassPipe, fakePipe, usbfsPipe } from "./class_pipe.ts";
import { endpointsOf } from "./interface_endpoints.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Of a class, to an interface. */
const REQUEST_OUT = 0x21;

/** The transfers of a host, on a bus or in memory. */
export interface MtpPipe extends ClassPipe {
  clearHalt(): Promise<void>;
  controlOut(request: number, data?: Bytes): Promise<unknown>;
}

/** The pipe of a real device, whose interface is claimed. */
export function usbfsMtpPipe(device: UsbfsDevice): MtpPipe {
  const { input } = endpointsOf(device);
  return {
    ...usbfsPipe(device),
    clearHalt: () => device.clearHalt(input),
    controlOut: (request, data) =>
      device.controlOut({ requestType: REQUEST_OUT, request }, data),
  };
}

/** The pipe of a session in memory. */
export function fakeMtpPipe(
  session: FakeSession,
  control: ControlHandler,
): MtpPipe {
  const { link, events } = session.endpoints as unknown as {
    link: EndpointPair;
    events: InEndpoint;
  };
  const fields = { type: "class", recipient: "interface" } as const;
  return {
    ...fakePipe(session, control, link, events),
    clearHalt: () => session.host.clearHalt(link.in),
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
  };
}
