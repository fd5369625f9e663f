/**
 * What the kernel's tracepoints of gadgets report (drivers/usb/gadget/udc/trace.h).
 * Pure.
 *
 * @module
 */
import { UDC_STATES } from "../../gadget/udc/udc.ts";

/** What a line reports. Times are seconds of the kernel's clock. */
export type KernelEvent =
  | {
    readonly type: "transfer";
    readonly time: number;
    /** The controller's name of the endpoint. */
    readonly endpoint: string;
    /** Bytes that were transferred. */
    readonly length: number;
    /** Bytes that were to be sent, or that had room. */
    readonly requested: number;
    /** 0, or a negative error number. */
    readonly status: number;
  }
  | {
    readonly type: "endpoint";
    readonly time: number;
    readonly endpoint: string;
    /** Such as `"enable"` or `"set_halt"`. */
    readonly event: string;
    /** Its address on the bus. */
    readonly address: number;
  }
  | {
    readonly type: "device";
    readonly time: number;
    /** Such as `"connect"` or `"wakeup"`. */
    readonly event: string;
    /** The state of the device, such as `"configured"`. */
    readonly state: string;
  }
  | {
    readonly type: "lost";
    /** Events that were not read in time. */
    readonly count: number;
  };

/** The tracepoints, by their names in `events/gadget`. */
export const TRACEPOINTS = [
  "usb_gadget_giveback_request",
  "usb_ep_enable",
  "usb_ep_disable",
  "usb_ep_set_halt",
  "usb_ep_clear_halt",
  "usb_ep_set_wedge",
  "usb_gadget_connect",
  "usb_gadget_disconnect",
  "usb_gadget_set_state",
  "usb_gadget_wakeup",
] as const;

/** Parses a line of `trace_pipe`; `undefined` for one of something else. */
export function parseEvent(line: string): KernelEvent | undefined {
  const [, lost] = /\[LOST (\d+) EVENTS\]/.exec(line) ?? [];
  if (lost !== undefined) return { type: "lost", count: Number(lost) };
  const [, seconds, event, text] =
    / ([0-9]+\.[0-9]+): (usb_\w+): (.*)$/.exec(line) ?? [];
  if (event === undefined) return undefined;
  const time = Number(seconds);
  if (event === "usb_gadget_giveback_request") {
    const [, endpoint, length, requested, status] =
      /^(.*): req \S+ length (\d+)\/(\d+) .* status (-?\d+)/.exec(text) ?? [];
    return endpoint === undefined ? undefined : {
      type: "transfer",
      time,
      endpoint,
      length: Number(length),
      requested: Number(requested),
      status: Number(status),
    };
  }
  const [, endpointEvent] = /^usb_ep_(\w+)$/.exec(event) ?? [];
  if (endpointEvent !== undefined) {
    const [, endpoint, address] =
      /^(.*): mps .* addr ([0-9a-f]+) /.exec(text) ?? [];
    return endpoint === undefined ? undefined : {
      type: "endpoint",
      time,
      endpoint,
      event: endpointEvent,
      address: parseInt(address, 16),
    };
  }
  const [, state] = / state (\d+) /.exec(text) ?? [];
  return state === undefined ? undefined : {
    type: "device",
    time,
    event: event.slice("usb_gadget_".length),
    state: UDC_STATES[Number(state)] ?? state,
  };
}
