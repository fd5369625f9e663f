/**
 * Megabytes per second over streams and over `read` and `write`, for each
 * direction alone and for both at once. The host is a C program with enough
 * transfers in flight.
 *
 * ```sh
 * deno task vm -- deno run -A --import-map=tests/import_map.json bench/streams.ts
 * ```
 *
 * @module
 */
import { bulkPair, Gadget, usbFunction } from "@usb/gadget";
import { bulkEndpoints } from "../tests/support/host/echo.ts";
import { runText } from "../src/vm/process.ts";
import { UsbfsDevice } from "../src/testing/usbfs/device.ts";

const ROUNDS = 5;
const SIZE = 65_536;
const DEPTH = 8;
const MIB = 1 << 20;
const TOTAL = Number(Deno.args[0] ?? 32) * MIB;
const COUNT = TOTAL / SIZE;

const ids = { vendorId: 0x1209, productId: 0x0001 };
const folder = await Deno.makeTempDir();
const program = `${folder}/bulk_host`;
await runText("gcc", [
  "-O2",
  "-o",
  program,
  `${import.meta.dirname}/bulk_host.c`,
]);

await using gadget = await Gadget.start({
  ...ids,
  functions: [usbFunction({
    name: "bench",
    interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
  })],
});
const { link } = gadget.functions.bench.endpoints;
await gadget.functions.bench.enabled();
const device = await UsbfsDevice.find(ids);
const { input, output } = bulkEndpoints(device);
const { path } = device;
await device.close();

/** Runs the host, and returns megabytes per second of each lane. */
async function host(...endpoints: number[]): Promise<number[]> {
  const lanes = endpoints.map((it) => `${it}:${SIZE}:${DEPTH}:${COUNT}`);
  const text = await runText(program, [path, ...lanes]);
  return text.trim().split("\n").map((each) => TOTAL / Number(each) / 1e6);
}

const chunk = new Uint8Array(SIZE);

/** Calls a function repeatedly, with several calls at once. */
async function repeat(call: () => Promise<unknown>): Promise<void> {
  let left = COUNT;
  const lane = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: DEPTH }, lane));
}

async function writeStream(): Promise<void> {
  const writer = link.openWritable({ depth: DEPTH }).getWriter();
  for (let n = 0; n < COUNT; n++) await writer.write(chunk);
  await writer.close();
}

async function readStream(options = {}): Promise<void> {
  const reader = link.openReadable(options).getReader();
  for (let got = 0; got < TOTAL;) {
    got += (await reader.read()).value!.byteLength;
  }
  await reader.cancel();
}

async function readByob(size: number): Promise<void> {
  const reader = link.openReadable({ transferSize: size })
    .getReader({ mode: "byob" });
  let memory = new ArrayBuffer(size);
  for (let got = 0; got < TOTAL;) {
    const { value } = await reader.read(new Uint8Array(memory));
    got += value!.byteLength;
    memory = value!.buffer;
  }
  await reader.cancel();
}

const stream = { depth: DEPTH, transferSize: SIZE };
const cases: Record<string, [() => Promise<unknown>, number[]]> = {
  "write": [() => repeat(() => link.write(chunk)), [input]],
  "writable": [writeStream, [input]],
  "read": [() => repeat(() => link.read(SIZE)), [output]],
  "readable": [() => readStream(stream), [output]],
  "readable, BYOB of 64 KiB": [() => readByob(SIZE), [output]],
  "readable, BYOB of 1 MiB": [() => readByob(MIB), [output]],
  "readable, default": [() => readStream(), [output]],
  "both at once": [
    () => Promise.all([writeStream(), readStream(stream)]),
    [input, output],
  ],
};

// Each round has all cases, so other load on the machine affects all of them.
const results = new Map<string, number[][]>();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, [gadgetSide, endpoints]] of Object.entries(cases)) {
    const [, speeds] = await Promise.all([gadgetSide(), host(...endpoints)]);
    results.set(name, [...results.get(name) ?? [], speeds]);
  }
}
for (const [name, rounds] of results) {
  const median = rounds[0].map((_, lane) => {
    const sorted = rounds.map((each) => each[lane]).sort((a, b) => a - b);
    return sorted[ROUNDS >> 1].toFixed(1);
  });
  console.log(`${name.padEnd(26)} ${median.join(" and ")} MB/s`);
}
