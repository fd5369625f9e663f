/**
 * Terminates a Worker with a parked poll, and prints which files the kernel finds in
 * the array of that poll. With MALLOC_PERTURB_ set, freed memory is overwritten.
 *
 * @module
 */
import { O_RDONLY } from "../../../ffi/abi.ts";
import { isSystemError } from "../../../ffi/errno.ts";
import { exists, list, open, read, readTextFile } from "../../../ffi/file.ts";
import { libc } from "../../../ffi/libc.ts";
import { eventFd } from "../machine/pipe.ts";
import { until } from "../waiting/until.ts";
import { ask, startWorker } from "./start.ts";

const FILES = 100;
const POLLFD_SIZE = 8;

/** The address of the array of a parked poll of `files` file descriptors. */
function findPoll(files: number): bigint | undefined {
  for (const { name } of list("/proc/self/task")) {
    try {
      // The number of the system call and its arguments: "7 0x7f... 0x66 0xffffffff ..."
      const call = readTextFile(`/proc/self/task/${name}/syscall`).split(" ");
      if (Number(call[2]) === files) return BigInt(call[1]);
    } catch (error) {
      if (!isSystemError(error, "ESRCH", "ENOENT")) throw error;
    }
  }
  return undefined;
}

const fds = Array.from({ length: FILES }, () => eventFd().fd);
const worker = startWorker("waiting_worker.ts");
const thread = await ask<number>(worker, fds);
// The files, one of the reactor, and one of the AIO context.
const count = FILES + 2;
await until(() => findPoll(count) !== undefined, "the poll is parked");
const address = findPoll(count)!;
worker.terminate();
await until(() => !exists(`/proc/self/task/${thread}`), "the thread has ended");

const memory = open("/proc/self/mem", O_RDONLY);
libc().lseek(memory, address, 0);
const bytes = new Uint8Array(POLLFD_SIZE * count);
read(memory, bytes);
const polled = new Int32Array(bytes.buffer)
  .filter((_, index) => index % (POLLFD_SIZE / 4) === 0);
console.log(fds.filter((fd) => polled.includes(fd)).length);
Deno.exit(0);
