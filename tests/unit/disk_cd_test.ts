/**
 * Commands of CD and DVD drives (MMC-6).
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  getConfiguration,
  getEventStatus,
  mechanismStatus,
  modeSense10,
  preventRemoval,
  read10,
  read12,
  readCapacity10,
  readDiscInformation,
  readToc,
  readTrackInformation,
  setCdSpeed,
  StartStop,
  startStop,
  testUnitReady,
  write10,
} from "../support/disk/cdb.ts";
import { serveDisk } from "../support/disk/memory_bench.ts";
import { blockContents, TestDisk } from "../support/disk/test_disk.ts";
import type { BulkOnlyHost } from "../support/host/bulk_only_host.ts";

const INVALID_FIELD = "5/24/00";
const NO_MEDIUM = "2/3a/00";
const BLOCK = 2048;

function disc(blockCount = 300): TestDisk {
  return new TestDisk({ blockSize: BLOCK, blockCount });
}

function drive(...media: TestDisk[]) {
  return serveDisk({
    luns: media.map((medium) => ({ type: "cdrom", medium } as const)),
  });
}

/** A disc of any size, without contents. */
function large(blockCount: number) {
  return { blockSize: BLOCK, blockCount, read() {} };
}

/** Asserts that each allocation length gives a part of the same answer. */
async function assertCutOff(
  host: BulkOnlyHost,
  cdb: (length: number) => number[],
  lun?: number,
): Promise<Uint8Array> {
  const all = await host.ask(cdb(0xffff), 0xffff, lun);
  for (const length of [0, 1, 4, all.length - 1, all.length, all.length + 1]) {
    const data = await host.ask(cdb(length), 0xffff, lun);
    assertEquals(data, all.subarray(0, length));
  }
  return all;
}

Deno.test("a disc can be read, and not written", async () => {
  const medium = disc();
  await using bench = drive(medium);
  const { host } = bench;
  await host.pass(testUnitReady());
  assertEquals(
    (await host.pass(readCapacity10(), { receive: 8 })).toHex(),
    "0000012b00000800",
  );
  for (const read of [read10, read12]) {
    for (const [lba, count] of [[0, 1], [16, 1], [299, 1], [0, 300], [7, 0]]) {
      assertEquals(
        await host.pass(read(lba, count), { receive: count * BLOCK }),
        blockContents(lba, count, { blockSize: BLOCK }),
      );
    }
    assertEquals(await host.fail(read(300, 1), { receive: BLOCK }), "5/21/00");
    assertEquals(await host.fail(read(299, 2), { receive: BLOCK }), "5/21/00");
  }
  medium.takeLog();
  const { status } = await host.run(write10(0, 1), {
    send: new Uint8Array(BLOCK),
  });
  assertEquals(status, 1);
  assert(["5/20/00", "7/27/00"].includes(await host.sense()));
  assertEquals(medium.takeLog(), []);
});

Deno.test("READ TOC: one data track and the lead-out, in blocks and in minutes", async () => {
  await using bench = drive(disc(300));
  const { host } = bench;
  const toc = async (...args: Parameters<typeof readToc>) =>
    (await host.ask(readToc(...args), 1024)).toHex();
  const track = "00140100" + "00000000";
  const leadOut = "0014aa00" + "0000012c";
  assertEquals(await toc(0), "00120101" + track + leadOut);
  assertEquals(await toc(0, { track: 1 }), "00120101" + track + leadOut);
  assertEquals(await toc(0, { track: 0xaa }), "000a0101" + leadOut);
  // 150 blocks are before block 0: 0:02:00; 450 are 0:06:00.
  const inMinutes = "00140100" + "00000200" + "0014aa00" + "00000600";
  assertEquals(await toc(0, { msf: true }), "00120101" + inMinutes);
  assertEquals(await toc(1), "000a0101" + track);
  assertEquals(await toc(1, { msf: true }), "000a0101" + "0014010000000200");
  for (const number of [2, 3, 0x63, 0xa9, 0xab, 0xff]) {
    assertEquals(
      await host.fail(readToc(0, { track: number }), { receive: 1024 }),
      INVALID_FIELD,
    );
  }
  // All entries: first track, last track, lead-out, track 1.
  const full = await host.ask(readToc(2, { msf: true }), 1024);
  assertEquals(full.length, 4 + 4 * 11);
  assertEquals(full.subarray(0, 4).toHex(), "002e0101");
  const points = [0, 1, 2, 3].map((index) => {
    const entry = full.subarray(4 + 11 * index, 15 + 11 * index);
    assertEquals([entry[0], entry[1], entry[2]], [1, 0x14, 0]);
    return [entry[3], ...entry.subarray(8)];
  });
  assertEquals(points, [
    [0xa0, 1, 0, 0],
    [0xa1, 1, 0, 0],
    [0xa2, 0, 6, 0],
    [1, 0, 2, 0],
  ]);
  for (const format of [3, 4, 5, 6, 15]) {
    assertEquals(
      await host.fail(readToc(format), { receive: 1024 }),
      INVALID_FIELD,
    );
  }
  for (const format of [0, 1, 2]) {
    await assertCutOff(host, (length) => readToc(format, { length }));
  }
});

Deno.test("READ TOC: a disc longer than minutes can express", async () => {
  await using bench = serveDisk({
    luns: [{ type: "cdrom", medium: large(4_000_000) }],
  });
  const { host } = bench;
  const data = await host.ask(readToc(0, { msf: true }), 1024);
  assertEquals(data.length, 20);
  const inBlocks = await host.ask(readToc(0), 1024);
  assertEquals(inBlocks.subarray(16).toHex(), "003d0900");
});

/** Decodes the features of GET CONFIGURATION. */
function features(data: Uint8Array) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  assertEquals(view.getUint32(0), data.length - 4);
  const list: { code: number; current: boolean; data: Uint8Array }[] = [];
  let at = 8;
  while (at < data.length) {
    const length = data[at + 3];
    assertEquals(length % 4, 0, "whole words");
    list.push({
      code: view.getUint16(at),
      current: (data[at + 2] & 1) === 1,
      data: data.subarray(at + 4, at + 4 + length),
    });
    at += 4 + length;
  }
  assertEquals(at, data.length);
  const codes = list.map(({ code }) => code);
  assertEquals(codes, codes.toSorted((a, b) => a - b), "ascending");
  return { profile: view.getUint16(6), list, codes };
}

Deno.test("GET CONFIGURATION: profile and features of a CD, a DVD and an empty drive", async () => {
  const [NONE, CD, DVD] = [0x0000, 0x0008, 0x0010];
  await using bench = serveDisk({
    luns: [
      { type: "cdrom", medium: disc() },
      { type: "cdrom", medium: large(1_000_000) },
      { type: "cdrom" },
    ],
  });
  const { host } = bench;
  for (const [lun, expected] of [CD, DVD, NONE].entries()) {
    const all = features(
      await assertCutOff(
        host,
        (length) => getConfiguration(0, { length }),
        lun,
      ),
    );
    assertEquals(all.profile, expected);
    // Mandatory for a removable medium (MMC-6, 5.2.2)
    for (const code of [0x0000, 0x0001, 0x0002, 0x0003]) {
      assert(all.codes.includes(code), `feature ${code}`);
    }
    // The profile list: the current one, and the descending rest
    const profiles = all.list[0].data;
    const known: number[] = [];
    for (let at = 0; at < profiles.length; at += 4) {
      const profile = profiles[at] << 8 | profiles[at + 1];
      known.push(profile);
      assertEquals(profiles[at + 2] & 1, Number(profile === expected));
    }
    assertEquals(known, known.toSorted((a, b) => b - a));
    assertEquals(known.includes(CD) && known.includes(DVD), true);
    const current = features(await host.ask(getConfiguration(1), 1024, lun));
    assertEquals(
      current.codes,
      all.list.filter((each) => each.current).map(({ code }) => code),
    );
    const random = all.list.find(({ code }) => code === 0x0010);
    assertEquals(random?.current, expected !== NONE);
    for (const first of [0, 1, 3, 0x10, 0x1e, 0x1f, 0x100, 0xffff]) {
      const later = features(
        await host.ask(getConfiguration(0, { first }), 1024, lun),
      );
      assertEquals(later.codes, all.codes.filter((code) => code >= first));
      const one = features(
        await host.ask(getConfiguration(2, { first }), 1024, lun),
      );
      assertEquals(one.codes, all.codes.filter((code) => code === first));
      assertEquals(one.profile, expected);
    }
    assertEquals(
      await host.fail(getConfiguration(3), { receive: 1024, lun }),
      INVALID_FIELD,
    );
  }
});

Deno.test("READ DISC INFORMATION and READ TRACK INFORMATION: one complete track", async () => {
  await using bench = drive(disc(300));
  const { host } = bench;
  const info = await assertCutOff(host, readDiscInformation);
  assertEquals(info[0] << 8 | info[1], info.length - 2);
  assertEquals(info[2] & 0x1f, 0x0e, "complete, not erasable");
  assertEquals([...info.subarray(3, 7)], [1, 1, 1, 1]);
  for (const type of [1, 2, 7]) {
    assertEquals(
      await host.fail(readDiscInformation(256, type), { receive: 256 }),
      INVALID_FIELD,
    );
  }
  for (const [type, number] of [[0, 0], [0, 299], [1, 1], [2, 1]]) {
    const track = await assertCutOff(
      host,
      (length) => readTrackInformation(type, number, length),
    );
    const view = new DataView(track.buffer, track.byteOffset);
    assertEquals(view.getUint16(0), track.length - 2);
    assertEquals([track[2], track[3]], [1, 1], "track, session");
    assertEquals([track[5] & 0x0f, track[6] & 0x0f], [4, 1], "data, mode 1");
    assertEquals([view.getUint32(8), view.getUint32(24)], [0, 300]);
  }
  for (
    const [type, number] of [
      [0, 300],
      [0, 0xffff_ffff],
      [1, 2],
      [1, 0xff],
      [2, 0],
      [2, 2],
      [3, 1],
    ]
  ) {
    assertEquals(
      await host.fail(readTrackInformation(type, number), { receive: 256 }),
      INVALID_FIELD,
      `${type} ${number}`,
    );
  }
});

Deno.test("MECHANISM STATUS, SET CD SPEED and the capabilities page", async () => {
  await using bench = drive(disc());
  const { host } = bench;
  assertEquals((await assertCutOff(host, mechanismStatus)).length, 8);
  await host.pass(setCdSpeed());
  const mode = await host.ask(modeSense10(0x2a), 255);
  const page = mode.subarray(8 + (mode[6] << 8 | mode[7]));
  assertEquals([page[0] & 0x3f, page[1]], [0x2a, page.length - 2]);
  assertEquals(page[6] & 0x29, 0x29, "tray, eject, lock");
});

Deno.test("GET EVENT STATUS NOTIFICATION: a new disc, a removed one, and a request", async () => {
  const medium = disc();
  await using bench = drive(medium);
  const { host, storage: { luns: [unit] } } = bench;
  const MEDIA = 0x10;
  const event = async (length = 8) =>
    (await host.ask(getEventStatus(MEDIA, { length }), 256)).toHex();
  const none = "0006" + "0410" + "0002" + "0000";
  assertEquals(await event(), none);
  assertEquals(await event(), none);
  // Other classes: none of them is supported.
  assertEquals(
    (await host.ask(getEventStatus(0x40), 256)).toHex(),
    "0002" + "8010",
  );
  assertEquals(
    await host.fail(getEventStatus(MEDIA, { polled: false }), { receive: 8 }),
    INVALID_FIELD,
    "asynchronous",
  );
  // The program waits for a locked disc: the host is asked for it.
  await host.pass(preventRemoval(1));
  const ejecting = unit.eject();
  assertEquals(await event(), "0006" + "0410" + "0102" + "0000");
  await host.pass(preventRemoval(0));
  await ejecting;
  assertEquals(await event(4), "00060410", "too short for the event");
  assertEquals(await event(), "0006" + "0410" + "0300" + "0000", "removed");
  assertEquals(await event(), "0006" + "0410" + "0000" + "0000");
  unit.insert(medium);
  // It does not take the unit attention, nor fail because of it.
  assertEquals(await event(), "0006" + "0410" + "0202" + "0000", "new");
  await host.ask(getConfiguration(0), 1024);
  assertEquals(await event(), none);
  assertEquals(await host.fail(testUnitReady()), "6/28/00");
  await host.pass(testUnitReady());
});

Deno.test("an empty drive: what needs a disc fails, and the tray moves", async () => {
  await using bench = serveDisk({ luns: [{ type: "cdrom" }] });
  const { host, storage: { luns: [unit] } } = bench;
  for (
    const [cdb, receive] of [
      [testUnitReady(), 0],
      [readCapacity10(), 8],
      [read10(0, 1), BLOCK],
      [readToc(0), 1024],
      [readDiscInformation(), 256],
      [readTrackInformation(1, 1), 256],
    ] as const
  ) {
    assertEquals(await host.fail(cdb, { receive }), NO_MEDIUM);
  }
  await host.pass(startStop(StartStop.eject));
  const medium = disc();
  unit.insert(medium);
  assertEquals(await host.fail(readToc(0), { receive: 1024 }), "6/28/00");
  await host.ask(readToc(0), 1024);
  await host.pass(startStop(StartStop.load));
  await host.pass(startStop(StartStop.eject));
  assertEquals(unit.medium, undefined);
});
