/**
 * What happens in directories, from inotify.
 *
 * @module
 */
import {
  IN_ATTRIB,
  IN_CLOEXEC,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_EXCL_UNLINK,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_NONBLOCK,
  IN_ONLYDIR,
} from "../abi.ts";
import { check, Errno, type FailedCall, systemError } from "../errno.ts";
import { close } from "../file.ts";
import { cString, ERRNO, libc } from "../libc.ts";
import { decodeName } from "./names.ts";
import { fileCalls } from "./symbols.ts";

/** Something has happened in a directory, or to it. */
export interface DirectoryEvent {
  /** What {@linkcode Inotify.add} has returned; -1 if events were lost. */
  readonly watch: number;
  /** Bits such as IN_CREATE. */
  readonly mask: number;
  /** What it is about; `""` for the directory itself. */
  readonly name: string;
}

/** Events that change what a listing of the directory says. */
const EVENTS = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
  IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

/** An inotify instance. */
export class Inotify {
  /** Ready for POLLIN while there are events. */
  readonly fd: number;
  readonly #buffer = new Uint8Array(16 * 1024);
  readonly #view = new DataView(this.#buffer.buffer);

  /** Opens it. Throws EMFILE if the user has too many. */
  constructor() {
    const flags = IN_NONBLOCK | IN_CLOEXEC;
    this.fd = check(fileCalls().inotify_init1(flags), ERRNO[0], {
      action: "watch directories",
      syscall: "inotify_init1",
    });
  }

  /**
   * Watches an open directory, which may be closed. A directory that is watched
   * already keeps its number.
   *
   * @returns `undefined` if the user watches too many (fs.inotify.max_user_watches).
   */
  add(
    directory: number,
    call: Omit<FailedCall, "syscall">,
  ): number | undefined {
    const path = cString(`/proc/self/fd/${directory}`);
    const mask = EVENTS | IN_ONLYDIR | IN_EXCL_UNLINK;
    const watch = fileCalls().inotify_add_watch(this.fd, path, mask);
    const errno = ERRNO[0];
    if (watch >= 0) return watch;
    if (errno === Errno.ENOSPC) return undefined;
    throw systemError(errno, { ...call, syscall: "inotify_add_watch" });
  }

  /** Ends a watch. It may have ended by itself. */
  remove(watch: number): void {
    fileCalls().inotify_rm_watch(this.fd, watch);
  }

  /** Takes all events. Does not wait. */
  take(): DirectoryEvent[] {
    const size = BigInt(this.#buffer.byteLength);
    const events: DirectoryEvent[] = [];
    for (;;) {
      const length = libc().read(this.fd, this.#buffer, size);
      if (length <= 0) return events; // EAGAIN: there is none
      // struct inotify_event: s32 wd, u32 mask, u32 cookie, u32 len, name
      for (let at = 0; at < length;) {
        const start = at + 16;
        const end = start + this.#view.getUint32(at + 12, true);
        const zero = this.#buffer.subarray(start, end).indexOf(0);
        const name = this.#buffer.subarray(start, start + Math.max(0, zero));
        events.push({
          watch: this.#view.getInt32(at, true),
          mask: this.#view.getUint32(at + 4, true),
          name: decodeName(name),
        });
        at = end;
      }
    }
  }

  /** Closes it, with all watches. */
  close(): void {
    close(this.fd);
  }
}
