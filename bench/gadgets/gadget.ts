/**
 * This package's gadget in the benchmark. gadget.h describes its input and
 * output.
 *
 * ```sh
 * deno run --allow-ffi gadget.ts direct|streams|default-reader MOUNT
 * ```
 *
 * @module
 */
import { FunctionFs } from "@usb/gadget";
import { benchFunction } from "../definition.ts";
import { readLines } from "../lines.ts";

const [way, mountPoint] = Deno.args;
const fs = FunctionFs.open(benchFunction, mountPoint);
const { source, sink } = fs.endpoints;

type Flow = (size: number, depth: number, count: number) => Promise<void>;

interface Way {
  readonly toHost: Flow;
  readonly fromHost: Flow;
}

/** Runs `depth` loops that share `count` iterations. */
async function inParallel(
  depth: number,
  count: number,
  turn: () => Promise<unknown>,
): Promise<void> {
  let left = count;
  const loop = async () => {
    while (left-- > 0) await turn();
  };
  await Promise.all(Array.from({ length: Math.min(depth, count) }, loop));
}

function send(size: number, depth: number, count: number): Promise<void> {
  const data = new Uint8Array(size);
  return inParallel(depth, count, () => source.write(data));
}

async function receive(
  size: number,
  depth: number,
  count: number,
): Promise<void> {
  let left = count;
  const loop = async () => {
    // Whole packets: smaller reads are served one at a time.
    const room = Math.max(size, 1024);
    let memory = new ArrayBuffer(room);
    // Like the C programs: untouched memory is not yet allocated.
    new Uint8Array(memory).fill(0);
    // The memory is transferred to the endpoint and comes back with the data.
    while (left-- > 0) {
      const data = await sink.read(new Uint8Array(memory, 0, room));
      memory = data.buffer;
    }
  };
  await Promise.all(Array.from({ length: Math.min(depth, count) }, loop));
}

async function sendStream(
  size: number,
  depth: number,
  count: number,
): Promise<void> {
  const data = new Uint8Array(size);
  const writer = source.openWritable({ depth }).getWriter();
  for (let left = count; left > 0; left--) await writer.write(data);
  await writer.close();
}

async function receiveStream(
  size: number,
  depth: number,
  count: number,
): Promise<void> {
  const transferSize = Math.max(size, 1024);
  const reader = sink.openReadable({ transferSize, depth })
    .getReader({ mode: "byob" });
  let memory = new Uint8Array(transferSize);
  for (let left = size * count; left > 0;) {
    const { value } = await reader.read(memory);
    left -= value!.byteLength;
    memory = new Uint8Array(value!.buffer);
  }
  await reader.cancel();
}

/** The same with new memory for each chunk. */
async function receiveChunks(
  size: number,
  depth: number,
  count: number,
): Promise<void> {
  const transferSize = Math.max(size, 1024);
  const reader = sink.openReadable({ transferSize, depth }).getReader();
  for (let left = size * count; left > 0;) {
    const { value } = await reader.read();
    left -= value!.byteLength;
  }
  await reader.cancel();
}

async function ping(size: number, count: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    await source.write(await sink.read(Math.max(size, 1024)));
  }
}

const WAYS: Readonly<Record<string, Way>> = {
  "direct": { toHost: send, fromHost: receive },
  "streams": { toHost: sendStream, fromHost: receiveStream },
  "default-reader": { toHost: sendStream, fromHost: receiveChunks },
};

console.log("open");
for await (const line of readLines(Deno.stdin.readable)) {
  const [kind, ...numbers] = line.split(" ");
  const [size, depth, count] = numbers.map(Number);
  const directions: Promise<void>[] = [];
  const { toHost, fromHost } = WAYS[way];
  if (kind === "ping") {
    directions.push(ping(size, count));
  } else {
    if (kind !== "out") directions.push(toHost(size, depth, count));
    if (kind !== "in") directions.push(fromHost(size, depth, count));
  }
  console.log("ready");
  await Promise.all(directions);
  console.log("done");
}
Deno.exit(0);
