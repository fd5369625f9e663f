/**
 * The data path of endpoints on files of the kernel's: writes go to /dev/null,
 * and reads come from /dev/zero. Both are done when they are submitted, so that
 * what is left is the work of this package.
 *
 * @module
 */
import { IOCB_CMD_PREAD, IOCB_CMD_PWRITE, O_RDWR } from "../../ffi/abi.ts";
import { AioContext } from "../../ffi/aio.ts";
import { close, open } from "../../ffi/file.ts";
import { bulkOut, compileFunction, usbFunction } from "@usb/gadget";
import { PacketSizes } from "../../src/functionfs/packet_sizes.ts";
import { ReadQueue } from "../../src/functionfs/read_queue.ts";
import { Reader } from "../../src/functionfs/reader.ts";
import { TransferQueue } from "../../src/functionfs/transfer_queue.ts";
import {
  MAX_REQUEST_SIZE,
  Write,
  type WritePort,
} from "../../src/functionfs/write.ts";
import { ZeroLengthPackets } from "../../src/functionfs/zero_length.ts";

const SINK = "/dev/null";
const SOURCE = "/dev/zero";
const maxPacketSize = 1024;
const connection = { enabled: true, enableCount: 1, probe: () => true };

/** What an `InEndpoint` does for each write. */
export type WriteData = (data: Uint8Array<ArrayBuffer>) => Promise<number>;

/** What an `OutEndpoint` does for each read. */
export type ReadData = (
  sizeOrBuffer: number | Uint8Array<ArrayBuffer>,
) => Promise<Uint8Array<ArrayBuffer>>;

/** An endpoint in each direction. */
export interface EndpointsOnFiles extends AsyncDisposable {
  readonly write: WriteData;
  readonly read: ReadData;
}

/** Opens both files on one AIO context. */
export function openEndpoints(): EndpointsOnFiles {
  const aio = new AioContext();
  aio.retain();
  const sink = open(SINK, O_RDWR);
  const source = open(SOURCE, O_RDWR);
  const queue = (fd: number, opcode: number) =>
    new TransferQueue({ aio, fd, opcode, connection });
  const writePort: WritePort = {
    name: "in",
    path: SINK,
    maxPacketSize,
    queue: queue(sink, IOCB_CMD_PWRITE),
    largestTransfer: Infinity,
    pieceSize: MAX_REQUEST_SIZE,
    zeroLengthPackets: new ZeroLengthPackets(sink, SINK, aio),
  };
  const [compiled] = compileFunction(usbFunction({
    name: "files",
    interfaces: [{ class: 0xff, endpoints: { out: bulkOut() } }],
  })).endpoints;
  const readPort = {
    name: "out",
    path: SOURCE,
    maxPacketSize,
    packetSizes: new PacketSizes(compiled),
    queue: queue(source, IOCB_CMD_PREAD),
  };
  const reads = new ReadQueue(readPort, []);
  return {
    write: (data) =>
      new Promise((resolve, reject) =>
        new Write(writePort, data, {}, resolve, reject).start(false)
      ),
    read: (sizeOrBuffer) =>
      new Promise((resolve, reject) => {
        const target = typeof sizeOrBuffer === "number"
          ? sizeOrBuffer
          : new Uint8Array(sizeOrBuffer.buffer.transferToFixedLength());
        reads.add(new Reader(reads, readPort, target, {}, resolve, reject));
      }),
    [Symbol.asyncDispose]: async () => {
      await aio.release();
      await aio.close();
      close(sink);
      close(source);
    },
  };
}

/** Makes `count` writes, `depth` of them at once. */
export async function makeWrites(
  write: WriteData,
  size: number,
  depth: number,
  count: number,
): Promise<void> {
  const data = new Uint8Array(size);
  let left = count;
  const loop = async () => {
    while (left-- > 0) await write(data);
  };
  await Promise.all(Array.from({ length: depth }, loop));
}

/** Makes `count` reads into memory that is used again, `depth` at once. */
export async function makeReads(
  read: ReadData,
  size: number,
  depth: number,
  count: number,
): Promise<void> {
  let left = count;
  const loop = async () => {
    let buffer = new Uint8Array(size);
    while (left-- > 0) buffer = await read(buffer);
  };
  await Promise.all(Array.from({ length: depth }, loop));
}

/** Makes `count` reads into new memory, `depth` at once. */
export async function makeReadsOfNewMemory(
  read: ReadData,
  size: number,
  depth: number,
  count: number,
): Promise<void> {
  let left = count;
  const loop = async () => {
    while (left-- > 0) await read(size);
  };
  await Promise.all(Array.from({ length: depth }, loop));
}
