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
import type { EndpointObject } from "../../../src/functionfs/endpoint/objects.ts";
import { gadgetSpeed } from "../run/speed.ts";
import { until } from "../waiting/until.ts";
import { UsbfsDevice } from "../usbfs/device.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const { maxSpeed } = gadgetSpeed();

let serial = 0;

type Endpoints = Readonly<Record<string, EndpointDefinition>>;

/** A running gadget with one vendor-specific interface, and its host. */
export interface EndpointGadget<E extends Endpoints> extends AsyncDisposable {
  readonly gadget: Gadget;
  readonly fs: FunctionFs;
  readonly endpoints: { readonly [K in keyof E]: EndpointObject<E[K]> };
  readonly device: UsbfsDevice;
  /** The endpoints of the current session, or of the next one. */
  session(): Promise<EndpointGadget<E>["endpoints"]>;
  /** Addresses of the endpoints as the host sees them, in order. */
  readonly addresses: readonly number[];
  /** Opens the device again after it was detached. */
  reopen(): Promise<UsbfsDevice>;
}

/** Starts a gadget with one interface, and opens it as the host. */
export async function startEndpoints<const E extends Endpoints>(
  endpoints: E,
  options: FunctionOptions = {},
): Promise<EndpointGadget<E>> {
  const match = { ...ids, serialNumber: `endpoints ${++serial}` };
  const definition = usbFunction({
    ...options,
    name: "test",
    interfaces: [{ class: 0xff, endpoints }],
  });
  const gadget = await Gadget.start({
    ...match,
    maxSpeed,
    functions: [definition],
  });
  const fs = gadget.functions.test;
  const open = async () => {
    const device = await UsbfsDevice.find(match);
    await device.claimInterface(0);
    return device;
  };
  try {
    await until(() => fs.state === "enabled", "the host enables the function");
    let device = await open();
    return {
      gadget: gadget as unknown as Gadget,
      fs: fs as unknown as FunctionFs,
      endpoints: fs.endpoints as unknown as EndpointGadget<E>["endpoints"],
      get device() {
        return device;
      },
      addresses: endpointAddresses(device.descriptors()),
      async session() {
        const { value } = await fs.sessions().next();
        return value!.endpoints as unknown as EndpointGadget<E>["endpoints"];
      },
      async reopen() {
        await device.close();
        await until(
          () => fs.state === "enabled",
          "the host enables the function",
        );
        return device = await open();
      },
      async [Symbol.asyncDispose]() {
        await device.close();
        await gadget.stop();
      },
    };
  } catch (error) {
    await gadget.stop();
    throw error;
  }
}

/** Returns the endpoint addresses in a configuration's descriptors, in order. */
export function endpointAddresses(bytes: Uint8Array): number[] {
  const ENDPOINT = 5;
  const addresses: number[] = [];
  for (let at = 0; at < bytes.byteLength; at += bytes[at]) {
    if (bytes[at + 1] === ENDPOINT) addresses.push(bytes[at + 2]);
  }
  return addresses;
}
