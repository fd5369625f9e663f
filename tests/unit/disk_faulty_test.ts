import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type BlockDevice,
  type DiskFaultRule,
  type FaultyDisk,
  faultyDisk,
  memoryDisk,
  readOnly,
  SenseError,
} from "../../src/classes/mass_storage/mod.ts";
import { readBlocks } from "../support/data/disk_blocks.ts";
import { pattern } from "../support/data/pattern.ts";

const CONTENTS = pattern(64 * 512);

/** A disk that has all methods; `wait` makes them asynchronous. */
function wholeDisk(wait = false): BlockDevice & { flushes: number } {
  const memory = memoryDisk(CONTENTS);
  const maybe = (work: () => void) =>
    wait ? Promise.resolve().then(work) : work();
  const disk = {
    ...memory,
    flushes: 0,
    read: (lba: number, into: Uint8Array<ArrayBuffer>) =>
      maybe(() => memory.read(lba, into)),
    write: (lba: number, from: Uint8Array<ArrayBuffer>) =>
      maybe(() => memory.write(lba, from)),
    discard: (lba: number, count: number) =>
      maybe(() => memory.discard(lba, count)),
    flush: () =>
      maybe(() => {
        disk.flushes++;
      }),
  };
  return disk;
}

async function failure(call: () => void | Promise<void>): Promise<SenseError> {
  return await assertRejects(async () => await call(), SenseError);
}

for (const wait of [false, true]) {
  const how = wait ? "asynchronous" : "synchronous";

  Deno.test(`faultyDisk() fails a read at its blocks only, ${how}`, async () => {
    const rule: DiskFaultRule = { operation: "read", lba: 10, count: 2 };
    const disk = faultyDisk(wholeDisk(wait), { rules: [rule] });
    const into = new Uint8Array(8 * 512).fill(0xee);
    const error = await failure(() => disk.read(7, into));
    assertEquals([error.sense, error.lba], ["unrecovered read error", 10]);
    assertEquals(into.subarray(0, 3 * 512), CONTENTS.slice(7 * 512, 10 * 512));
    assert(into.subarray(3 * 512).every((it) => it === 0xee));
    assertEquals((await failure(() => disk.read(11, into))).lba, 11);
    for (const [lba, count] of [[0, 10], [12, 52]]) {
      assertEquals(
        await readBlocks(disk, lba, count),
        CONTENTS.slice(lba * 512, (lba + count) * 512),
      );
    }
    await disk.write!(10, new Uint8Array(512));
    const fault = { rule, operation: "read", fault: "error" } as const;
    assertEquals(disk.faults, [{ ...fault, lba: 10 }, { ...fault, lba: 11 }]);
  });

  Deno.test(`faultyDisk() writes and discards the blocks before the bad one, ${how}`, async () => {
    const disk = faultyDisk(wholeDisk(wait), {
      rules: [{ operation: "write", lba: 10 }, {
        operation: "discard",
        lba: 20,
      }],
    });
    const error = await failure(() => disk.write!(8, new Uint8Array(4 * 512)));
    assertEquals([error.sense, error.lba], ["write error", 10]);
    const another = await failure(() => disk.discard!(18, 4));
    assertEquals([another.sense, another.lba], ["write error", 20]);
    const expected = CONTENTS.slice();
    expected.fill(0, 8 * 512, 10 * 512);
    expected.fill(0, 18 * 512, 20 * 512);
    assertEquals(await readBlocks(disk, 0, 64), expected);
  });

  Deno.test(`faultyDisk() fails a flush, ${how}`, async () => {
    const inner = wholeDisk(wait);
    const disk = faultyDisk(inner, {
      rules: [{ operation: "flush", times: 1 }],
    });
    const error = await failure(() => disk.flush!());
    assertEquals([error.sense, error.lba], ["write error", undefined]);
    assertEquals(inner.flushes, 0);
    await disk.flush!();
    assertEquals(inner.flushes, 1);
    assertEquals(disk.faults.map(({ lba }) => lba), [undefined]);
  });
}

Deno.test("faultyDisk() fails every operation if a rule names none, and a flush only without a block", async () => {
  const disk = faultyDisk(wholeDisk(), { rules: [{ lba: 3 }] });
  const block = new Uint8Array(512);
  assertEquals((await failure(() => disk.read(3, block))).lba, 3);
  assertEquals((await failure(() => disk.write!(3, block))).lba, 3);
  assertEquals((await failure(() => disk.discard!(3, 1))).lba, 3);
  await disk.flush!();
  disk.rules = [{}];
  await failure(() => disk.flush!());
  assertEquals((await failure(() => disk.read(5, block))).lba, 5);
});

Deno.test("faultyDisk() injects the error with the first block, and its sense", async () => {
  const disk = faultyDisk(wholeDisk(), {
    rules: [
      { lba: 9 },
      { lba: 5, count: 3, sense: "internal target failure" },
      { lba: 7, sense: "medium not present" },
    ],
  });
  const all = new Uint8Array(64 * 512);
  const error = await failure(() => disk.read(0, all));
  assertEquals([error.sense, error.lba], ["internal target failure", 5]);
});

Deno.test("faultyDisk() injects a rule as many times as it says, and heals with its rules", async () => {
  const twice = { operation: "read", lba: 1, times: 2 } as const;
  const disk = faultyDisk(wholeDisk(), { rules: [twice] });
  await failure(() => disk.read(1, new Uint8Array(512)));
  await failure(() => disk.read(1, new Uint8Array(512)));
  await disk.read(1, new Uint8Array(512));
  disk.rules = [...disk.rules, { lba: 2 }];
  await disk.read(1, new Uint8Array(512)); // it was used up
  await failure(() => disk.read(2, new Uint8Array(512)));
  disk.rules = [];
  await disk.read(2, new Uint8Array(512));
  assertEquals(disk.faults.length, 3);
});

Deno.test("faultyDisk() lets an operation hang until its rule is removed", async () => {
  const rule = { operation: "read", lba: 4, fault: "hang" } as const;
  const disk = faultyDisk(wholeDisk(), { rules: [rule] });
  const hanging = readBlocks(disk, 0, 8);
  let ended = false;
  hanging.then(() => ended = true);
  await readBlocks(disk, 5, 3); // another is not concerned
  disk.rules = [rule, { operation: "write" }];
  await new Promise((resolve) => setTimeout(resolve));
  assert(!ended);
  assertEquals(disk.faults.map(({ fault, lba }) => [fault, lba]), [[
    "hang",
    4,
  ]]);
  disk.rules = [];
  assertEquals(await hanging, CONTENTS.slice(0, 8 * 512));
});

Deno.test("faultyDisk() fails an operation that has hung by the rules of that time", async () => {
  const disk = faultyDisk(wholeDisk(), { rules: [{ fault: "hang" }] });
  const hanging = failure(() => disk.read(0, new Uint8Array(512)));
  disk.rules = [{ lba: 0 }];
  assertEquals((await hanging).lba, 0);
});

Deno.test("faultyDisk() delays an operation, and then fails it", async () => {
  const disk = faultyDisk(wholeDisk(), {
    rules: [{ fault: "delay", ms: 5 }, { lba: 1 }, { fault: "delay", ms: 1 }],
  });
  const calls: string[] = [];
  const failed = failure(() => disk.read(0, new Uint8Array(1024)))
    .then(({ lba }) => calls.push(`failed at ${lba}`));
  calls.push("returned");
  await failed;
  assertEquals(calls, ["returned", "failed at 1"]);
  assertEquals(disk.faults.map(({ fault }) => fault), [
    "delay",
    "delay",
    "error",
  ]);
});

Deno.test("faultyDisk() has the methods of its disk only", () => {
  const disk = faultyDisk(readOnly(memoryDisk(512)), { rules: [] });
  assertEquals([disk.write, disk.flush, disk.discard], [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("faultyDisk() fails with what is wrong in a plan", () => {
  const disk = memoryDisk(8 * 512);
  const wrong: [unknown, string][] = [
    [{}, '"rules" must be an array, is undefined'],
    [{ rules: [], seed: 1 }, 'there is no option "seed"'],
    [{ rules: [null] }, "use rules[0]: the options must be an object, is null"],
    [{ rules: [{ fault: "eror" }] }, '"fault" must be "error" or "delay" or'],
    [{ rules: [{}, { block: 1 }] }, 'use rules[1]: there is no option "block"'],
    [{ rules: [{ operation: "erase" }] }, '"operation" must be "read" or'],
    [{ rules: [{ sense: "bad" }] }, '"sense" must be the name of a sense'],
    [{ rules: [{ fault: "delay" }] }, '"ms" must be a number, is undefined'],
    [{ rules: [{ ms: 1 }] }, '"ms" is for a "delay"'],
    [
      { rules: [{ fault: "hang", sense: "write error" }] },
      '"sense" is for an "error"',
    ],
    [{ rules: [{ count: 2 }] }, '"count" needs "lba"'],
    [{ rules: [{ operation: "flush", lba: 2 }] }, '"flush" has no "lba"'],
  ];
  for (const [plan, message] of wrong) {
    const error = assertThrows(
      () => faultyDisk(disk, plan as { rules: [] }),
      TypeError,
    );
    assert(error.message.includes(message), error.message);
  }
  for (
    const rule of [
      { lba: -1 },
      { lba: 1.5 },
      { lba: 1, count: 0 },
      { times: 0 },
      { fault: "delay", ms: -1 },
    ] as DiskFaultRule[]
  ) {
    const faulty: FaultyDisk = faultyDisk(disk, { rules: [] });
    assertThrows(() => faulty.rules = [rule], RangeError, "rules[0]");
    assertEquals(faulty.rules, []);
  }
});
