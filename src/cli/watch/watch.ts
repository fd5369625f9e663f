/**
 * Shows what the gadgets of this machine do, whichever program serves them.
 *
 * @module
 */
import { strerror } from "../../../ffi/errno.ts";
import { hex } from "../../arguments/show.ts";
import type { Answer, Emit } from "../command.ts";
import { type KernelEvent, parseEvent } from "./events.ts";
import { GadgetTracepoints } from "./tracefs.ts";

const READ_MS = 100;
const SUMMARY_MS = 1000;

/** What an endpoint has transferred in some time. */
interface Traffic {
  transfers: number;
  bytes: number;
  /** How many have failed, by their error numbers. */
  readonly failed: Map<number, number>;
}

/**
 * Prints what happens to devices and endpoints as it happens, and each second
 * what endpoints have transferred; or each transfer.
 */
export function watchGadgets(each: boolean, emit: Emit): Answer {
  const tracepoints = new GadgetTracepoints();
  const traffic = new Map<string, Traffic>();
  const read = () => {
    for (const line of tracepoints.lines()) {
      const event = parseEvent(line);
      if (event === undefined) continue;
      if (event.type === "transfer" && !each) count(traffic, event);
      else emit(describeEvent(event), event);
    }
  };
  const sum = () => {
    for (const [endpoint, its] of traffic) {
      const { transfers, bytes, failed } = its;
      emit(describeTraffic(endpoint, its), {
        type: "traffic",
        endpoint,
        transfers,
        bytes,
        failed: Object.fromEntries(failed),
      });
    }
    traffic.clear();
  };
  const reading = setInterval(read, READ_MS);
  const summing = setInterval(sum, SUMMARY_MS);
  return {
    text: "Watching the gadgets of this machine.",
    json: { type: "watching" },
    code: 0,
    stays: true,
    end: () => {
      clearInterval(reading);
      clearInterval(summing);
      read();
      sum();
      tracepoints[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

function count(
  traffic: Map<string, Traffic>,
  { endpoint, length, status }: KernelEvent & { type: "transfer" },
): void {
  const sum = traffic.get(endpoint) ??
    { transfers: 0, bytes: 0, failed: new Map<number, number>() };
  traffic.set(endpoint, sum);
  sum.transfers++;
  sum.bytes += length;
  if (status === 0) return;
  sum.failed.set(-status, (sum.failed.get(-status) ?? 0) + 1);
}

/** What an endpoint has transferred in a second, in words. */
export function describeTraffic(
  endpoint: string,
  { transfers, bytes, failed }: Traffic,
): string {
  const errors = [...failed].map(([errno, count]) =>
    `, ${count} failed: ${strerror(errno)}`
  );
  const unit = transfers === 1 ? "transfer" : "transfers";
  return `  ${endpoint}: ${transfers} ${unit}, ${bytes} bytes${
    errors.join("")
  }`;
}

/** An event in words. */
export function describeEvent(event: KernelEvent): string {
  switch (event.type) {
    case "lost":
      return `${event.count} events were lost`;
    case "device":
      return `${event.time.toFixed(6)} ${event.event}: ${event.state}`;
    case "endpoint": {
      const { time, endpoint, address } = event;
      return `${time.toFixed(6)} ${endpoint} (${hex(address)}): ${event.event}`;
    }
    case "transfer": {
      const { time, endpoint, length, requested, status } = event;
      const failure = status === 0 ? "" : `: ${strerror(-status)}`;
      return `${
        time.toFixed(6)
      } ${endpoint}: ${length} of ${requested} bytes${failure}`;
    }
  }
}
