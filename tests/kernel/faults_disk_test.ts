// VM: any speed, newest kernel
/**
 * A disk with faults: usb-storage and the SCSI layer of Linux recover from each of
 * them, and a seed repeats a run.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { Gadget } from "@usb/gadget";
import { MassStorage, memoryDisk } from "@usb/gadget/mass-storage";
import {
  type FaultPlan,
  type FaultRule,
  faultsOf,
  withFaults,
} from "@usb/gadget/testing";
import { firstDifference } from "../support/data/pattern.ts";
import { findDisk } from "../support/host/disk.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { until } from "../support/waiting/until.ts";

const SIZE = 8 << 20;
const BLOCK = 65_536;
const NODE = "/tmp/faulty";
const DATA = "/tmp/faulty.data";

/** The data phase of the tests' own reads: nothing else is that large. */
const READS = { endpoint: "link", direction: "in", minSize: BLOCK } as const;
/** Status wrappers are the only transfers of this size. */
const STATUS = {
  endpoint: "link",
  direction: "in",
  minSize: 13,
  maxSize: 13,
} as const;

/** Starts a disk whose code knows nothing of its faults. */
async function startDisk(plan: FaultPlan) {
  const storage = new MassStorage({ luns: [memoryDisk(SIZE)] });
  const disk = withFaults(storage, plan);
  const gadget = await Gadget.start({
    vendorId: 0x1209,
    productId: 0x0001,
    serialNumber: "000000000001",
    functions: [disk],
  });
  await nextDisk();
  return {
    gadget,
    get record() {
      return faultsOf(disk);
    },
    async [Symbol.asyncDispose]() {
      await gadget.stop();
      await until(() => findDisk(SIZE) === undefined, "the disk is gone");
      await shell(`rm -f ${NODE} ${DATA}`);
    },
  };
}

/** Waits for the disk, makes a node for it, and returns its folder in sysfs. */
async function nextDisk(): Promise<string> {
  await until(() => findDisk(SIZE) !== undefined, "Linux has the disk");
  const path = `/sys/block/${findDisk(SIZE)}`;
  const number = await Deno.readTextFile(`${path}/dev`);
  await shell(`rm -f ${NODE}; mknod ${NODE} b ${number.replace(":", " ")}`);
  return path;
}

/** Reads blocks; fails unless they are what was written. */
async function readBack(expected: Uint8Array): Promise<void> {
  const count = expected.length / BLOCK;
  await shell(
    `dd if=${NODE} of=${DATA} bs=64k count=${count} iflag=direct 2>&1`,
  );
  const back = await Deno.readFile(DATA);
  assertEquals(back.length, expected.length);
  assertEquals(firstDifference(back, expected), -1);
}

async function write(data: Uint8Array): Promise<void> {
  await Deno.writeFile(DATA, data);
  await shell(`dd if=${DATA} of=${NODE} bs=64k oflag=direct 2>&1`);
}

function randomBlocks(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count * BLOCK);
  for (let at = 0; at < bytes.length; at += BLOCK) {
    crypto.getRandomValues(bytes.subarray(at, at + BLOCK));
  }
  return bytes;
}

async function withDriver(body: () => Promise<void>): Promise<void> {
  const before = gadgetTraces();
  await shell("modprobe usb-storage; modprobe sd_mod");
  await body();
  await shell("modprobe -r usb-storage");
  assertEquals(gadgetTraces(), before);
}

const cases: [name: string, rule: FaultRule][] = [
  ["a stall in place of data", { ...READS, fault: "stall", at: 2 }],
  ["a stall in the middle of data", {
    ...READS,
    fault: "stall",
    bytes: 4096,
    at: 2,
  }],
  ["short data", { ...READS, fault: "shorten", bytes: 1000, at: 2 }],
  ["a late status", { ...STATUS, fault: "delay", ms: 400, every: 5 }],
];

for (const [name, rule] of cases) {
  Deno.test(`usb-storage recovers from ${name}`, () =>
    withDriver(async () => {
      await using disk = await startDisk({ rules: [rule] });
      const data = randomBlocks(4);
      await write(data);
      await readBack(data);
      const { faults } = disk.record;
      assert(faults.length > 0, "nothing was injected");
      assert(faults.every(({ fault }) => fault === rule.fault));
    }));
}

for (
  const [name, rule] of [
    ["a status that comes after its timeout", {
      ...STATUS,
      fault: "delay",
      ms: 12_000,
    }],
    ["a command that is lost", {
      endpoint: "link",
      direction: "out",
      fault: "drop",
      maxSize: 31,
    }],
  ] as const
) {
  Deno.test(`usb-storage recovers from ${name}, by a reset`, () =>
    withDriver(async () => {
      // The commands of Linux before the first block is read, and that one.
      let at = 0;
      {
        const rule = { ...STATUS, fault: "delay", ms: 0, every: 1 } as const;
        await using disk = await startDisk({ rules: [rule] });
        await readBack(new Uint8Array(BLOCK));
        at = disk.record.faults.length + 1;
      }
      await using disk = await startDisk({ rules: [{ ...rule, at }] });
      const path = await nextDisk();
      await Deno.writeTextFile(`${path}/device/timeout`, "6");
      await readBack(new Uint8Array(4 * BLOCK));
      assertEquals(disk.record.faults.length, 1);
    }));
}

Deno.test("usb-storage finds the disk again when it was unplugged in the middle of a read", () =>
  withDriver(async () => {
    // Linux takes a disk that is back sooner for the same, and reads on.
    await using disk = await startDisk({
      rules: [{ ...READS, fault: "disconnect", ms: 2000, at: 2 }],
    });
    const data = randomBlocks(4);
    await write(data);
    let failed = false;
    await readBack(data).catch(() => failed = true);
    assert(failed, "the read has survived");
    await until(() => disk.gadget.bound, "the gadget is plugged");
    await until(
      () => disk.gadget.functions.disk.state === "enabled",
      "the host has configured it again",
    );
    await nextDisk();
    await readBack(data);
    assertEquals(disk.record.faults, [{
      rule: 0,
      transfer: 2,
      endpoint: "link",
      direction: "in",
      fault: "disconnect",
    }]);
  }));

Deno.test("a seed gives the same faults twice, and another seed others", () =>
  withDriver(async () => {
    const data = new Uint8Array(40 * BLOCK);
    const run = async (seed: number) => {
      await using disk = await startDisk({
        seed,
        rules: [
          { ...READS, fault: "stall", probability: 0.1 },
          { ...READS, fault: "shorten", bytes: 500, probability: 0.1 },
        ],
      });
      await readBack(data);
      return disk.record.faults;
    };
    const first = await run(1);
    assert(first.length > 2, `${first.length} faults`);
    assertEquals(await run(1), first);
    const { stringify } = JSON;
    assert(stringify(await run(2)) !== stringify(first), "the same faults");
  }));
