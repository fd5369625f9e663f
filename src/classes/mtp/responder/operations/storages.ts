/**
 * GetStorageIDs and GetStorageInfo (PTP 10.4.4, 10.4.5).
 *
 * @module
 */
import { OperationCode } from "../../protocol/codes.ts";
import { DatasetWriter } from "../../protocol/dataset.ts";
import type { Device } from "../device.ts";
import type { Operations } from "../operation.ts";
import { isReadOnly } from "../targets.ts";

/** Types of storages and of file systems, and what a host can do (PTP 5.5.3). */
const FIXED_RAM = 3;
const REMOVABLE_RAM = 4;
const HIERARCHICAL = 2;
const READ_WRITE = 0;
const READ_ONLY_WITHOUT_DELETION = 1;
const NOT_COUNTED = 0xffff_ffff;
/** What hosts show of a store without limits: they refuse to send where no room is. */
const NO_LIMIT = { capacity: 2 ** 50, free: 2 ** 50 };

/** Operations on storages. */
export function storageOperations({ objects }: Device): Operations {
  return {
    [OperationCode.GetStorageIDs]: {
      data: "to host",
      run() {
        const ids = objects.storages.map(({ id }) => id);
        return { data: new DatasetWriter().array32(ids).bytes };
      },
    },
    [OperationCode.GetStorageInfo]: {
      data: "to host",
      async run({ parameters: [id] }) {
        const { storage } = objects.root(id);
        const space = await storage.store.space?.() ?? NO_LIMIT;
        const info = new DatasetWriter();
        info.u16(storage.removable ? REMOVABLE_RAM : FIXED_RAM);
        info.u16(HIERARCHICAL);
        info.u16(isReadOnly(storage) ? READ_ONLY_WITHOUT_DELETION : READ_WRITE);
        info.u64(BigInt(space.capacity)).u64(BigInt(space.free));
        info.u32(NOT_COUNTED);
        info.string(storage.name).string(storage.volume);
        return { data: info.bytes };
      },
    },
  };
}
