/**
 * AIO contexts of isolates that have ended.
 *
 * Nothing destroys the context of a terminated Worker. Its requests stay in the
 * kernel, and it keeps its share of `fs.aio-max-nr`, a limit for all processes
 * together: after some hundred Workers there would be no room for another.
 *
 * A context is a mapping of the process, which any of its threads can destroy.
 * If its isolate can end, its header has the number of the isolate's thread.
 *
 * @module
 */
import { O_RDONLY } from "../abi.ts";
import { HEADER_SIZE, ownerOf } from "./completion_ring.ts";
import { close, exists, open, readTextFile, tryLock } from "../file.ts";
import { libc } from "../libc.ts";
import { destroyContext } from "./system_calls.ts";

const MAPS = "/proc/self/maps";
const SEEK_SET = 0;

/**
 * Destroys the contexts of this process whose threads have ended, and cancels
 * their requests. Resolves with their number when they are gone.
 */
export async function destroyAbandonedContexts(): Promise<number> {
  const lock = open(MAPS, O_RDONLY);
  try {
    // A second isolate could destroy a new context at the address of an old one.
    if (!tryLock(lock, { path: MAPS })) return 0;
    const abandoned = contexts().filter((address) => isAbandoned(address));
    await Promise.all(
      abandoned.map((address) =>
        destroyContext(Deno.UnsafePointer.create(address)!)
      ),
    );
    return abandoned.length;
  } finally {
    close(lock);
  }
}

/** The addresses of all AIO contexts of this process. */
function contexts(): bigint[] {
  // 7f0e4c5f2000-7f0e4c5f7000 rw-s 00000000 00:10 46   /[aio] (deleted)
  return readTextFile(MAPS).split("\n")
    .filter((line) => line.endsWith(" /[aio] (deleted)"))
    .map((line) => BigInt(`0x${line.slice(0, line.indexOf("-"))}`));
}

function isAbandoned(address: bigint): boolean {
  const header = readMemory(address, HEADER_SIZE);
  const owner = header && ownerOf(header);
  return owner !== undefined && !exists(`/proc/self/task/${owner}`);
}

/** Copies memory; undefined if it has been unmapped meanwhile. */
function readMemory(
  address: bigint,
  size: number,
): Uint8Array<ArrayBuffer> | undefined {
  const { lseek, read } = libc();
  const bytes = new Uint8Array(size);
  const fd = open("/proc/self/mem", O_RDONLY);
  try {
    lseek(fd, address, SEEK_SET);
    return read(fd, bytes, BigInt(size)) === size ? bytes : undefined;
  } finally {
    close(fd);
  }
}
