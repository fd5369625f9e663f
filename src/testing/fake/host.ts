/**
 * The host of a session without a kernel.
 *
 * @module
 */
import { Errno, systemError } from "../../../ffi/errno.ts";
import { checkBytes } from "../../arguments/bytes.ts";
import { checkInteger, checkOptions } from "../../arguments/rules.ts";
import { halfOf } from "../host_pipes.ts";
import {
  HOST_OPTIONS,
  HOST_WRITE_OPTIONS,
  type HostOptions,
} from "../options.ts";
import type { TestHost } from "../test_host.ts";
import type { HostTransfer, Wire } from "./wire.ts";

/**
 * The host's side of a {@linkcode FakeSession}: methods of
 * {@linkcode TestHost}, with the same arguments and errors.
 *
 * @category Testing
 */
export type FakeHost = Pick<TestHost, "read" | "write" | "clearHalt">;

/** What a fake host says about a transfer that failed. */
const HINTS: Readonly<Record<number, string>> = {
  [Errno.EPIPE]: "the endpoint is halted",
  [Errno.EOVERFLOW]:
    "the device has sent more than was asked for: ask for whole packets",
  [Errno.ESHUTDOWN]: "the session has ended",
  [Errno.ENOENT]: "the transfer was discarded",
};

/** A host that transfers over wires, which it finds by the paths of endpoints. */
export function fakeHost(
  wires: ReadonlyMap<string, Wire>,
  patience: number,
): FakeHost {
  const wireOf = (action: string, { path, name }: WithPath): Wire => {
    const wire = wires.get(path);
    if (wire !== undefined) return wire;
    throw new TypeError(
      `Cannot ${action} endpoint "${name}": it belongs to another session`,
    );
  };
  return {
    async read(endpoint, length, options = {}) {
      const half = halfOf("read", endpoint, "in");
      const action = `read ${length} bytes from endpoint "${half.name}"`;
      checkInteger(action, "the length", length, 0x7fff_ffff);
      checkOptions(action, options, HOST_OPTIONS);
      const wire = wireOf("read from", half);
      const memory = new Uint8Array(length);
      const done = await run(wire, action, memory, false, {
        timeout: patience,
        ...options,
      });
      return memory.subarray(0, done);
    },
    async write(endpoint, data, { zlp, ...options } = {}) {
      const half = halfOf("write", endpoint, "out");
      const action = `write ${data.length} bytes to endpoint "${half.name}"`;
      checkBytes(action, "the data", data);
      checkOptions(action, { zlp, ...options }, HOST_WRITE_OPTIONS);
      const wire = wireOf("write to", half);
      const onBorder = data.length % wire.packetSize === 0;
      const ends = zlp === "auto" && onBorder || data.length === 0;
      return await run(wire, action, new Uint8Array(data), ends, {
        timeout: patience,
        ...options,
      });
    },
    // deno-lint-ignore require-await
    async clearHalt(endpoint, options = {}) {
      checkOptions("clear a halt", options, HOST_OPTIONS);
      wireOf("clear the halt of", endpoint).clearHalt();
    },
  };
}

type WithPath = { readonly path: string; readonly name: string };

/** Runs a transfer; resolves to the number of bytes. */
function run(
  wire: Wire,
  action: string,
  memory: Uint8Array<ArrayBuffer>,
  zlp: boolean,
  { timeout = Infinity, signal }: HostOptions,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (errno: number, hint = HINTS[errno]) => {
      const { at } = transfer;
      const error = systemError(errno, {
        action,
        syscall: "ioctl",
        hint: `${hint}, ${at} of ${memory.length} bytes were transferred`,
      });
      if (signal?.aborted) error.cause = signal.reason;
      const isIn = wire.endpoint.direction === "in";
      const data = isIn ? memory.subarray(0, at) : new Uint8Array(0);
      reject(Object.assign(error, { transferred: at, data }));
    };
    const transfer: HostTransfer = {
      memory,
      at: 0,
      zlp,
      onEnd: (status) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        if (status === 0) resolve(transfer.at);
        else fail(-status);
      },
    };
    const giveUp = (errno: number, hint?: string) => {
      if (!wire.discard(transfer)) return;
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      fail(errno, hint);
    };
    const abort = () => giveUp(Errno.ENOENT);
    const missing = wire.endpoint.direction === "in"
      ? "the session has not written so much"
      : "the session does not read so much";
    const timer = Number.isFinite(timeout)
      ? setTimeout(
        () => giveUp(Errno.ETIMEDOUT, `more than ${timeout} ms, ${missing}`),
        timeout,
      )
      : undefined;
    signal?.addEventListener("abort", abort);
    wire.transfer(transfer);
    if (signal?.aborted) abort();
  });
}
