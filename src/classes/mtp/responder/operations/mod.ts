/**
 * All operations of a device, but for those that open and close a session.
 *
 * @module
 */
import type { Device } from "../device.ts";
import type { Operations } from "../operation.ts";
import { deviceOperations } from "./device_info.ts";

/** The operations of a device, by code. */
export function operationsOf(device: Device): Operations {
  const operations = {};
  return { ...operations, ...deviceOperations(device, operations) };
}
