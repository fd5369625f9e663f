/**
 * What the engine costs without any USB: writes to /dev/null and reads of
 * /dev/zero through the queues of endpoints. The kernel has no work with them,
 * and each is done when it is submitted, so that all that is left is ours.
 *
 * ```sh
 * deno run -A --import-map=tests/import_map.json bench/engine.ts [DEPTH] [COUNT]
 * ```
 *
 * @module
 */
import { IOCB_CMD_PREAD, IOCB_CMD_PWRITE, O_RDWR } from "../ffi/abi.ts";
import { AioContext } from "../ffi/aio.ts";
import { open } from "../ffi/file.ts";
import { bulkIn, bulkOut, compileFunction, usbFunction } from "@usb/gadget";
import { PacketSizes } from "../src/functionfs/packet_sizes.ts";
import { ReadQueue } from "../src/functionfs/read_queue.ts";
import { Reader } from "../src/functionfs/reader.ts";
import { TransferQueue } from "../src/functionfs/transfer_queue.ts";
import { Write } from "../src/functionfs/write.ts";
import { ZeroLengthPackets } from "../src/functionfs/zero_length.ts";

const SIZE = 4096;
const depth = Number(Deno.args[0] ?? 32);
const count = Number(Deno.args[1] ?? 300_000);

const connection = { enabled: true, enableCount: 1, probe: () => true };
const aio = new AioContext();
aio.retain();

function queueOn(path: string, opcode: number): {
  fd: number;
  queue: TransferQueue;
} {
  const fd = open(path, O_RDWR, { action: "open" });
  return { fd, queue: new TransferQueue({ aio, fd, opcode, connection }) };
}

const sink = queueOn("/dev/null", IOCB_CMD_PWRITE);
const writePort = {
  name: "sink",
  path: "/dev/null",
  maxPacketSize: 1024,
  largestTransfer: Infinity,
  queue: sink.queue,
  zeroLengthPackets: new ZeroLengthPackets(sink.fd, "/dev/null", aio),
};
const compiled = compileFunction(usbFunction({
  name: "bench",
  interfaces: [{ class: 0xff, endpoints: { a: bulkOut(), b: bulkIn() } }],
})).endpoints[0];
const source = queueOn("/dev/zero", IOCB_CMD_PREAD);
const readPort = {
  name: "source",
  path: "/dev/zero",
  maxPacketSize: 1024,
  packetSizes: new PacketSizes(compiled),
  queue: source.queue,
};
const reads = new ReadQueue(readPort, []);

function write(data: Uint8Array<ArrayBuffer>): Promise<number> {
  return new Promise((resolve, reject) =>
    new Write(writePort, data, {}, resolve, reject).start(false)
  );
}

function read(
  target: number | Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const taken = typeof target === "number"
      ? target
      : new Uint8Array(target.buffer.transferToFixedLength());
    reads.add(new Reader(reads, readPort, taken, {}, resolve, reject));
  });
}

async function writes(count: number): Promise<void> {
  let left = count;
  const loop = async () => {
    const data = new Uint8Array(SIZE);
    while (left-- > 0) await write(data);
  };
  await Promise.all(Array.from({ length: depth }, loop));
}

async function readsInto(count: number): Promise<void> {
  let left = count;
  const loop = async () => {
    let buffer = new Uint8Array(SIZE);
    while (left-- > 0) buffer = await read(buffer);
  };
  await Promise.all(Array.from({ length: depth }, loop));
}

async function readsOf(count: number): Promise<void> {
  let left = count;
  const loop = async () => {
    while (left-- > 0) await read(SIZE);
  };
  await Promise.all(Array.from({ length: depth }, loop));
}

/** Processor time of all threads, in microseconds. */
function cpu(): number {
  let sum = 0;
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    const text = Deno.readTextFileSync(`/proc/self/task/${name}/schedstat`);
    sum += Number(text.split(" ")[0]) / 1e3;
  }
  return sum;
}

for (
  const [name, run] of Object.entries({ writes, readsInto, readsOf })
) {
  await run(count / 10);
  const before = cpu();
  const started = performance.now();
  await run(count);
  const time = (performance.now() - started) * 1000;
  console.log(
    `${name.padEnd(10)} ${(time / count).toFixed(2)} us, ` +
      `${((cpu() - before) / count).toFixed(2)} us of processor each`,
  );
}
Deno.exit(0);
