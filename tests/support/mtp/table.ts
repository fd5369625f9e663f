/**
 * A table of objects without a device.
 *
 * @module
 */
import type { ObjectNode } from "../../../src/classes/mtp/responder/object_node.ts";
import { ObjectTable } from "../../../src/classes/mtp/responder/object_table.ts";
import type { Storage } from "../../../src/classes/mtp/responder/storage.ts";
import type { ObjectStore } from "../../../src/classes/mtp/store/object_store.ts";

/** A table of one storage, and what it reports. */
export function tableOf(store: ObjectStore) {
  const table = new ObjectTable();
  const storage: Storage = {
    id: 1,
    store,
    name: "",
    volume: "",
    removable: false,
    readOnly: false,
  };
  table.addStorage(storage);
  const changes: string[] = [];
  table.onChange = (change, { handle, name }) =>
    changes.push(`${change} ${name} ${handle}`);
  /** Changes since the last call. */
  const taken = () => changes.splice(0).toSorted();
  return { table, storage, root: table.root(1), taken };
}

/** What a table knows, by path, with the handles. */
export async function known(table: ObjectTable, root: ObjectNode) {
  const found = new Map<string, number>();
  for await (const node of table.within(root)) {
    found.set(node.path, node.handle);
  }
  return found;
}
