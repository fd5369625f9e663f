/**
 * The lock for the removal of leftovers.
 *
 * It is on a file that only root can open: any user could take and keep a lock
 * on the directory, or on a file that others may read.
 *
 * @module
 */
import { architectureNumbers, O_CREAT, O_RDWR } from "../../ffi/abi.ts";
import { Errno, errorOf, isSystemError } from "../../ffi/errno.ts";
import {
  close,
  list,
  open,
  readlinkIfThere,
  readTextFile,
  tryLock,
} from "../../ffi/file.ts";
import { STATE } from "../definition/gadget_names.ts";
import { permissionHint } from "../remedies/hint.ts";

/** No gadget has "=" in its name. */
const FILE = "=lock";
const PATH = `${STATE}/${FILE}`;
const POLL_MS = 5;
/** Removing one gadget takes less than a second. */
const LIMIT_MS = 30_000;

/**
 * Runs `work` under the lock, which excludes this process and others.
 *
 * @param limit How long to wait for the lock, in milliseconds.
 * @throws {Deno.errors.TimedOut} If another process keeps it longer than that.
 * @throws {Deno.errors.PermissionDenied} Without the right to take it.
 */
export async function withLock<T>(
  work: () => Promise<T>,
  limit = LIMIT_MS,
): Promise<T> {
  const fd = openLock();
  try {
    const end = performance.now() + limit;
    while (!tryLock(fd, { path: PATH, action: "lock list of gadgets" })) {
      if (performance.now() > end) throw lockedError(limit);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return await work();
  } finally {
    close(fd);
  }
}

function openLock(): number {
  const { O_NOFOLLOW } = architectureNumbers();
  try {
    return open(PATH, O_RDWR | O_CREAT | O_NOFOLLOW, {
      action: "open lock of gadgets",
      mode: 0o600,
    });
  } catch (error) {
    throw permissionHint(error);
  }
}

function lockedError(limit: number): Error {
  const holder = lockHolder();
  const who = holder === undefined ? "another process" : `process ${holder}`;
  const remedy = holder === undefined
    ? `find it with "fuser ${PATH}", and end it`
    : 'end it, or continue it with "kill -CONT" if it is stopped';
  return errorOf(
    Errno.ETIMEDOUT,
    `Cannot clean up gadgets: ${who} has locked "${PATH}" for more than ${
      limit / 1000
    } seconds; ${remedy}`,
    { syscall: "flock", path: PATH },
  );
}

/** The process that has the lock, if it is visible here. */
function lockHolder(): number | undefined {
  try {
    const inode = list(STATE).find(({ name }) => name === FILE)?.inode;
    // 1: FLOCK  ADVISORY  WRITE 1234 00:1a:567 0 EOF
    return readTextFile("/proc/locks").split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, type, , , , file]) =>
        type === "FLOCK" && file?.endsWith(`:${inode}`)
      )
      .map(([, , , , pid]) => Number(pid))
      .find(hasLockOpen);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return undefined;
  }
}

/** The inode number could be that of a file of another file system. */
function hasLockOpen(pid: number): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return list(folder).some(({ name }) =>
      readlinkIfThere(`${folder}/${name}`) === PATH
    );
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}
