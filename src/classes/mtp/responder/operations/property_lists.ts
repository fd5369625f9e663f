/**
 * Properties of many objects: GetObjectPropList, SetObjectPropList,
 * SendObjectPropList (MTP 1.1 E.2.5 to E.2.8).
 *
 * @module
 */
import {
  ALL,
  DataType,
  ObjectProperty,
  OperationCode,
} from "../../protocol/codes.ts";
import { DatasetReader, type Value } from "../../protocol/dataset.ts";
import { decodeDate } from "../../protocol/date.ts";
import { UNKNOWN_SIZE } from "../../protocol/object_info.ts";
import { ResponseError, responseTo } from "../../protocol/response.ts";
import type { Device } from "../device.ts";
import { LongDataset } from "../long_dataset.ts";
import { checkName } from "../names.ts";
import type { ObjectNode } from "../object_node.ts";
import { FailedOperation, type Operations } from "../operation.ts";
import { PROPERTIES, propertyWith } from "../properties.ts";
import { hasFormat } from "./handles.ts";
import { announce, type Announcement, targetFolder } from "./send.ts";
import { setProperty } from "./set_property.ts";

/** Operations on lists of properties. */
export function propertyListOperations(device: Device): Operations {
  const { objects } = device;
  return {
    [OperationCode.GetObjectPropList]: {
      data: "to host",
      async run({ parameters: [handle, format, code, group, depth], signal }) {
        if (code === 0) {
          throw new ResponseError(
            group === 0
              ? "Parameter_Not_Supported"
              : "Specification_By_Group_Unsupported",
          );
        }
        const properties = code === ALL ? PROPERTIES : [propertyWith(code)];
        const isEverything = handle === ALL && code === ALL;
        const list = new LongDataset();
        for await (const node of selected(device, handle, depth)) {
          signal.throwIfAborted();
          if (format !== ALL && !hasFormat(node, format)) continue;
          if (isEverything && node.entry.size > UNKNOWN_SIZE) {
            // libmtp 1.1.20 would take its size modulo 4 GiB; it then asks for one
            // object after another, and gets that right.
            throw new ResponseError("Specification_By_Depth_Unsupported");
          }
          for (const { code, type, value } of properties) {
            const item = list.item().u32(node.handle).u16(code).u16(type);
            item.value(type, value(node));
          }
        }
        return { data: list.finish() };
      },
    },
    [OperationCode.SetObjectPropList]: {
      data: "from host",
      async run({ data, signal }) {
        const items = decodeItems(await data.dataset());
        for (const [index, { handle, code, type, value }] of items.entries()) {
          signal.throwIfAborted();
          try {
            const node = objects.node(handle);
            await setProperty(device, node, code, type, value);
          } catch (error) {
            throw withParameters(error, [index]);
          }
        }
      },
    },
    [OperationCode.SendObjectPropList]: {
      data: "from host",
      async run({ parameters, data }) {
        device.announced = undefined;
        const [storageId, parent, format, high, low] = parameters;
        const items = decodeItems(await data.dataset());
        const size = high * 2 ** 32 + low;
        if (!Number.isSafeInteger(size)) {
          throw new ResponseError("Object_Too_Large");
        }
        const folder = targetFolder(device, storageId, parent);
        const { id } = folder.storage;
        const announcement = { ...fromItems(items, [id, folder.handle, 0]) };
        const handle = await announce(device, folder, {
          ...announcement,
          format,
          size,
        });
        return { parameters: [id, folder.handle, handle] };
      },
    },
  };
}

/** The objects that a handle and a depth select; 0 is the root of each storage. */
async function* selected(
  { objects }: Device,
  handle: number,
  depth: number,
): AsyncGenerator<ObjectNode> {
  if (handle === 0 || handle === ALL) {
    const levels = handle === ALL || depth === ALL
      ? Infinity
      : Math.max(depth, 1);
    for (const root of objects.roots(ALL)) yield* objects.within(root, levels);
    return;
  }
  const node = await objects.current(handle);
  yield node;
  if (!node.isFolder) return;
  yield* objects.within(node, depth === ALL ? Infinity : depth);
}

/** A property of an object, as the host sends it. */
interface Item {
  readonly handle: number;
  readonly code: number;
  readonly type: number;
  readonly value: Value;
}

function decodeItems(bytes: Uint8Array): Item[] {
  const data = new DatasetReader(bytes);
  const items: Item[] = [];
  for (let left = data.u32(); left > 0; left--) {
    const handle = data.u32();
    const code = data.u16();
    const type = data.u16();
    items.push({ handle, code, type, value: data.value(type) });
  }
  return items;
}

/** What properties announce of a new object. Those that it cannot have are ignored. */
function fromItems(
  items: readonly Item[],
  parameters: readonly number[],
): Pick<Announcement, "name" | "modified"> {
  let name: string | undefined;
  let modified: number | undefined;
  for (const [index, { handle, code, type, value }] of items.entries()) {
    try {
      if (handle !== 0) throw new ResponseError("Invalid_ObjectHandle");
      const isName = code === ObjectProperty.ObjectFileName;
      if (!isName && code !== ObjectProperty.DateModified) continue;
      if (type !== DataType.STR) {
        throw new ResponseError("Invalid_ObjectProp_Format");
      }
      const text = String(value);
      if (isName) checkName(name = text, "Invalid_ObjectProp_Value");
      else modified = decodeDate(text);
    } catch (error) {
      throw withParameters(error, [...parameters, index]);
    }
  }
  if (name === undefined) throw new ResponseError("Invalid_Dataset");
  return { name, modified };
}

/** Adds parameters to an error that is a response. */
function withParameters(error: unknown, parameters: number[]): unknown {
  const response = responseTo(error);
  return response === undefined
    ? error
    : new FailedOperation(response, parameters, { cause: error });
}
