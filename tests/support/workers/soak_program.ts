/**
 * Terminates Workers repeatedly in the middle of their transfers, and checks whether
 * the host's data reaches other memory.
 *
 * ```sh
 * deno run -A soak_program.ts ROUNDS SEED LIBAIO SPEED
 * ```
 *
 * This is a separate program because the defect that it looks for sometimes ends it
 * with a segmentation fault. It prints a line on success.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Gadget } from "@usb/gadget";
import { changedBytes, makeCanaries } from "./canaries.ts";
import { bulkEndpoints } from "../host/echo.ts";
import { gadgetTraces } from "../machine/leftovers.ts";
import { Random } from "../data/random.ts";
import { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import type { WorkerOrder } from "./gadget_worker.ts";
import { ask, startWorker } from "./start.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const SIZES = [1024, 4096, 16_384];
/** The data that the host sends. */
const POISON = 0xa5;
const VENDOR_TO_INTERFACE = 0x41;
const READS = 32;

const [rounds, seed] = Deno.args.map(Number);
const [, , libaio, maxSpeed] = Deno.args;
const mod = Deno.env.get("GADGET_BUNDLE") ??
  new URL("../../../mod.ts", import.meta.url).href;
const usb = await import(mod) as { Gadget: typeof Gadget };
const random = new Random(seed);

/** Sends to an endpoint until the data is no longer taken. */
async function send(host: UsbfsDevice, size: number): Promise<void> {
  const { output } = bulkEndpoints(host);
  const data = new Uint8Array(size).fill(POISON);
  for (;;) await host.bulkOut(output, data, { timeout: 500 });
}

/** Sends on all endpoints, and resolves when no data is taken any more. */
async function sendAll(host: UsbfsDevice, size: number): Promise<void> {
  await Promise.allSettled([send(host, size), sendControl(host)]);
}

/** Sends control requests with data until they are no longer taken. */
async function sendControl(host: UsbfsDevice): Promise<void> {
  const data = new Uint8Array(4096).fill(POISON);
  const setup = { requestType: VENDOR_TO_INTERFACE, request: 1 };
  for (;;) await host.controlOut(setup, data, { timeout: 500 });
}

async function round(canary: Worker): Promise<void> {
  const size = random.pick(SIZES);
  const worker = startWorker("gadget_worker.ts");
  const order: WorkerOrder = {
    mod,
    ids,
    size,
    libaio,
    control: true,
    maxSpeed: maxSpeed as WorkerOrder["maxSpeed"],
  };
  const name = await ask<string>(worker, order);
  await using host = await UsbfsDevice.find(ids);
  await host.claimInterface(0);
  // Some have active transfers when they are terminated, others only wait.
  const early = random.chance() ? sendAll(host, READS * size) : undefined;
  await delay(random.next() * 20);
  if (random.chance()) worker.terminate();
  else worker.postMessage("close");
  const own = makeCanaries(size);
  await ask(canary, size);
  await (early ?? sendAll(host, READS * size));
  // By now the Worker's memory is certainly freed.
  let removed: string[] = [];
  while (removed.length === 0) {
    removed = await usb.Gadget.cleanUp();
    await delay(2);
  }
  if (removed.join() !== name) throw new Error(`Removed ${removed}`);
  const changed = changedBytes(own) + await ask<number>(canary, "check");
  if (changed > 0) throw new Error(`${changed} bytes of other memory changed`);
}

const before = gadgetTraces();
const canary = startWorker("canary_worker.ts");
for (let count = 0; count < rounds; count++) await round(canary);
canary.terminate();
const after = gadgetTraces();
if (after.join() !== before.join()) throw new Error(`Left behind: ${after}`);
console.log(`${rounds} Workers have ended, and no memory has changed`);
