/**
 * Commands that a host abandons, in each phase of Bulk-Only Transport.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { isTransferError } from "../../../src/testing/usbfs/transfer.ts";
import { pattern } from "../data/pattern.ts";
import { Random } from "../data/random.ts";
import { testSeed } from "../data/seed.ts";
import {
  type BulkOnlyHost,
  encodeCbw,
  stallOr,
} from "../host/bulk_only_host.ts";
import { read10, testUnitReady, write10 } from "./cdb.ts";
import { blockContents, type TestDisk } from "./test_disk.ts";

const BLOCK = 512;
/** Abandoned commands are for blocks from here on; no other blocks change. */
const OLD = 1024;

/** What an abandoned command reads or writes. */
interface Abandoned {
  readonly lba: number;
  /** Blocks of 512 bytes. */
  readonly count: number;
  /** What it writes. */
  readonly data: Uint8Array<ArrayBuffer>;
}

type Phase = (
  host: BulkOnlyHost,
  what: Abandoned,
  random: Random,
) => Promise<unknown>;

function beginRead(host: BulkOnlyHost, { lba, count }: Abandoned) {
  return host.command({ cdb: read10(lba, count), length: count * BLOCK });
}

function beginWrite(host: BulkOnlyHost, { lba, count }: Abandoned) {
  const length = count * BLOCK;
  return host.command({ cdb: write10(lba, count), length, direction: "out" });
}

/** A read of which the host expects one packet more than it has. */
function beginLongRead(host: BulkOnlyHost, { lba, count }: Abandoned) {
  const length = count * BLOCK + host.packetSize;
  return host.command({ cdb: read10(lba, count), length });
}

/** A write to a block that does not exist. */
function beginRefusedWrite(host: BulkOnlyHost, { count }: Abandoned) {
  const cdb = write10(0xffff_ffff, count);
  return host.command({ cdb, length: count * BLOCK, direction: "out" });
}

/** Bytes of some of the packets of a data phase, not of all. */
function part({ packetSize }: BulkOnlyHost, length: number, random: Random) {
  const packets = Math.ceil(length / packetSize);
  return random.int(0, packets - 1) * packetSize;
}

/** Discards a transfer at a random moment, if it has not ended by then. */
async function giveUp(
  transfer: (signal: AbortSignal) => Promise<unknown>,
  random: Random,
): Promise<void> {
  const controller = new AbortController();
  const transferred = transfer(controller.signal).catch((error) => {
    if (!isTransferError(error, "ENOENT")) throw error;
  });
  await delay(random.int(0, 4));
  controller.abort();
  await transferred;
}

/** What a host does of a command before it gives up, by the name of the phase. */
const PHASES: Readonly<Record<string, Phase>> = {
  "before a command": () => Promise.resolve(),
  "before the status of a command without data": (host) =>
    host.command({ cdb: testUnitReady() }),
  "while it waits for the status of a command without data": async (
    host,
    _,
    random,
  ) => {
    await host.command({ cdb: testUnitReady() });
    await giveUp((signal) => host.status({ signal }), random);
  },
  "before data to the host": beginRead,
  "in the data to the host": async (host, what, random) => {
    await beginRead(host, what);
    const length = part(host, what.count * BLOCK, random);
    if (length > 0) await host.pipe.receive(length);
  },
  "in a transfer of data to the host": async (host, what, random) => {
    await beginRead(host, what);
    await giveUp(
      (signal) => host.pipe.receive(what.count * BLOCK, { signal }),
      random,
    );
  },
  "after the data to the host": async (host, what) => {
    await beginRead(host, what);
    await host.pipe.receive(what.count * BLOCK);
  },
  "before data to the device": beginWrite,
  "in the data to the device": async (host, what, random) => {
    await beginWrite(host, what);
    const length = part(host, what.count * BLOCK, random);
    if (length > 0) await host.pipe.send(what.data.slice(0, length));
  },
  "in a transfer of data to the device": async (host, what, random) => {
    await beginWrite(host, what);
    await giveUp((signal) => host.pipe.send(what.data, { signal }), random);
  },
  "after the data to the device": async (host, what) => {
    await beginWrite(host, what);
    await host.pipe.send(what.data);
  },
  "while it waits for the status of a write": async (host, what, random) => {
    await beginWrite(host, what);
    await host.pipe.send(what.data);
    await giveUp((signal) => host.status({ signal }), random);
  },
  "before a stall that ends data to the host": beginLongRead,
  "at a stall that ends data to the host": async (host, what) => {
    await beginLongRead(host, what);
    const length = what.count * BLOCK + host.packetSize;
    await stallOr(host.pipe.receive(length));
  },
  "before refused data": beginRefusedWrite,
  "at a stall of refused data": async (host, what) => {
    await beginRefusedWrite(host, what);
    await stallOr(host.pipe.send(what.data));
  },
  "after what is no command": (host) => host.pipe.send(new Uint8Array(30)),
  "after a wrapper with random fields": async (host, what, random) => {
    const cdb = read10(what.lba, what.count);
    const wrapper = encodeCbw({ cdb, length: what.count * BLOCK, tag: 7 });
    for (let changes = 0; changes < 3; changes++) {
      // All but the command
      wrapper[random.int(0, 14)] = random.int(0, 255);
    }
    const length = random.chance(0.8) ? wrapper.length : random.int(0, 31);
    await host.pipe.send(wrapper.slice(0, length));
  },
  "after a reset without the rest of reset recovery": async (host, what) => {
    await beginRead(host, what);
    await host.reset();
    await beginWrite(host, what);
  },
};

/** A host that abandons commands. */
export interface AbandonedCommands {
  /** 2048 blocks. */
  readonly disk: TestDisk;
  readonly rounds: number;
  /** Blocks of the largest command. */
  readonly most: number;
  /** The host; another one after each `recover`. */
  readonly host: () => BulkOnlyHost;
  /** What ends a command. */
  readonly recover: () => Promise<void>;
}

/** Abandons commands in all phases, again and again. */
export async function abandonCommands(
  commands: AbandonedCommands,
): Promise<void> {
  const seed = testSeed();
  const random = new Random(seed);
  for (let round = 0; round < commands.rounds; round++) {
    for (const [name, phase] of Object.entries(PHASES)) {
      try {
        await abandon(commands, phase, random);
      } catch (cause) {
        const when = `GADGET_SEED=${seed}, round ${round}, ${name}`;
        throw new Error(when, { cause });
      }
    }
  }
}

/** A command that is abandoned, and what holds afterwards. */
async function abandon(
  { disk, most, host: current, recover }: AbandonedCommands,
  phase: Phase,
  random: Random,
): Promise<void> {
  const lba = OLD + random.int(0, 1024 - most);
  const count = random.int(1, most);
  const before = disk.blocks(lba, count);
  const data = pattern(count * BLOCK, random.int(0, 255));
  await phase(current(), { lba, count, data }, random);
  await recover();
  const host = current();
  // The first command has its own data.
  const first = random.int(0, OLD - most);
  const length = random.int(1, most);
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
