/**
 * A device with one storage, for tests of operations.
 *
 * @module
 */
import { ALL, OperationCode } from "../../../src/classes/mtp/protocol/codes.ts";
import { decodeObjectInfo } from "../../../src/classes/mtp/protocol/object_info.ts";
import type { DeviceOptions } from "../../../src/classes/mtp/responder/device.ts";
import { Responder } from "./calls.ts";
import { type Item, TreeStore } from "./tree_store.ts";

/**
 * A device with one storage.
 *
 * @param items Files by path, as bytes or text; folders.
 */
export function setup(
  items: Readonly<Record<string, Item | string>> = {},
  options: Partial<DeviceOptions> = {},
) {
  const responder = new Responder(options);
  const store = new TreeStore(items);
  const storage = responder.add(store);
  /** The handles of what is in a folder. */
  const handles = async (parent: number = ALL) => {
    const parameters = [storage, 0, parent];
    const list = await responder.read(
      OperationCode.GetObjectHandles,
      parameters,
    );
    return list.array32();
  };
  const info = async (handle: number) =>
    decodeObjectInfo(
      (await responder.ok(OperationCode.GetObjectInfo, [handle])).data,
    );
  /** The handle of what is at a path. */
  const at = async (path: string) => {
    let found: number | undefined;
    for (const name of path.split("/")) {
      const candidates = await handles(found);
      const infos = await Promise.all(candidates.map(info));
      found = candidates[infos.findIndex((it) => it.name === name)];
      if (found === undefined) throw new Error(`There is no ${path}`);
    }
    return found!;
  };
  return {
    responder,
    device: responder.device,
    store,
    storage,
    handles,
    info,
    at,
  };
}
