/**
 * The CPU time of streaming to the host: with `write`, which copies in the kernel,
 * and from DMABUFs, without a copy. The host is a separate process. Both methods
 * alternate in one run.
 *
 * ```sh
 * deno task vm --udc sg -- deno run -A --import-map=tests/import_map.json bench/dmabuf.ts
 * ```
 *
 * @module
 */
import { bulkIn, Gadget, usbFunction } from "@usb/gadget";
import { DmaBuffer } from "@usb/gadget/dmabuf";
import { bulkEndpoints } from "../tests/support/host/echo.ts";
import { UsbfsDevice } from "../src/testing/usbfs/device.ts";
import { UrbType } from "../src/testing/usbfs/abi.ts";

const TOTAL = Number(Deno.env.get("BENCH_MIB") ?? 1024) << 20;
const SIZE = 1 << 20;
const DEPTH = 4;
const ROUNDS = 3;

const ids = { vendorId: 0x1209, productId: 0x0001, serialNumber: "dmabuf" };

/** The host: reads TOTAL bytes, with DEPTH transfers in flight. */
async function host(): Promise<void> {
  await using device = await UsbfsDevice.find(ids);
  await device.claimInterface(0);
  const { input: endpoint } = bulkEndpoints(device);
  let left = TOTAL / SIZE;
  const take = async () => {
    const buffer = new Uint8Array(SIZE);
    while (left-- > 0) {
      const urb = device.submit({ type: UrbType.bulk, endpoint, buffer });
      const { status, actualLength } = await urb.completion;
      if (status !== 0 || actualLength !== SIZE) {
        throw new Error(`URB: status ${status}, ${actualLength} bytes`);
      }
    }
  };
  await Promise.all(Array.from({ length: DEPTH }, take));
}

/** CPU time that this process and its threads have used, in seconds. */
function cpuTime(): { user: number; system: number } {
  const TICKS = 100; // USER_HZ
  const fields = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]
    .split(" ");
  return {
    user: Number(fields[11]) / TICKS,
    system: Number(fields[12]) / TICKS,
  };
}

if (Deno.args[0] === "host") {
  await host();
  Deno.exit(0);
}

await using gadget = await Gadget.start({
  ...ids,
  functions: [usbFunction({
    name: "source",
    interfaces: [{ class: 0xff, endpoints: { source: bulkIn() } }],
  })],
});
const { source } = gadget.functions.source.endpoints;
await gadget.functions.source.enabled();

/** Runs `send` until TOTAL bytes are sent, DEPTH times at once. */
async function stream(sends: (() => Promise<unknown>)[]): Promise<void> {
  let left = TOTAL / SIZE;
  await Promise.all(sends.map(async (send) => {
    while (left-- > 0) await send();
  }));
}

const chunks = Array.from(
  { length: DEPTH },
  (_, n) => new Uint8Array(SIZE).fill(n + 1),
);
const buffers = chunks.map(() => DmaBuffer.allocate(SIZE));
const attachments = await Promise.all(buffers.map(async (buffer, index) => {
  await buffer.access("write", (bytes) => bytes.set(chunks[index]));
  return await source.attach(buffer);
}));
const ways = {
  "write": chunks.map((chunk) => () => source.write(chunk)),
  "DMABUF": attachments.map((each) => () => each.transfer(SIZE)),
};

const results: Record<string, number[]> = { write: [], DMABUF: [] };
console.log(`${TOTAL >> 20} MiB to the host, ${DEPTH} x ${SIZE >> 20} MiB:`);
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, sends] of Object.entries(ways)) {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "--import-map=tests/import_map.json",
        import.meta.url,
        "host",
      ],
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
    const before = cpuTime();
    const start = performance.now();
    await stream(sends);
    const { user, system } = cpuTime();
    const seconds = (performance.now() - start) / 1000;
    if (!(await process.status).success) throw new Error("The host failed");
    const cpu = user - before.user + system - before.system;
    results[name].push(cpu);
    console.log(
      `${name.padEnd(8)} ${cpu.toFixed(2)} s of CPU time ` +
        `(${(user - before.user).toFixed(2)} user, ` +
        `${(system - before.system).toFixed(2)} system), ` +
        `${seconds.toFixed(1)} s in total, including the start of the host`,
    );
  }
}
const median = (values: number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1];
const ratio = median(results.DMABUF) / median(results.write);
console.log(`DMABUF takes ${ratio.toFixed(2)} times the CPU time of write`);
for (const buffer of buffers) await buffer.close();
Deno.exit(0);
