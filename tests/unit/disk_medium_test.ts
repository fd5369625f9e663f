/**
 * Drives whose medium comes and goes: what their commands report, and when the
 * program and the host can take it out.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type { BlockDevice } from "@usb/gadget/mass-storage";
import {
  inquiry,
  modeSense6,
  preventRemoval,
  read10,
  readCapacity10,
  readCapacity16,
  reportLuns,
  StartStop,
  startStop,
  synchronizeCache10,
  testUnitReady,
  verify10,
  write10,
} from "../support/disk/cdb.ts";
import { serveDisk } from "../support/disk/memory_bench.ts";
import { blockContents, TestDisk } from "../support/disk/test_disk.ts";
import { staysPending } from "../support/waiting/settling.ts";

const NO_MEDIUM = "2/3a/00";
const CHANGED = "6/28/00";
const LOCKED = "5/53/02";
const INVALID_FIELD = "5/24/00";
const BLOCK = 512;

Deno.test("without a medium, what needs one fails, and the rest does not", async () => {
  await using bench = serveDisk({ luns: [{}, new TestDisk()] });
  const { host, storage } = bench;
  assertEquals(storage.luns[0].medium, undefined);
  const send = new Uint8Array(BLOCK);
  for (
    const [cdb, phase] of [
      [testUnitReady(), {}],
      [readCapacity10(), { receive: 8 }],
      [readCapacity16(), { receive: 32 }],
      [read10(0, 1), { receive: BLOCK }],
      [read10(0, 0), {}],
      [write10(0, 1), { send }],
      [verify10(0, 1), {}],
      [synchronizeCache10(), {}],
      [startStop(StartStop.start), {}],
    ] as const
  ) {
    assertEquals(await host.fail(cdb, phase), NO_MEDIUM, cdb.join(" "));
  }
  await host.ask(inquiry(), 255);
  await host.ask(inquiry(255, 0xb2), 255);
  await host.ask(modeSense6(0x3f), 255);
  await host.ask(reportLuns(), 256);
  await host.pass(startStop(StartStop.stop));
  await host.pass(testUnitReady(), { lun: 1 });
});

Deno.test("a medium from the start is no news; an inserted one is, once", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({ luns: [disk, {}] });
  const { host, storage: { luns: [first, second] } } = bench;
  await host.pass(testUnitReady());
  assertStrictEquals(first.medium, disk);
  const other = new TestDisk({ salt: 1, blockCount: 10 });
  second.insert(other);
  // These do not wait for the host to have noticed.
  await host.ask(inquiry(), 255, 1);
  await host.ask(reportLuns(), 256, 1);
  await host.pass(testUnitReady(), { lun: 0 });
  assertEquals(await host.fail(testUnitReady(), { lun: 1 }), CHANGED);
  assertEquals(await host.sense(1), "0/00/00");
  assertEquals(
    (await host.pass(readCapacity10(), { receive: 8, lun: 1 })).toHex(),
    "0000000900000200",
  );
  assertEquals(
    await host.pass(read10(3, 1), { receive: BLOCK, lun: 1 }),
    blockContents(3, 1, { salt: 1 }),
  );
  // The first command may be any.
  assertStrictEquals(await second.eject(), other);
  assertEquals(await host.fail(testUnitReady(), { lun: 1 }), NO_MEDIUM);
  second.insert(disk);
  assertEquals(
    await host.fail(write10(0, 1), { send: new Uint8Array(BLOCK), lun: 1 }),
    CHANGED,
  );
  assertEquals(disk.takeLog(), []);
  await host.pass(testUnitReady(), { lun: 1 });
  // REQUEST SENSE reports it, and then it is known.
  await second.eject();
  second.insert(disk);
  assertEquals(await host.sense(1), CHANGED);
  assertEquals(await host.sense(1), "0/00/00");
  await host.pass(testUnitReady(), { lun: 1 });
  // A change that is undone before the host has looked
  await second.eject();
  second.insert(disk);
  await second.eject();
  assertEquals(await host.fail(testUnitReady(), { lun: 1 }), NO_MEDIUM);
  assertEquals(await host.fail(testUnitReady(), { lun: 1 }), NO_MEDIUM);
});

Deno.test("only one medium is in a drive, and it has to suit it", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({
    luns: [disk, {}, { type: "cdrom" }, { medium: disk, removable: false }],
  });
  const [first, empty, cd, fixed] = bench.storage.luns;
  assertThrows(() => first.insert(disk), TypeError, "unit 0");
  const odd = (blockSize: number) => ({ blockSize, blockCount: 8, read() {} });
  for (const size of [0, 1, 256, 2048, 1024, 8192, NaN]) {
    assertThrows(() => empty.insert(odd(size)), RangeError, "unit 1");
  }
  assertThrows(() => cd.insert(odd(512)), RangeError, "unit 2");
  for (const wrong of [undefined, null, 7, {}, { read: 7 }]) {
    assertThrows(
      () => empty.insert(wrong as unknown as BlockDevice),
      TypeError,
    );
  }
  assertEquals(empty.medium, undefined);
  assertThrows(() => fixed.insert(disk), TypeError, "not removable");
  await assertRejects(() => fixed.eject(), TypeError, "not removable");
  await assertRejects(
    () => first.eject({ forced: true } as unknown as { force: true }),
    TypeError,
    "forced",
  );
  assertEquals(await empty.eject(), undefined);
  assertStrictEquals(first.medium, disk);
});

Deno.test("the host ejects the medium: it is flushed, and onEject has it", async () => {
  const disk = new TestDisk();
  const ejected: BlockDevice[] = [];
  await using bench = serveDisk({
    luns: [{ medium: disk, onEject: (medium) => ejected.push(medium) }],
  });
  const { host, storage: { luns: [unit] } } = bench;
  // Without LOEJ, it stays.
  for (const bits of [StartStop.stop, StartStop.start, StartStop.load]) {
    await host.pass(startStop(bits));
    assertStrictEquals(unit.medium, disk);
  }
  disk.takeLog();
  await host.pass(startStop(StartStop.eject));
  assertEquals(disk.takeLog(), ["flush"]);
  assertEquals(ejected, [disk]);
  assertEquals(unit.medium, undefined);
  assertEquals(await host.fail(testUnitReady()), NO_MEDIUM);
  // An empty drive has nothing to eject, and nothing to load.
  await host.pass(startStop(StartStop.eject));
  assertEquals(ejected.length, 1);
  assertEquals(await host.fail(startStop(StartStop.load)), NO_MEDIUM);
  unit.insert(disk);
  assertEquals(await host.fail(testUnitReady()), CHANGED);
  // What the program takes out is not reported to it.
  await unit.eject();
  assertEquals(ejected.length, 1);
  for (const power of [1, 2, 3, 7, 10, 11, 15]) {
    assertEquals(await host.fail(startStop(0, power)), INVALID_FIELD);
  }
});

Deno.test("a medium that cannot be flushed is not ejected", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({ luns: [disk] });
  const { host, storage: { luns: [unit] } } = bench;
  const failing: BlockDevice = {
    ...disk.without("flush"),
    flush: () => Promise.reject(new Error("Cannot flush")),
  };
  await unit.eject();
  unit.insert(failing);
  assertEquals(await host.fail(testUnitReady()), CHANGED);
  const sense = await host.fail(startStop(StartStop.eject));
  assertEquals(sense.slice(0, 4), "3/0c");
  assertEquals(await host.fail(synchronizeCache10()), sense);
  assertStrictEquals(unit.medium, failing);
});

Deno.test("a locked medium stays, for the host and for the program", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({ luns: [disk, new TestDisk()] });
  const { host, storage: { luns: [unit, other] } } = bench;
  await host.pass(preventRemoval(1));
  assertEquals([unit.locked, other.locked], [true, false]);
  assertEquals(await host.fail(startStop(StartStop.eject)), LOCKED);
  assertStrictEquals(unit.medium, disk);
  // The program waits.
  const waiting = unit.eject();
  assert(await staysPending(waiting), "a locked medium was taken");
  await host.pass(read10(0, 1), { receive: BLOCK });
  await host.pass(preventRemoval(1));
  await host.pass(preventRemoval(0));
  assertStrictEquals(await waiting, disk);
  assertEquals(unit.medium, undefined);
  assertEquals(await host.fail(testUnitReady()), NO_MEDIUM);
  // A lock of an empty drive locks what is inserted.
  unit.insert(disk);
  assertEquals(await host.fail(testUnitReady()), CHANGED);
  await host.pass(preventRemoval(1));
  // A signal ends the wait.
  const stop = new AbortController();
  const aborted = assertRejects(
    () => unit.eject({ signal: stop.signal }),
    Error,
    "enough",
  );
  stop.abort(new Error("enough"));
  await aborted;
  assertStrictEquals(unit.medium, disk);
  // Force does not wait.
  assertStrictEquals(await unit.eject({ force: true }), disk);
  assertEquals(unit.locked, false);
  assertEquals(await host.fail(testUnitReady()), NO_MEDIUM);
});

Deno.test("a program that waits gets nothing if the host ejects first", async () => {
  const disk = new TestDisk();
  const ejected: BlockDevice[] = [];
  await using bench = serveDisk({
    luns: [{ medium: disk, onEject: (medium) => ejected.push(medium) }],
  });
  const { host, storage: { luns: [unit] } } = bench;
  await host.pass(preventRemoval(1));
  const waiting = [unit.eject(), unit.eject()];
  // The host unlocks and ejects, as one that was asked to does.
  const unlocked = host.pass(preventRemoval(0));
  const results = await Promise.all(waiting);
  await unlocked;
  assertEquals(results.filter((it) => it !== undefined), [disk]);
  assertEquals(ejected, []);
  await host.pass(startStop(StartStop.eject));
  assertEquals(ejected, []);
});

Deno.test("a lock ends with the session, and so does the program's wait", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({ luns: [disk] });
  const { storage: { luns: [unit] } } = bench;
  await bench.host.pass(preventRemoval(1));
  const waiting = unit.eject();
  assert(await staysPending(waiting), "a locked medium was taken");
  await bench.reconnect();
  assertStrictEquals(await waiting, disk);
  assertEquals(unit.locked, false);
  assertEquals(await bench.host.fail(testUnitReady()), NO_MEDIUM);
});

Deno.test("eject() waits for the command that uses the medium", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({ luns: [disk] });
  const { host, storage: { luns: [unit] } } = bench;
  disk.hold();
  const reading = host.pass(read10(0, 8), { receive: 8 * BLOCK });
  assert(await staysPending(reading), "the disk did not hold it");
  const ejecting = unit.eject();
  assert(await staysPending(ejecting), "a busy medium was taken");
  disk.release();
  assertEquals(await reading, blockContents(0, 8));
  assertStrictEquals(await ejecting, disk);
});

Deno.test("force takes a medium in the middle of a command, which goes on without effect on the next medium", async () => {
  const disk = new TestDisk();
  const next = new TestDisk({ salt: 1 });
  await using bench = serveDisk({ luns: [disk] });
  const { host, storage: { luns: [unit] } } = bench;
  disk.hold();
  const send = new Uint8Array(8 * BLOCK).fill(7);
  const writing = host.run(write10(0, 8), { send });
  assert(await staysPending(writing), "the disk did not hold it");
  assertStrictEquals(await unit.eject({ force: true }), disk);
  unit.insert(next);
  disk.release();
  await writing;
  assertEquals(await host.fail(testUnitReady()), CHANGED);
  assertEquals(next.takeLog(), []);
  assertEquals(
    await host.pass(read10(0, 8), { receive: 8 * BLOCK }),
    blockContents(0, 8, { salt: 1 }),
  );
});

Deno.test("a fixed disk cannot be locked, ejected or changed", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({ luns: [{ medium: disk, removable: false }] });
  const { host, storage: { luns: [unit] } } = bench;
  await host.pass(startStop(StartStop.stop));
  await host.pass(startStop(StartStop.start));
  assertEquals(await host.fail(startStop(StartStop.eject)), INVALID_FIELD);
  assertEquals(await host.fail(startStop(StartStop.load)), INVALID_FIELD);
  const sense = await host.fail(preventRemoval(1));
  assert(["5/20/00", INVALID_FIELD].includes(sense), sense);
  assertEquals(unit.locked, false);
  assertStrictEquals(unit.medium, disk);
});

Deno.test("an onEject that throws is reported, and the medium is out", async () => {
  const disk = new TestDisk();
  const bench = serveDisk({
    luns: [{
      medium: disk,
      onEject() {
        throw new Error("Not now");
      },
    }],
  });
  await bench.host.pass(startStop(StartStop.eject));
  assertEquals(bench.storage.luns[0].medium, undefined);
  assertEquals(await bench.host.fail(testUnitReady()), NO_MEDIUM);
  // The bench fails for what was reported.
  await assertRejects(() => bench[Symbol.asyncDispose](), Error, "Not now");
});
