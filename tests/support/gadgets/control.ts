/**
 * A gadget for tests of control requests, and its host.
 *
 * @module
 */
import {
  bulkPair,
  type EndpointPair,
  type FunctionEvent,
  type FunctionFs,
  type FunctionOptions,
  Gadget,
  type GadgetOptions,
  type SetupRequest,
  usbFunction,
} from "@usb/gadget";
import { TestHost } from "@usb/gadget/testing";
import { isTransferError } from "../../../src/testing/usbfs/transfer.ts";
import { gadgetSpeed, type TestSpeed } from "../run/speed.ts";

let serial = 0;

/** How to start the gadget. */
export interface ControlGadgetOptions extends
  Pick<
    FunctionOptions,
    "control" | "standardControl" | "onError" | "onControl"
  > {
  /** @default {1} */
  readonly interfaces?: number;
  readonly gadget?: GadgetOptions;
  /** @default {the speed of the run} */
  readonly maxSpeed?: TestSpeed["maxSpeed"];
  /**
   * Whether to wait for the host.
   * @default {true}
   */
  readonly connect?: boolean;
  /**
   * Whether to read the events.
   * @default {true}
   */
  readonly collect?: boolean;
}

/** A running gadget with a bulk pair on its first interface. */
export interface ControlGadget extends AsyncDisposable {
  readonly gadget: Gadget;
  readonly fs: FunctionFs;
  readonly link: EndpointPair;
  /** Available after {@linkcode connect}. */
  readonly host: TestHost;
  /** All events so far. */
  readonly events: readonly FunctionEvent[];
  /** Waits for the host, also after the gadget was bound anew. */
  connect(): Promise<TestHost>;
}

/** Starts a gadget that receives control requests for all recipients. */
export async function startControl(
  options: ControlGadgetOptions,
): Promise<ControlGadget> {
  const { maxSpeed = gadgetSpeed().maxSpeed, gadget: how, ...rest } = options;
  const { interfaces = 1, connect = true, collect = true, ...handlers } = rest;
  const gadget = await Gadget.start({
    vendorId: 0x1209,
    productId: 0x0001,
    serialNumber: `control ${++serial}`,
    maxSpeed,
    functions: [usbFunction({
      name: "control",
      interfaces: [
        { class: 0xff, endpoints: { link: bulkPair() } },
        ...Array.from({ length: interfaces - 1 }, () => ({ class: 0xff })),
      ],
      allControlRecipients: true,
      ...handlers,
    })],
  }, how);
  const fs = gadget.functions.control;
  const events: FunctionEvent[] = [];
  const collecting = (async () => {
    if (!collect) return;
    for await (const event of fs.events) events.push(event);
  })();
  let host: TestHost | undefined;
  const control: ControlGadget = {
    gadget: gadget as unknown as Gadget,
    fs: fs as unknown as FunctionFs,
    link: (fs.endpoints as { link: EndpointPair }).link,
    get host() {
      return host!;
    },
    events,
    async connect() {
      await host?.plug();
      return host ??= await TestHost.open(gadget, { timeout: 60_000 });
    },
    async [Symbol.asyncDispose]() {
      await host?.close();
      await gadget.stop();
      await collecting;
    },
  };
  try {
    if (connect) await control.connect();
  } catch (error) {
    await control[Symbol.asyncDispose]();
    throw error;
  }
  return control;
}

/** A control request of the vendor's to interface 0. */
export const VENDOR = { type: "vendor", recipient: "interface" } as const;

/** The result of a request on the host: bytes, a count, or an error code. */
export async function outcome<T>(transfer: Promise<T>): Promise<T | string> {
  try {
    return await transfer;
  } catch (error) {
    if (isTransferError(error)) return error.code;
    throw error;
  }
}

/** Resolves when the host gives up a request, or sends another one. */
export function aborted({ signal }: SetupRequest): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
