/**
 * The speed of a device, from its descriptors.
 *
 * @module
 */
import { attributesTransferType } from "../../usb/endpoint_attributes.ts";
import {
  type FunctionSpeed,
  functionSpeed,
  MAX_PACKET_SIZES,
  type Speed,
} from "../../usb/speed.ts";
import { u16 } from "../decode_descriptors.ts";
import type {
  ConfigurationSource,
  EndpointSource,
  Source,
} from "./device_descriptors.ts";

/** bMaxPacketSize0 at super speed: an exponent. */
export const SUPER_SPEED_PACKET = 9;

/** Returns the slowest speed at which a device can have these descriptors. */
export function guessSpeed(
  device: Source,
  configurations: readonly ConfigurationSource[],
): Speed {
  const endpoints = configurations.flatMap(({ settings }) =>
    settings.flatMap((it) => it.endpoints)
  );
  if (
    device.bytes[7] === SUPER_SPEED_PACKET ||
    endpoints.some((it) => it.companion)
  ) return "super-speed";
  return endpoints.some(isHighSpeed) ? "high-speed" : "full-speed";
}

/** Whether an endpoint has packets that full speed does not. */
function isHighSpeed({ bytes }: EndpointSource): boolean {
  const type = attributesTransferType(bytes[3]);
  return type !== "control" && u16(bytes, 4) > MAX_PACKET_SIZES[type].full;
}

/** Returns the speed whose descriptors a clone has. A low-speed device becomes one of full speed. */
export function functionSpeedOf(speed: Speed): FunctionSpeed {
  return functionSpeed(speed) ?? "full";
}
