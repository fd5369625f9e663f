/**
 * What happens when a host sets a property of an object.
 *
 * @module
 */
import type { Value } from "../../protocol/dataset.ts";
import { ResponseError } from "../../protocol/response.ts";
import type { Device } from "../device.ts";
import { checkName } from "../names.ts";
import type { ObjectNode } from "../object_node.ts";
import { propertyWith } from "../properties.ts";
import { checkWritable } from "../targets.ts";
import { rename } from "./relocate.ts";

/** Sets a property: the file name, the only one that can be set, renames the object. */
export async function setProperty(
  device: Device,
  node: ObjectNode,
  code: number,
  type: number,
  value: Value,
): Promise<void> {
  const property = propertyWith(code);
  if (property.type !== type) {
    throw new ResponseError("Invalid_ObjectProp_Format");
  }
  if (!property.settable) throw new ResponseError("Access_Denied");
  checkWritable(node.storage);
  const name = String(value);
  if (name === node.name) return;
  checkName(name, "Invalid_ObjectProp_Value");
  const { parent } = node;
  if (parent !== undefined) await rename(device, node, parent, name);
}
