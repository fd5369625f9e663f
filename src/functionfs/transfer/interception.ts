/**
 * What may stand between the endpoints of a function and their requests:
 * faults, for tests of host software. Without it, nothing is in between.
 *
 * @module
 */
import type { UsbFunction } from "../../definition/function.ts";
import type { Direction } from "../../usb/endpoint_attributes.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { RequestQueue } from "./queue.ts";
import type { RequestPort } from "./request.ts";

/** A function that is being opened. */
export interface InterceptedFunction {
  readonly mountPoint: string;
  readonly lifecycle: Pick<Lifecycle, "events">;
}

/** One of its endpoints. */
export interface InterceptedEndpoint {
  /** Its name in the definition. */
  readonly name: string;
  readonly direction: Direction;
  readonly queue: RequestQueue;
  /** Tries to halt it; see `QueuedAction.attempt`. */
  halt(): number;
}

/** Stands between the endpoints of a function and their requests. */
export interface Interceptor {
  /**
   * The function is being opened, perhaps once more.
   *
   * @returns Makes the port where an endpoint's reads and writes queue their
   * requests: the queue of the endpoint, or what passes on to it.
   */
  open(opened: InterceptedFunction): (it: InterceptedEndpoint) => RequestPort;
}

const interceptors = new WeakMap<UsbFunction, Interceptor>();

/** Intercepts the transfers of a function, whenever it is opened later. */
export function intercept(
  definition: UsbFunction,
  interceptor: Interceptor,
): void {
  interceptors.set(definition, interceptor);
}

/** What intercepts the transfers of a function, if anything. */
export function interceptorOf(
  definition: UsbFunction,
): Interceptor | undefined {
  return interceptors.get(definition);
}
