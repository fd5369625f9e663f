/**
 * Rules for super-speed companions.
 *
 * @module
 */

import type { TransferType } from "../../usb/endpoint_attributes.ts";
import type {
  EndpointSettings,
  SuperSpeedSettings,
} from "../../definition/endpoint.ts";
import { isWithin, type ProblemList, show } from "../problem_list.ts";

/**
 * Validates what an endpoint says about super speed (USB 3.2 section 9.6.7).
 *
 * @param list Where problems go.
 * @param transferType The transfer type.
 * @param settings The endpoint.
 * @param path Where the settings for super speed are.
 */
export function validateCompanion(
  list: ProblemList,
  transferType: TransferType,
  settings: EndpointSettings,
  path: string,
): void {
  const own: SuperSpeedSettings = settings.super ?? {};
  const { maxBurst = 0, streams = 0, mult = 0 } = own;
  const greatestBurst = transferType === "interrupt" ? 2 : 15;
  if (!isWithin(maxBurst, 0, greatestBurst)) {
    list.configure(
      "burst",
      `${path}.maxBurst`,
      `Burst ${
        show(maxBurst)
      } is not possible for this endpoint: use 0 to ${greatestBurst}`,
    );
  }
  const possible = streams === 0 ||
    (isWithin(streams, 2, 65536) && Number.isInteger(Math.log2(streams)));
  if (!possible || (streams > 0 && transferType !== "bulk")) {
    list.configure(
      "streams",
      `${path}.streams`,
      transferType === "bulk"
        ? `Streams is ${
          show(streams)
        }: give 0 or a power of two from 2 to 65536`
        : "Only bulk endpoints have streams: leave it out",
    );
  }
  if (!isWithin(mult, 0, 2) || (mult > 0 && transferType !== "isochronous")) {
    list.configure(
      "mult",
      `${path}.mult`,
      transferType === "isochronous"
        ? `Mult is ${show(mult)}: give a whole number from 0 to 2`
        : "Only isochronous endpoints have a mult: leave it out",
    );
  } else if (mult > 0 && maxBurst === 0) {
    list.configure(
      "mult",
      `${path}.mult`,
      `Mult ${mult} needs a burst: set maxBurst to 1 or more`,
    );
  }
  const size = own.maxPacketSize ?? settings.maxPacketSize ??
    (transferType === "interrupt" ? 64 : 1024);
  if (maxBurst > 0 && size !== 1024) {
    list.configure(
      "burst",
      `${path}.maxBurst`,
      `A burst needs packets of 1024 bytes at super speed, not ${size}: set super.maxPacketSize to 1024`,
    );
  }
  const { bytesPerInterval } = own;
  if (bytesPerInterval === undefined) return;
  const greatest = transferType === "bulk"
    ? 0
    : size * (maxBurst + 1) * (mult + 1);
  if (isWithin(bytesPerInterval, 0, greatest)) return;
  list.configure(
    "bytes-per-interval",
    `${path}.bytesPerInterval`,
    transferType === "bulk"
      ? "A bulk endpoint has no bytes per interval: leave it out"
      : `Bytes per interval is ${
        show(bytesPerInterval)
      }, but packet size, burst and mult allow 0 to ${greatest}`,
  );
}
