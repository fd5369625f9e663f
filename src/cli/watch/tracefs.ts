/**
 * The kernel's tracepoints of gadgets, in a buffer of this process.
 *
 * @module
 */
import { O_NONBLOCK, O_RDONLY } from "../../../ffi/abi.ts";
import { Errno, errorOf, isSystemError } from "../../../ffi/errno.ts";
import {
  close,
  exists,
  list,
  mkdir,
  open,
  read,
  rmdir,
  writeFile,
} from "../../../ffi/file.ts";
import { listMounts, mount } from "../../../ffi/mount.ts";
import { permissionHint } from "../../remedies/hint.ts";
import { moduleRemedy } from "../../remedies/kernel.ts";
import { TRACEPOINTS } from "./events.ts";

const TRACEFS = "/sys/kernel/tracing";
/** Kilobytes for each processor: the kernel's default for the main buffer. */
const BUFFER_KB = "1408";

/** The tracepoints of gadgets, until they are closed. */
export class GadgetTracepoints implements Disposable {
  readonly #instance: string;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(64 * 1024);
  readonly #decoder = new TextDecoder();
  /** The beginning of a line. */
  #rest = "";

  /**
   * Begins to record. Removes the buffers of ended processes.
   *
   * @throws {Deno.errors.NotFound} If the kernel has no such tracepoints.
   * @throws {Deno.errors.PermissionDenied} Without the right to do it.
   */
  constructor() {
    try {
      const tracefs = findTracefs();
      const instances = `${tracefs}/instances`;
      removeAbandoned(instances);
      this.#instance = `${instances}/usb-gadget.${Deno.pid}`;
      mkdir(this.#instance, { action: "trace gadgets" });
    } catch (error) {
      throw permissionHint(error);
    }
    let fd = -1;
    try {
      writeFile(`${this.#instance}/buffer_size_kb`, BUFFER_KB);
      for (const name of TRACEPOINTS) {
        const path = `${this.#instance}/events/gadget/${name}/enable`;
        if (exists(path)) writeFile(path, "1");
      }
      fd = open(`${this.#instance}/trace_pipe`, O_RDONLY | O_NONBLOCK);
    } catch (error) {
      rmdir(this.#instance);
      throw error;
    }
    this.#fd = fd;
  }

  /** The lines since the last call. */
  *lines(): Iterable<string> {
    for (;;) {
      let count: number;
      try {
        count = read(this.#fd, this.#buffer);
      } catch (error) {
        if (isSystemError(error, "EAGAIN")) return;
        throw error;
      }
      if (count === 0) return;
      const lines = (this.#rest +
        this.#decoder.decode(this.#buffer.subarray(0, count), { stream: true }))
        .split("\n");
      this.#rest = lines.pop()!;
      yield* lines;
    }
  }

  /** Ends the recording, and removes the buffer. */
  [Symbol.dispose](): void {
    close(this.#fd);
    rmdir(this.#instance);
  }
}

/** Where tracefs is mounted; mounts it if it is not. */
function findTracefs(): string {
  const mounted = listMounts().find(({ type }) => type === "tracefs")?.target;
  const path = mounted ?? TRACEFS;
  if (mounted === undefined) {
    if (!exists(path)) throw missing("the kernel has no tracing", path);
    mount({ source: "none", target: path, type: "tracefs" });
  }
  const events = `${path}/events/gadget`;
  if (!exists(events)) {
    throw missing(
      "it has no tracepoints of gadgets",
      `${events}: ${moduleRemedy("udc_core")}`,
    );
  }
  return path;
}

function missing(what: string, path: string): Error {
  return errorOf(Errno.ENOENT, `Cannot watch gadgets: ${what}: ${path}`, {
    syscall: "access",
    path,
  });
}

/** Removes the buffers of processes that were killed. */
function removeAbandoned(instances: string): void {
  for (const { name } of list(instances)) {
    const [, pid] = /^usb-gadget\.(\d+)$/.exec(name) ?? [];
    if (pid === undefined || exists(`/proc/${pid}`)) continue;
    try {
      rmdir(`${instances}/${name}`);
    } catch (error) {
      // Another process was faster, or still reads it.
      if (!isSystemError(error, "ENOENT", "EBUSY")) throw error;
    }
  }
}
