/**
 * From the endpoint objects of a device to what its host calls them.
 *
 * @module
 */
import { Errno, errorOf } from "../../ffi/errno.ts";
import { checkArgument, OBJECT } from "../arguments/rules.ts";
import type { FunctionFs } from "../functionfs/function_fs.ts";
import { InEndpoint } from "../functionfs/endpoint/in_endpoint.ts";
import { OutEndpoint } from "../functionfs/endpoint/out_endpoint.ts";
import { EndpointPair } from "../functionfs/endpoint/pair.ts";
import type { EndpointNode } from "../inspect/descriptor_nodes.ts";
import type { Direction } from "../usb/endpoint_attributes.ts";
import type { HostDescriptors } from "./descriptors.ts";

/** An endpoint of a gadget, as its host sees it. */
export interface HostPipe {
  /** In messages: `"echo.link"`. */
  readonly name: string;
  readonly owner: FunctionFs;
  /** bEndpointAddress. */
  readonly address: number;
  readonly node: EndpointNode;
  /** bInterfaceNumber of its interface. */
  readonly interfaceNumber: number;
  /** The setting that it belongs to. */
  readonly alternateSetting: number;
}

/** A pair, or the endpoint of one direction, of a function or of a session. */
export type AnyEndpoint = InEndpoint | OutEndpoint | EndpointPair;

/** The endpoint of one direction. */
export function halfOf(
  action: string,
  endpoint: AnyEndpoint,
  direction: Direction,
): InEndpoint | OutEndpoint {
  checkArgument(action, "the endpoint", endpoint, OBJECT);
  const half = endpoint instanceof EndpointPair
    ? endpoint[direction]
    : endpoint;
  const fits = direction === "in"
    ? half instanceof InEndpoint
    : half instanceof OutEndpoint;
  if (fits) return half;
  throw new TypeError(
    direction === "in"
      ? `Cannot ${action}: a host reads from IN endpoints and pairs`
      : `Cannot ${action}: a host writes to OUT endpoints and pairs`,
  );
}

/** The endpoints of one enumerated device. */
export class HostPipes {
  readonly #functions: readonly FunctionFs[];
  readonly #descriptors: () => HostDescriptors;
  readonly #known = new Map<string, Promise<HostPipe>>();

  /** @param descriptors Those of the device, with its selected configuration. */
  constructor(
    functions: readonly FunctionFs[],
    descriptors: () => HostDescriptors,
  ) {
    this.#functions = functions;
    this.#descriptors = descriptors;
  }

  /**
   * Finds an endpoint among the descriptors. Waits until it is enabled.
   *
   * @throws {TypeError} If it belongs to another gadget.
   */
  find(
    action: string,
    endpoint: InEndpoint | OutEndpoint,
    signal?: AbortSignal,
  ): Promise<HostPipe> {
    const known = this.#known.get(endpoint.path);
    if (known !== undefined) return known;
    const finding = this.#find(action, endpoint, signal);
    this.#known.set(endpoint.path, finding);
    finding.catch(() => this.#known.delete(endpoint.path));
    return finding;
  }

  /** Whether an endpoint was found before. */
  has({ path }: InEndpoint | OutEndpoint): boolean {
    return this.#known.has(path);
  }

  /** All endpoints of functions, which the host has enabled or is about to. */
  async all(functions: readonly FunctionFs[]): Promise<HostPipe[]> {
    const own = functions.flatMap((each) => halvesOf(each));
    return await Promise.all(own.map((each) => this.find("find", each)));
  }

  async #find(
    action: string,
    { path, name }: InEndpoint | OutEndpoint,
    signal: AbortSignal | undefined,
  ): Promise<HostPipe> {
    // Not that of a session, which may be over.
    for (const owner of this.#functions) {
      for (const half of halvesOf(owner)) {
        if (half.path !== path) continue;
        const { address } = await half.descriptor({ signal });
        return this.#pipe(action, owner, name, address);
      }
    }
    throw new TypeError(
      `Cannot ${action} endpoint "${name}": it does not belong to this gadget`,
    );
  }

  #pipe(
    action: string,
    owner: FunctionFs,
    name: string,
    address: number,
  ): HostPipe {
    const { descriptors = [] } = this.#descriptors().configuration ?? {};
    for (const setting of descriptors) {
      if (setting.kind !== "interface") continue;
      const node = setting.endpoints.find((each) => each.address === address);
      if (node === undefined) continue;
      return {
        name: `${owner.name}.${name}`,
        owner,
        address,
        node,
        interfaceNumber: setting.number,
        alternateSetting: setting.alternate,
      };
    }
    throw errorOf(
      Errno.ENOENT,
      `Cannot ${action} endpoint "${name}": the configuration that the host has selected does not have it`,
      { syscall: "ioctl" },
    );
  }
}

function halvesOf({ endpoints }: FunctionFs): (InEndpoint | OutEndpoint)[] {
  const all: AnyEndpoint[] = Object.values(endpoints);
  return all.flatMap((each) =>
    each instanceof EndpointPair ? [each.in, each.out] : [each]
  );
}
