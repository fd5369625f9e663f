/**
 * Class requests of still image devices: PTP and MTP (Still Image Capture
 * Device Definition 1.0, 5.2).
 *
 * @module
 */
import {
  CALLBACK,
  checkOptions,
  NUMBER,
  type Rules,
} from "../../arguments/rules.ts";
import { unhandled } from "../../usb/control.ts";
import {
  acknowledge,
  classRoute,
  type ControlRoute,
} from "../../usb/control_routes.ts";

/** Values of `bRequest` of still image class requests. */
export const StillImageRequest = {
  CANCEL: 0x64,
  GET_EXTENDED_EVENT_DATA: 0x65,
  DEVICE_RESET: 0x66,
  GET_DEVICE_STATUS: 0x67,
} as const;

/** The answer to GET_DEVICE_STATUS. */
export interface StillImageStatus {
  /** A PTP response code: 0x2001 is OK, 0x2019 busy. */
  readonly code: number;
  /**
   * What the code is about: addresses of endpoints that are halted.
   *
   * @default {[]}
   */
  readonly parameters?: readonly number[];
}

/** What a still image function does with class requests. */
export interface StillImageRequestOptions {
  /**
   * The interface that they are for, counted within the function.
   *
   * @default {undefined} All.
   */
  readonly interface?: number;
  /**
   * CANCEL: ends a transaction. The host asks for the status until it is done:
   * that is busy (0x2019) until what this returns is settled.
   */
  readonly cancel: (transactionId: number) => void | Promise<void>;
  /**
   * DEVICE_RESET: back to where no session is open. The device is not busy
   * after it, even if a {@linkcode cancel} has not ended.
   */
  readonly reset: () => void | Promise<void>;
  /**
   * GET_DEVICE_STATUS, while no {@linkcode cancel} is at work.
   *
   * @default {() => ({ code: 0x2001 })} OK.
   */
  readonly getStatus?: () => StillImageStatus | Promise<StillImageStatus>;
  /**
   * GET_EXTENDED_EVENT_DATA: more about the last event, as PTP encodes it.
   *
   * @default {undefined} It is stalled.
   */
  readonly getExtendedEvent?: () => Uint8Array | Promise<Uint8Array>;
}

/** The code in the data of CANCEL. */
const CANCELLATION_CODE = 0x4001;
const OK = 0x2001;
const DEVICE_BUSY = 0x2019;

const OPTIONS: Rules<StillImageRequestOptions> = {
  interface: NUMBER,
  cancel: CALLBACK,
  reset: CALLBACK,
  getStatus: CALLBACK,
  getExtendedEvent: CALLBACK,
};

/**
 * Routes of the still image class requests.
 *
 * @param options What to do with them.
 * @returns Routes for {@linkcode controlRoutes}.
 * @throws {TypeError} When an option is of another type.
 *
 * @example Usage
 * ```ts
 * import { controlRoutes, usbFunction } from "@usb/gadget";
 * import { stillImageRequests } from "@usb/gadget/mtp";
 *
 * interface Transaction {
 *   abort(): void;
 *   readonly ended: Promise<void>;
 * }
 * const transactions = new Map<number, Transaction>();
 * async function end(id: number) {
 *   transactions.get(id)?.abort();
 *   await transactions.get(id)?.ended;
 * }
 *
 * const camera = usbFunction({
 *   name: "camera",
 *   interfaces: [{ class: 0x06, subclass: 1, protocol: 1 }],
 *   control: controlRoutes(stillImageRequests({
 *     cancel: end, // the device is busy until that is done
 *     reset: async () => {
 *       await Promise.all([...transactions.keys()].map(end));
 *     },
 *   })),
 * });
 * ```
 */
export function stillImageRequests(
  options: StillImageRequestOptions,
): ControlRoute[] {
  checkOptions("answer still image requests", options, OPTIONS, [
    "cancel",
    "reset",
  ]);
  const { cancel, reset, getExtendedEvent } = options;
  const { getStatus = () => ({ code: OK }) } = options;
  /** Cancellations that are at work. */
  const cancelling = new Set<object>();
  const route = classRoute.bind(undefined, options.interface);
  return [
    route("out", StillImageRequest.CANCEL, async (setup) => {
      if (setup.length !== 6) return unhandled;
      // u16 code, u32 transaction
      const data = await setup.receive();
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      const isCancellation = data.length === setup.length &&
        view.getUint16(0, true) === CANCELLATION_CODE;
      if (!isCancellation) return undefined;
      const work = {};
      cancelling.add(work);
      try {
        await cancel(view.getUint32(2, true));
      } finally {
        cancelling.delete(work);
      }
      return undefined;
    }),
    route(
      "in",
      StillImageRequest.GET_EXTENDED_EVENT_DATA,
      () => getExtendedEvent ? getExtendedEvent() : unhandled,
    ),
    route("out", StillImageRequest.DEVICE_RESET, () =>
      acknowledge(async () => {
        await reset();
        cancelling.clear();
      })),
    route(
      "in",
      StillImageRequest.GET_DEVICE_STATUS,
      async () =>
        encodeStatus(
          cancelling.size > 0 ? { code: DEVICE_BUSY } : await getStatus(),
        ),
    ),
  ];
}

/** u16 length, u16 code, u32 parameters */
function encodeStatus({ code, parameters = [] }: StillImageStatus): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 + 4 * parameters.length));
  view.setUint16(0, view.byteLength, true);
  view.setUint16(2, code, true);
  parameters.forEach((it, index) => view.setUint32(4 + 4 * index, it, true));
  return new Uint8Array(view.buffer);
}
