/**
 * The rules for super-speed companions (USB 3.2 section 9.6.7).
 *
 * @module
 */

import { isWithin } from "../../arguments/rules.ts";
import { show } from "../../arguments/show.ts";
import type { EndpointLayout } from "../../compile/endpoint_layout.ts";
import type { ProblemList } from "../problem.ts";

/** Checks the settings of an endpoint for super speed. */
export function checkCompanion(
  list: ProblemList,
  { path, settings, speeds, transferType }: EndpointLayout,
): void {
  const problem = (rule: string, field: string, message: string) =>
    list.configureFails(rule, `${path}.super.${field}`, message);
  const { maxPacketSize, maxBurst, streams, mult } = speeds.super;
  const greatestBurst = transferType === "interrupt" ? 2 : 15;
  if (!isWithin(maxBurst, 0, greatestBurst)) {
    problem(
      "burst",
      "maxBurst",
      `Burst ${
        show(maxBurst)
      } is not possible for this endpoint: use 0 to ${greatestBurst}`,
    );
  }
  const possible = streams === 0 ||
    (isWithin(streams, 2, 65536) && Number.isInteger(Math.log2(streams)));
  if (!possible || (streams > 0 && transferType !== "bulk")) {
    problem(
      "streams",
      "streams",
      transferType === "bulk"
        ? `Streams is ${
          show(streams)
        }: give 0 or a power of two from 2 to 65536`
        : "Only bulk endpoints have streams: leave it out",
    );
  }
  if (!isWithin(mult, 0, 2) || (mult > 0 && transferType !== "isochronous")) {
    problem(
      "mult",
      "mult",
      transferType === "isochronous"
        ? `Mult is ${show(mult)}: give a whole number from 0 to 2`
        : "Only isochronous endpoints have a mult: leave it out",
    );
  } else if (mult > 0 && maxBurst === 0) {
    problem(
      "mult",
      "mult",
      `Mult ${mult} needs a burst: set maxBurst to 1 or more`,
    );
  }
  if (maxBurst > 0 && maxPacketSize !== 1024) {
    problem(
      "burst",
      "maxBurst",
      `A burst needs packets of 1024 bytes at super speed, not ${maxPacketSize}: set super.maxPacketSize to 1024`,
    );
  }
  const bytes = settings.super?.bytesPerInterval;
  if (bytes === undefined) return;
  const greatest = transferType === "bulk"
    ? 0
    : maxPacketSize * (maxBurst + 1) * (mult + 1);
  if (isWithin(bytes, 0, greatest)) return;
  problem(
    "bytes-per-interval",
    "bytesPerInterval",
    transferType === "bulk"
      ? "A bulk endpoint has no bytes per interval: leave it out"
      : `Bytes per interval is ${
        show(bytes)
      }, but packet size, burst and mult allow 0 to ${greatest}`,
  );
}
