/**
 * Why a read or a write has failed on another thread, where its errno is lost.
 *
 * The same request is made again, by Linux AIO: a completion has the error number
 * in memory. Submitting it waits for the disk unless the file is open for direct
 * I/O, and then its completion does; so both run on a thread of Deno's pool. A
 * second call on this thread would be simpler, but a bad disk takes seconds to
 * fail, and the event loop would stand still.
 *
 * @module
 */
import {
  architectureNumbers,
  IO_EVENT_SIZE,
  IOCB_CMD_PREAD,
  IOCB_CMD_PWRITE,
  IOCB_SIZE,
} from "../abi.ts";
import { destroyContext, systemCalls } from "../aio/system_calls.ts";
import { allocate, free, viewOf } from "../native_memory.ts";
import { transferElsewhere } from "./elsewhere.ts";
import { type Transfer, transferHere } from "./here.ts";
import { fileCalls } from "./symbols.ts";

// The native memory of a request: the iocb, its address, and its completion.
const POINTER = IOCB_SIZE;
const EVENT = POINTER + 8;
const SIZE = EVENT + IO_EVENT_SIZE;

/** Reads or writes on another thread; returns a count, or a negative error number. */
export async function transferOrReason(transfer: Transfer): Promise<number> {
  const count = await transferElsewhere(transfer);
  return count < 0 ? await transferAgain(transfer) : count;
}

async function transferAgain(transfer: Transfer): Promise<number> {
  const context = new BigUint64Array(1);
  // Without room for a request, waiting for the disk is better than no answer.
  if (systemCalls().setup(1, context) < 0) return transferHere(transfer);
  const block = allocate(SIZE);
  try {
    return await request(transfer, context[0], block);
  } finally {
    free(block);
    await destroyContext(Deno.UnsafePointer.create(context[0])!);
  }
}

async function request(
  transfer: Transfer,
  context: bigint,
  block: bigint,
): Promise<number> {
  const { direction, fd, memory, length, offset } = transfer;
  const view = viewOf(block, SIZE);
  new Uint8Array(view.buffer).fill(0);
  // struct iocb: see ffi/aio/ring.ts
  const opcode = direction === "read" ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE;
  view.setUint16(16, opcode, true);
  view.setUint32(20, fd, true);
  view.setBigUint64(24, memory, true);
  view.setBigUint64(32, BigInt(length), true);
  view.setBigInt64(40, BigInt(offset), true);
  view.setBigUint64(POINTER, block, true);
  const { SYS_io_submit, SYS_io_getevents } = architectureNumbers();
  const { io_submit_blocking, io_getevents_blocking } = fileCalls();
  const pointer = block + BigInt(POINTER);
  const submit = BigInt(SYS_io_submit);
  const begun = await io_submit_blocking(submit, context, 1n, pointer);
  // Not for this file; so it is no disk, and does not wait.
  if (begun !== 1) return transferHere(transfer);
  const number = BigInt(SYS_io_getevents);
  const event = block + BigInt(EVENT);
  // A signal interrupts the wait.
  while (await io_getevents_blocking(number, context, 1n, 1n, event, 0n) !== 1);
  // struct io_event: u64 data, u64 obj, s64 res, s64 res2
  return Number(view.getBigInt64(EVENT + 16, true));
}
