/**
 * Commands that a host abandons, in each phase of Bulk-Only Transport.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { isTransferError } from "../../../src/testing/usbfs/transfer.ts";
import type { Random } from "../data/random.ts";
import { type BulkOnlyHost, stallOr } from "../host/bulk_only_host.ts";
import { read10, testUnitReady, write10 } from "./cdb.ts";

/** What an abandoned command reads or writes. */
export interface Abandoned {
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
  return host.command({ cdb: read10(lba, count), length: count * 512 });
}

function beginWrite(host: BulkOnlyHost, { lba, count }: Abandoned) {
  const length = count * 512;
  return host.command({ cdb: write10(lba, count), length, direction: "out" });
}

/** A read of which the host expects one packet more than it has. */
function beginLongRead(host: BulkOnlyHost, { lba, count }: Abandoned) {
  const length = count * 512 + host.packetSize;
  return host.command({ cdb: read10(lba, count), length });
}

/** A write to a block that does not exist. */
function beginRefusedWrite(host: BulkOnlyHost, { count }: Abandoned) {
  const cdb = write10(0xffff_ffff, count);
  return host.command({ cdb, length: count * 512, direction: "out" });
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
export const PHASES: Readonly<Record<string, Phase>> = {
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
    const length = part(host, what.count * 512, random);
    if (length > 0) await host.pipe.receive(length);
  },
  "in a transfer of data to the host": async (host, what, random) => {
    await beginRead(host, what);
    await giveUp(
      (signal) => host.pipe.receive(what.count * 512, { signal }),
      random,
    );
  },
  "after the data to the host": async (host, what) => {
    await beginRead(host, what);
    await host.pipe.receive(what.count * 512);
  },
  "before data to the device": beginWrite,
  "in the data to the device": async (host, what, random) => {
    await beginWrite(host, what);
    const length = part(host, what.count * 512, random);
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
    const length = what.count * 512 + host.packetSize;
    await stallOr(host.pipe.receive(length));
  },
  "before refused data": beginRefusedWrite,
  "at a stall of refused data": async (host, what) => {
    await beginRefusedWrite(host, what);
    await stallOr(host.pipe.send(what.data));
  },
  "after what is no command": (host) => host.pipe.send(new Uint8Array(30)),
  "after a reset without the rest of reset recovery": async (host, what) => {
    await beginRead(host, what);
    await host.reset();
    await beginWrite(host, what);
  },
};
