/**
 * Commands that a host abandons, in each phase of Bulk-Only Transport.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { isTransferError } from "../../../src/testing/usbfs/transfer.ts";
import type { Random } from "../data/random.ts";
import type { BulkOnlyHost } from "../host/bulk_only_host.ts";
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
};
