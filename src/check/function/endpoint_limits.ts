/**
 * What an endpoint can have at a speed.
 *
 * @module
 */

import type { TransferType } from "../../usb/endpoint_attributes.ts";
import { type FunctionSpeed, MAX_PACKET_SIZES } from "../../usb/speed.ts";
import { choice, isWithin, show } from "../problem_list.ts";

const FULL_SPEED_BULK_SIZES: readonly number[] = [8, 16, 32, 64];

/**
 * Says what is wrong with a packet size (USB 2.0 sections 5.6.3, 5.7.3 and 5.8.3, USB 3.2 section 9.6.6).
 *
 * @param size Bytes in a packet.
 * @param transferType The transfer type.
 * @param speed The speed.
 * @returns The problem, or `undefined` when there is none.
 */
export function packetSizeProblem(
  size: number,
  transferType: TransferType,
  speed: FunctionSpeed,
): string | undefined {
  const greatest = MAX_PACKET_SIZES[transferType][speed];
  let sizes: string;
  if (transferType !== "bulk") {
    if (isWithin(size, 1, greatest)) return undefined;
    sizes = `1 to ${greatest}`;
  } else if (speed === "full") {
    if (FULL_SPEED_BULK_SIZES.includes(size)) return undefined;
    sizes = choice(FULL_SPEED_BULK_SIZES);
  } else {
    if (size === greatest) return undefined;
    sizes = `${greatest}`;
  }
  const article = transferType === "bulk" ? "a" : "an";
  return `Packet size ${
    show(size)
  } is not possible for ${article} ${transferType} endpoint at ${speed} speed: use ${sizes}`;
}

/**
 * The values that `bInterval` can have.
 *
 * @param transferType The transfer type.
 * @param speed The speed.
 * @returns The least and the greatest value.
 */
export function intervalRange(
  transferType: TransferType,
  speed: FunctionSpeed,
): readonly [number, number] {
  if (transferType === "bulk") return [0, 255];
  return transferType === "interrupt" && speed === "full" ? [1, 255] : [1, 16];
}
