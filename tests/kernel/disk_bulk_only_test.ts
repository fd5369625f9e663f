// VM: a class of device
/**
 * Bulk-Only Transport of a disk: commands that are none, reset recovery, several
 * logical units, and the class requests.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { PHASES } from "../support/disk/abandon.ts";
import { type DiskBench, startDisk } from "../support/disk/bench.ts";
import {
  inquiry,
  read10,
  reportLuns,
  testUnitReady,
  write10,
} from "../support/disk/cdb.ts";
import { blockContents, TestDisk } from "../support/disk/test_disk.ts";
import { outcome } from "../support/gadgets/control.ts";
import {
  type CommandWrapper,
  encodeCbw,
} from "../support/host/bulk_only_host.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { until } from "../support/waiting/until.ts";
import { staysPending } from "../support/waiting/settling.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
const BLOCK = 512;
/** GET_MAX_LUN and BULK_ONLY_RESET. */
const requests = { requestType: 0x21, maxLun: 0xfe, reset: 0xff };

/** Both endpoints are halted, or will be in a moment. */
async function assertHalted({ host }: DiskBench, why: string): Promise<void> {
  assertEquals(await outcome(host.pipe.receive(PACKET)), "EPIPE", why);
  assertEquals(
    await outcome(host.pipe.send(new Uint8Array(31))),
    "EPIPE",
    why,
  );
}

/** Transfers that are no commands, or commands that make no sense. */
function* invalidCommands(): Generator<[name: string, data: Uint8Array]> {
  const write: CommandWrapper & { tag: number } = {
    cdb: write10(0, 1),
    length: BLOCK,
    direction: "out",
    tag: 7,
  };
  const cbw = encodeCbw(write);
  for (const length of [0, 1, 13, 30, 32, 63, PACKET - 1, PACKET]) {
    const data = new Uint8Array(length);
    data.set(cbw.subarray(0, length));
    yield [`${length} bytes`, data];
  }
  const fields = (changed: Partial<CommandWrapper>) =>
    encodeCbw({ ...write, ...changed });
  for (const signature of [0, 0x53425355, 0x55534243, 0x43425354]) {
    yield [`signature ${signature.toString(16)}`, fields({ signature })];
  }
  for (let bit = 0; bit < 7; bit++) {
    yield [`flag ${bit}`, fields({ flags: 1 << bit })];
  }
  for (let bit = 4; bit < 8; bit++) {
    yield [`bit ${bit} of the LUN`, fields({ lun: 1 << bit })];
  }
  for (const cdbLength of [0, 17, 31, 10 | 0x20, 10 | 0x80]) {
    yield [`CDB length ${cdbLength}`, fields({ cdbLength })];
  }
}

for (const stall of [true, false]) {
  const how = stall ? "" : ', also with "stall: false"';
  Deno.test(`what is no valid command halts both endpoints until reset recovery${how}`, async () => {
    const disk = new TestDisk();
    await using bench = await startDisk({
      luns: [disk, new TestDisk()],
      stall,
    });
    const { host } = bench;
    for (const [name, data] of invalidCommands()) {
      disk.takeLog();
      await host.pipe.send(new Uint8Array(data));
      await assertHalted(bench, name);
      // To clear the halts is not enough.
      for (let round = 0; round < 2; round++) {
        await host.pipe.clearHalt("in");
        await host.pipe.clearHalt("out");
        await outcome(
          host.command({
            cdb: write10(0, 1),
            length: BLOCK,
            direction: "out",
          }),
        );
        await assertHalted(bench, `${name}, command ${round}`);
      }
      assertEquals(disk.takeLog(), [], name);
      await host.recover();
      assertEquals(
        await host.pass(read10(5, 2), { receive: 2 * BLOCK }),
        blockContents(5, 2),
        name,
      );
    }
    await host.pipe.send(new Uint8Array(30));
    await assertHalted(bench, "30 bytes");
    await bench.resetPort();
    await host.pass(testUnitReady());
    assertEquals(disk.blocks(0), blockContents(0));
    assertEquals(bench.errors, []);
  });
}

const OLD = 1024;
const MAX_COUNT = 256;

/** A command that is abandoned in a phase, and what is right after `recover`. */
async function abandon(
  bench: DiskBench,
  disk: TestDisk,
  phase: string,
  random: Random,
  recover: () => Promise<void>,
): Promise<void> {
  const lba = OLD + random.int(0, 500);
  const count = random.int(1, MAX_COUNT);
  const before = disk.blocks(lba, count);
  const data = pattern(count * BLOCK, random.int(0, 255));
  const what = { lba, count, data };
  await PHASES[phase](bench.host, what, random);
  await recover();
  const { host } = bench;
  // The first command has its own data.
  const first = random.int(0, 500);
  const length = random.int(1, 300);
  assertEquals(
    await host.pass(read10(first, length), { receive: length * BLOCK }),
    blockContents(first, length),
  );
  // The old command has written whole blocks of its own data, or nothing.
  const after = disk.blocks(lba, count);
  for (let block = 0; block < count; block++) {
    const range = [block * BLOCK, (block + 1) * BLOCK];
    const now = after.subarray(...range);
    const either = [before, data].some((it) =>
      it.subarray(...range).every((byte, index) => byte === now[index])
    );
    assert(either, `block ${block} of ${count}`);
  }
  // Now it does not write any more.
  const newer = pattern(count * BLOCK, random.int(0, 255));
  await host.pass(write10(lba, count), { send: newer });
  await host.pass(testUnitReady());
  assertEquals(disk.blocks(lba, count), newer);
  assertEquals(
    await host.pass(read10(lba, count), { receive: count * BLOCK }),
    newer,
  );
  assertEquals(disk.overlaps, 0);
}

for (const delay of [undefined, 2]) {
  const kind = delay === undefined ? "synchronous" : "slow";
  Deno.test(`reset recovery ends a command in each phase: a ${kind} disk`, async () => {
    const seed = testSeed();
    console.log(`GADGET_SEED=${seed}`);
    const random = new Random(seed);
    const disk = new TestDisk({ delay });
    await using bench = await startDisk({ luns: [disk] });
    for (let round = 0; round < soak(100, 4); round++) {
      for (const phase of Object.keys(PHASES)) {
        try {
          await abandon(
            bench,
            disk,
            phase,
            random,
            () => bench.host.recover(),
          );
        } catch (cause) {
          throw new Error(`Round ${round}, ${phase}`, { cause });
        }
      }
    }
    assertEquals(bench.errors, []);
  });
}

Deno.test("a command that was abandoned writes nothing after a later one", async () => {
  const disk = new TestDisk({ blockCount: 8192 });
  const other = new TestDisk({ salt: 1 });
  await using bench = await startDisk({ luns: [disk, other] });
  const { host } = bench;
  for (const phase of ["in the data", "after the data"]) {
    const isPart = phase === "in the data";
    const count = isPart ? 2000 : 8;
    disk.takeLog();
    disk.hold();
    const old = pattern(count * BLOCK, 1);
    await host.command({
      cdb: write10(0, count),
      length: old.length,
      direction: "out",
    });
    // The device takes as much as it has memory for, while the disk does nothing.
    const stop = new AbortController();
    const sending = outcome(host.pipe.send(old, { signal: stop.signal }));
    await until(() => disk.busy, "the disk writes");
    if (isPart) stop.abort();
    assertEquals(await sending, isPart ? "ENOENT" : old.length);
    await host.recover();
    assertEquals(disk.busy, true, "the first operation has not ended");
    // Another unit does not wait for it, and neither does what needs no disk.
    assertEquals(
      await host.pass(read10(1, 1), { receive: BLOCK, lun: 1 }),
      blockContents(1, 1, { salt: 1 }),
    );
    const newer = pattern(8 * BLOCK, 2);
    const written = host.pass(write10(0, 8), { send: newer });
    assertEquals(await staysPending(written), true, "it has not waited");
    assertEquals(disk.takeLog().length, 1);
    disk.release();
    await written;
    assertEquals(disk.takeLog(), ["write 0+8"]);
    assertEquals(disk.blocks(0, 8), newer);
    assertEquals(disk.overlaps, 0);
  }
  // A read: what it has read is lost.
  disk.hold();
  await host.command({ cdb: read10(4000, 100), length: 51_200 });
  await until(() => disk.busy, "the disk reads");
  await host.recover();
  const reading = host.pass(read10(5000, 1), { receive: BLOCK });
  assertEquals(await staysPending(reading), true, "it has not waited");
  disk.release();
  assertEquals(await reading, blockContents(5000));
  assertEquals(bench.errors, []);
});

Deno.test("a reset of the port ends a command in each phase", async () => {
  const seed = testSeed();
  console.log(`GADGET_SEED=${seed}`);
  const random = new Random(seed);
  const disk = new TestDisk({ delay: 1 });
  await using bench = await startDisk({ luns: [disk] });
  for (let round = 0; round < soak(10, 1); round++) {
    for (const phase of Object.keys(PHASES)) {
      await abandon(bench, disk, phase, random, () => bench.resetPort());
    }
  }
  assertEquals(bench.errors, []);
});

Deno.test("an unplugged cable ends a command in each phase", async () => {
  const seed = testSeed();
  console.log(`GADGET_SEED=${seed}`);
  const random = new Random(seed);
  const disk = new TestDisk({ delay: 1 });
  await using bench = await startDisk({ luns: [disk] });
  for (let round = 0; round < soak(10, 1); round++) {
    for (const phase of Object.keys(PHASES)) {
      await abandon(bench, disk, phase, random, () => bench.replug());
    }
  }
  assertEquals(bench.errors, []);
});

Deno.test("a logical unit that does not exist says so, also behind the last one", async () => {
  await using bench = await startDisk({ luns: [new TestDisk()] });
  const { host } = bench;
  for (const lun of [1, 2, 15]) {
    for (const receive of [0, BLOCK]) {
      assertEquals(
        await host.fail(read10(0, 1), { receive, lun }),
        "5/25/00",
      );
    }
    const send = new Uint8Array(BLOCK);
    assertEquals(await host.fail(write10(0, 1), { send, lun }), "5/25/00");
    assertEquals((await host.ask(inquiry(), 255, lun))[0], 0x7f);
    assertEquals((await host.ask(reportLuns(), 256, lun)).length, 16);
    assertEquals(
      await host.fail(inquiry(255, 0), { receive: 255, lun }),
      "5/25/00",
    );
  }
  await host.pass(testUnitReady());
});

Deno.test("class requests with a wrong value, length or interface are stalled", async () => {
  await using bench = await startDisk({
    luns: [new TestDisk(), new TestDisk(), new TestDisk()],
  });
  const { host, host: { device } } = bench;
  const { requestType } = requests;
  assertEquals(await host.maxLun(), 2);
  const maxLun = { requestType, request: requests.maxLun, length: 1 };
  const reset = { requestType, request: requests.reset };
  for (
    const wrong of [
      device.controlIn({ ...maxLun, value: 1 }),
      device.controlIn({ ...maxLun, length: 0 }),
      device.controlIn({ ...maxLun, length: 2 }),
      device.controlOut({ ...reset, value: 1 }),
      device.controlOut(reset, new Uint8Array(1)),
      device.controlOut({ ...reset, request: 0xfc }),
      device.controlIn({ ...reset, length: 1 }),
    ]
  ) {
    assertEquals(await outcome<unknown>(wrong), "EPIPE");
  }
  // A wrong reset has reset nothing.
  await host.command({ cdb: inquiry(36), length: 36 });
  assertEquals(
    await outcome(device.controlOut({ ...reset, value: 1 })),
    "EPIPE",
  );
  assertEquals((await host.pipe.receive(36)).length, 36);
  assertEquals(await host.status(), { status: 0, residue: 0 });
});

Deno.test("each of 16 logical units has its own contents and its own sense", async () => {
  const disks = Array.from(
    { length: 16 },
    (_, salt) => new TestDisk({ salt, blockCount: 64 + salt }),
  );
  await using bench = await startDisk({ luns: disks });
  const { host } = bench;
  assertEquals(await host.maxLun(), 15);
  for (const [lun, disk] of disks.entries()) {
    assertEquals(
      await host.pass(read10(lun, 4), { receive: 4 * BLOCK, lun }),
      blockContents(lun, 4, { salt: lun }),
    );
    const data = pattern(2 * BLOCK, lun);
    await host.pass(write10(1, 2), { send: data, lun });
    assertEquals(disk.blocks(1, 2), data);
  }
  // The last block of each, and one more.
  for (const lun of disks.keys()) {
    const { status } = await host.run(read10(63 + lun, 2), {
      receive: 2 * BLOCK,
      lun,
    });
    assertEquals(status, 1);
  }
  for (const lun of disks.keys()) {
    assertEquals(await host.sense(lun), "5/21/00");
    assertEquals(await host.sense(lun), "0/00/00");
  }
  assertEquals(bench.errors, []);
});
