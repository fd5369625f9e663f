/**
 * Control requests of a host.
 *
 * @module
 */
import type { InEndpoint } from "../functionfs/endpoint/in_endpoint.ts";
import type { OutEndpoint } from "../functionfs/endpoint/out_endpoint.ts";
import type { Direction } from "../usb/endpoint_attributes.ts";
import {
  encodeSetup,
  type RequestRecipient,
  type RequestType,
} from "../usb/setup_packet.ts";
import type { HostPipe } from "./host_pipes.ts";

/**
 * A control request of a host. Numbers are those on the bus: the host sees the
 * interfaces of all functions of a gadget as one row.
 *
 * @category Testing
 */
export interface HostControlRequest {
  /**
   * Who defines the request.
   * @default {"standard"}
   */
  readonly type?: RequestType;
  /**
   * What it is for.
   * @default {"device"}
   */
  readonly recipient?: RequestRecipient;
  /** `bRequest`. */
  readonly request: number;
  /**
   * `wValue`.
   * @default {0}
   */
  readonly value?: number;
  /**
   * `wIndex`. An endpoint stands for its address in a request to an endpoint,
   * and for the number of its interface in one to an interface.
   * @default {0}
   */
  readonly index?: number | InEndpoint | OutEndpoint;
}

/** Encodes a request. */
export function encodeRequest(
  { index = 0, ...fields }: HostControlRequest,
  pipe: HostPipe | undefined,
  direction: Direction,
  length: number,
): Uint8Array<ArrayBuffer> {
  const { recipient } = fields;
  const number = typeof index === "number"
    ? index
    : recipient === "endpoint"
    ? pipe!.address
    : pipe!.interfaceNumber;
  return encodeSetup({ ...fields, index: number, direction, length });
}
