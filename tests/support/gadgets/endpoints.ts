/**
 * A gadget with the endpoints that a test needs, and its host.
 *
 * @module
 */
import {
  type EndpointDefinition,
  type FunctionFs,
  type FunctionOptions,
  Gadget,
  usbFunction,
} from "@usb/gadget";
import { type FaultPlan, TestHost, withFaults } from "@usb/gadget/testing";
import type { EndpointObject } from "../../../src/functionfs/endpoint/objects.ts";
import { gadgetSpeed } from "../run/speed.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const { maxSpeed } = gadgetSpeed();
/** Programs start slowly on a busy machine. */
const TIMEOUT = 180_000;

let serial = 0;

type Endpoints = Readonly<Record<string, EndpointDefinition>>;
type Options = FunctionOptions & { serve?(session: never): unknown };

/** A running gadget with one vendor-specific interface, and its host. */
export interface EndpointGadget<E extends Endpoints> extends AsyncDisposable {
  readonly gadget: Gadget;
  readonly fs: FunctionFs;
  readonly endpoints: { readonly [K in keyof E]: EndpointObject<E[K]> };
  readonly host: TestHost;
  /** The endpoints of the current session, or of the next one. */
  session(): Promise<EndpointGadget<E>["endpoints"]>;
}

/**
 * Starts a gadget with one interface, and opens it as the host.
 *
 * @param plan Faults to inject; none by default.
 */
export async function startEndpoints<const E extends Endpoints>(
  endpoints: E,
  options: Options = {},
  plan?: FaultPlan,
): Promise<EndpointGadget<E>> {
  const definition = usbFunction({
    ...options,
    name: "test",
    interfaces: [{ class: 0xff, endpoints }],
  });
  const gadget = await Gadget.start({
    ...ids,
    serialNumber: `endpoints ${++serial}`,
    maxSpeed,
    functions: [plan ? withFaults(definition, plan) : definition],
  });
  const fs = gadget.functions.test;
  try {
    const host = await TestHost.open(gadget, { timeout: TIMEOUT });
    return {
      gadget: gadget as unknown as Gadget,
      fs: fs as unknown as FunctionFs,
      endpoints: fs.endpoints as unknown as EndpointGadget<E>["endpoints"],
      host,
      async session() {
        const { value } = await fs.sessions().next();
        return value!.endpoints as unknown as EndpointGadget<E>["endpoints"];
      },
      async [Symbol.asyncDispose]() {
        await host.close();
        await gadget.stop();
      },
    };
  } catch (error) {
    await gadget.stop();
    throw error;
  }
}

/** Addresses of a device's endpoints as its host sees them, in order. */
export function addressesOf({ descriptors: { configuration } }: TestHost) {
  return configuration!.descriptors.flatMap((each) =>
    each.kind === "interface"
      ? each.endpoints.map(({ address }) => address)
      : []
  );
}
