/**
 * All operations of a device, but for those that open and close a session.
 *
 * @module
 */
import type { Device } from "../device.ts";
import type { Operations } from "../operation.ts";
import { captureOperations } from "./capture.ts";
import { deleteOperations } from "./delete.ts";
import { deviceOperations } from "./device_info.ts";
import { devicePropertyOperations } from "./device_properties.ts";
import { editOperations } from "./edit.ts";
import { handleOperations } from "./handles.ts";
import { objectPropertyOperations } from "./object_properties.ts";
import { propertyListOperations } from "./property_lists.ts";
import { readOperations } from "./read.ts";
import { referenceOperations } from "./references.ts";
import { relocateOperations } from "./relocate.ts";
import { sendOperations } from "./send.ts";
import { storageOperations } from "./storages.ts";

/** The operations of a device, by code. */
export function operationsOf(device: Device): Operations {
  const operations = {
    ...storageOperations(device),
    ...handleOperations(device),
    ...readOperations(device),
    ...sendOperations(device),
    ...deleteOperations(device),
    ...relocateOperations(device),
    ...devicePropertyOperations(device),
    ...objectPropertyOperations(device),
    ...propertyListOperations(device),
    ...referenceOperations(device),
    ...editOperations(device),
    ...captureOperations(device),
  };
  return { ...operations, ...deviceOperations(device, operations) };
}
