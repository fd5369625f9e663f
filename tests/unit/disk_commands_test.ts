/**
 * Commands that all logical units have (SPC-4), and CDBs at random.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  inquiry,
  modeSense10,
  modeSense6,
  PageControl,
  preventRemoval,
  read10,
  reportLuns,
  requestSense,
  StartStop,
  startStop,
  testUnitReady,
  write10,
} from "../support/disk/cdb.ts";
import { serveDisk } from "../support/disk/memory_bench.ts";
import { sendRandomCommands } from "../support/disk/random_commands.ts";
import { TestDisk } from "../support/disk/test_disk.ts";
import {
  type DataPhase,
  FAILED,
  PASSED,
  senseText,
} from "../support/host/bulk_only_host.ts";

const INVALID_OPCODE = "5/20/00";
const INVALID_FIELD = "5/24/00";
const SAVING = "5/39/00";

const decoder = new TextDecoder();

function u16(bytes: Uint8Array, at: number): number {
  return bytes[at] << 8 | bytes[at + 1];
}

/** A CDB with one byte changed. */
function withByte(
  cdb: readonly number[],
  at: number,
  value: number,
): number[] {
  return cdb.toSpliced(at, 1, value);
}

Deno.test("INQUIRY: the standard data, cut off where the host wants", async () => {
  await using bench = serveDisk({
    luns: [{
      medium: new TestDisk(),
      vendor: "Vendor",
      product: "A product",
      revision: "1.2",
    }, {
      removable: false,
      medium: new TestDisk(),
      vendor: "12345678",
      product: "1234567890123456",
      revision: "1234",
    }, { type: "cdrom" }],
  });
  const { host } = bench;
  const data = await host.ask(inquiry(), 255);
  assert(data.length >= 36);
  assertEquals(data[0], 0, "a disk");
  assertEquals(data[1], 0x80, "removable");
  assertEquals(data[2], 6, "SPC-4");
  assertEquals(data[3] & 0x0f, 2, "the response data format");
  assertEquals(data[4], data.length - 5);
  assertEquals(
    decoder.decode(data.subarray(8, 36)),
    "Vendor  A product       1.2 ",
  );
  for (const length of [0, 1, 4, 5, 35, data.length, 256, 0xffff]) {
    assertEquals(
      await host.pass(inquiry(length), {
        receive: Math.min(length, data.length),
      }),
      data.subarray(0, length),
    );
  }
  const second = await host.ask(inquiry(), 255, 1);
  assertEquals([second[0], second[1]], [0, 0], "a fixed disk");
  assertEquals(
    decoder.decode(second.subarray(8, 36)),
    "1234567812345678901234561234",
  );
  const third = await host.ask(inquiry(), 255, 2);
  assertEquals([third[0], third[1]], [5, 0x80], "a CD drive");
  // A page without EVPD
  assertEquals(
    await host.fail(withByte(inquiry(), 2, 0x80), { receive: 255 }),
    INVALID_FIELD,
  );
});

Deno.test("INQUIRY: of all 256 pages, those that page 0 lists", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({
    luns: [
      { medium: disk, serialNumber: "SERIAL 1" },
      { medium: disk.without("discard"), serialNumber: "SERIAL 2" },
      { type: "cdrom", serialNumber: "SERIAL 3" },
    ],
  });
  const { host } = bench;
  const disks = [0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2];
  for (const [lun, expected] of [disks, disks, [0x00, 0x80, 0x83]].entries()) {
    const list = await host.ask(inquiry(255, 0), 255, lun);
    assertEquals([...list.subarray(4)], expected);
    for (let page = 0; page < 256; page++) {
      const cdb = inquiry(0xfff, page);
      if (!expected.includes(page)) {
        assertEquals(
          await host.fail(cdb, { receive: 0xfff, lun }),
          INVALID_FIELD,
        );
        continue;
      }
      const data = await host.ask(cdb, 0xfff, lun);
      assertEquals(data[0], lun === 2 ? 5 : 0);
      assertEquals(data[1], page);
      assertEquals(u16(data, 2), data.length - 4);
      for (const length of [0, 1, 4, data.length - 1, data.length]) {
        assertEquals(
          await host.pass(inquiry(length, page), { receive: length, lun }),
          data.subarray(0, length),
        );
      }
    }
    const serial = await host.ask(inquiry(255, 0x80), 255, lun);
    assertEquals(decoder.decode(serial.subarray(4)), `SERIAL ${lun + 1}`);
    // Designators that fill the page
    const names = await host.ask(inquiry(255, 0x83), 255, lun);
    let at = 4;
    while (at < names.length) at += 4 + names[at + 3];
    assertEquals(at, names.length);
    assert(at > 4, "no designator");
  }
  // Block Limits, Block Device Characteristics, Logical Block Provisioning
  for (const lun of [0, 1]) {
    const discards = lun === 0;
    const limits = await host.ask(inquiry(255, 0xb0), 255, lun);
    const view = new DataView(limits.buffer, limits.byteOffset);
    assertEquals(limits.length, 64);
    assertEquals(limits[4] & 1, 1, "WSNZ");
    assertEquals(view.getUint32(20) > 0, discards, "MAXIMUM UNMAP LBA COUNT");
    assertEquals(view.getUint32(24) > 0, discards, "UNMAP DESCRIPTORS");
    const kind = await host.ask(inquiry(255, 0xb1), 255, lun);
    assertEquals([kind.length, u16(kind, 4)], [64, 1], "non-rotating");
    const provisioning = await host.ask(inquiry(255, 0xb2), 255, lun);
    assertEquals(provisioning[5] & 0xe0, discards ? 0xe0 : 0, "LBPU, LBPWS");
  }
});

Deno.test("REQUEST SENSE: both formats, once", async () => {
  const disk = new TestDisk();
  disk.bad.add(9);
  await using bench = serveDisk({ luns: [disk, new TestDisk()] });
  const { host } = bench;
  const fail = async () => {
    const { status } = await host.run(read10(8, 4), { receive: 2048 });
    assertEquals(status, FAILED);
  };
  const ask = async (length: number, descriptor = false) =>
    await host.ask(requestSense(length, descriptor), 252);
  const none = await ask(252);
  assertEquals([none.length, senseText(none)], [18, "0/00/00"]);
  await fail();
  assertEquals(senseText(await ask(252)), "3/11/00 block 9");
  assertEquals(senseText(await ask(252)), "0/00/00");
  await fail();
  assertEquals(senseText(await ask(252, true)), "3/11/00 block 9");
  assertEquals(senseText(await ask(252, true)), "0/00/00");
  for (const length of [0, 1, 8, 17, 18]) {
    await fail();
    assertEquals(
      (await ask(length)).toHex(),
      "f00003000000090a00000000110000000000".slice(0, 2 * length),
    );
  }
  // Of another unit, it does not reveal or consume anything.
  await fail();
  assertEquals(await host.sense(1), "0/00/00");
  assertEquals(await host.sense(0), "3/11/00 block 9");
  // Another command has its own sense.
  await fail();
  await host.pass(testUnitReady());
  assertEquals(await host.sense(), "0/00/00");
});

Deno.test("REPORT LUNS: as many as there are", async () => {
  const luns = Array.from({ length: 5 }, () => new TestDisk());
  await using bench = serveDisk({ luns });
  const { host } = bench;
  const list = await host.ask(reportLuns(), 256);
  assertEquals(
    list.toHex(),
    "0000002800000000" +
      luns.map((_, lun) => `000${lun}000000000000`).join(""),
  );
  for (const length of [16, 17, list.length, 0xffff]) {
    const data = await host.ask(reportLuns(length), 0xffff);
    assertEquals(data, list.subarray(0, length));
  }
  assertEquals(await host.ask(reportLuns(256, 2), 256), list);
  assertEquals(
    (await host.ask(reportLuns(256, 1), 256)).toHex(),
    "0000000000000000",
    "well-known units",
  );
  for (const select of [3, 0x10, 0xff]) {
    assertEquals(
      await host.fail(reportLuns(256, select), { receive: 256 }),
      INVALID_FIELD,
    );
  }
});

Deno.test("MODE SENSE: pages, header and flags", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({
    luns: [disk, disk.without("write"), disk.without("flush"), {
      type: "cdrom",
      medium: new TestDisk({ blockSize: 2048 }),
    }],
  });
  const { host } = bench;
  const cache = (data: Uint8Array) => data.subarray(data.length - 20);
  for (let lun = 0; lun < 4; lun++) {
    const page = lun === 3 ? 0x2a : 0x08;
    for (let code = 0; code < 0x3f; code++) {
      for (const cdb of [modeSense6(code), modeSense10(code)]) {
        if (code === page) {
          await host.ask(cdb, 255, lun);
        } else {
          assertEquals(
            await host.fail(cdb, { receive: 255, lun }),
            INVALID_FIELD,
            `page ${code}`,
          );
        }
      }
    }
    for (const noBlocks of [false, true]) {
      const short = await host.ask(modeSense6(page, { noBlocks }), 255, lun);
      const long = await host.ask(modeSense10(page, { noBlocks }), 255, lun);
      assertEquals(short[0], short.length - 1);
      assertEquals(u16(long, 0), long.length - 2);
      assertEquals(short[1], long[2], "the type of the medium");
      assertEquals(short[2], long[3], "the flags");
      assertEquals(short[2] & 0x80, lun === 1 ? 0x80 : 0, "write-protected");
      const [blocks, moreBlocks] = [short[3], u16(long, 6)];
      assertEquals(blocks, moreBlocks);
      if (noBlocks) assertEquals(blocks, 0);
      const [first, second] = [short.slice(4 + blocks), long.slice(8 + blocks)];
      assertEquals(first, second);
      assertEquals([first[0] & 0x3f, first[1]], [page, first.length - 2]);
      // All pages are this one.
      for (const subpage of [0, 0xff]) {
        assertEquals(
          await host.ask(modeSense6(0x3f, { noBlocks, subpage }), 255, lun),
          short,
        );
      }
      for (const length of [0, 1, 4, short.length - 1, short.length]) {
        assertEquals(
          await host.pass(modeSense6(page, { noBlocks, length }), {
            receive: length,
            lun,
          }),
          short.subarray(0, length),
        );
        assertEquals(
          await host.pass(modeSense10(page, { noBlocks, length }), {
            receive: length,
            lun,
          }),
          long.subarray(0, length),
        );
      }
    }
    for (const cdb of [modeSense6, modeSense10]) {
      const changeable = await host.ask(
        cdb(page, { control: PageControl.changeable }),
        255,
        lun,
      );
      const last = changeable.subarray(cdb === modeSense6 ? 6 : 10);
      assert(last.every((byte) => byte === 0), "nothing can be changed");
      assertEquals(
        await host.ask(cdb(page, { control: PageControl.default }), 255, lun),
        await host.ask(cdb(page), 255, lun),
      );
      assertEquals(
        await host.fail(cdb(page, { control: PageControl.saved }), {
          receive: 255,
          lun,
        }),
        SAVING,
      );
      assertEquals(
        await host.fail(cdb(page, { subpage: 1 }), { receive: 255, lun }),
        INVALID_FIELD,
      );
    }
  }
  const page = { noBlocks: true };
  // WCE
  assertEquals(cache(await host.ask(modeSense6(8, page), 255))[2], 0x04);
  assertEquals(cache(await host.ask(modeSense6(8, page), 255, 2))[2], 0x00);
});

Deno.test("all 256 operation codes: what is not supported fails with that sense", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({
    luns: [disk, disk.without("discard"), {
      type: "cdrom",
      medium: new TestDisk({ blockSize: 2048 }).without("write"),
    }],
  });
  const { host } = bench;
  const both = [0x00, 0x03, 0x12, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x5a, 0xa0];
  both.push(0xa8);
  const disks = [0x08, 0x0a, 0x23, 0x2a, 0x2f, 0x35, 0x41, 0x88, 0x8a, 0x8f];
  disks.push(0x91, 0x93, 0x9e, 0xaa, 0xaf);
  const cds = [0x43, 0x46, 0x4a, 0x51, 0x52, 0xbb, 0xbd];
  const expected = [[...both, ...disks, 0x42], [...both, ...disks], [
    ...both,
    ...cds,
  ]];
  // READ (6) and WRITE (6) of 0 blocks are those of 256; READ CAPACITY (10) has
  // no allocation length.
  const phases = new Map<number, DataPhase>([
    [0x08, { receive: 256 * 512 }],
    [0x0a, { send: new Uint8Array(256 * 512) }],
    [0x25, { receive: 8 }],
  ]);
  for (const [lun, known] of expected.entries()) {
    for (let opcode = 0; opcode < 256; opcode++) {
      const phase = phases.get(opcode) ?? {};
      for (const size of [6, 10, 12, 16]) {
        const cdb = [opcode, ...Array(size - 1).fill(0)];
        const { status } = await host.run(cdb, { lun, ...phase });
        const name = `0x${opcode.toString(16)} of ${size} bytes, LUN ${lun}`;
        if (!known.includes(opcode)) {
          assertEquals(status, FAILED, name);
          assertEquals(await host.sense(lun), INVALID_OPCODE, name);
        } else if (status === FAILED) {
          assertEquals(await host.sense(lun), INVALID_FIELD, name);
        } else {
          assertEquals(status, PASSED, name);
        }
      }
      // START STOP UNIT of zeros has stopped it, which does not matter.
      await host.pass(testUnitReady(), { lun });
    }
  }
});

Deno.test("what FORMAT UNIT, MODE SELECT and others would do is refused", async () => {
  await using bench = serveDisk({ luns: [new TestDisk()] });
  const { host } = bench;
  for (
    const cdb of [
      [0x04, 0x10, 0, 0, 0, 0], // FORMAT UNIT
      [0x15, 0x10, 0, 0, 24, 0], // MODE SELECT (6)
      [0x55, 0x10, 0, 0, 0, 0, 0, 0, 24, 0], // MODE SELECT (10)
      [0x3b, 5, 0, 0, 0, 0, 0, 0, 24, 0], // WRITE BUFFER
      [0x48, 1, 0, 0, 0, 0, 0, 0, 24, 0], // SANITIZE
      [0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0], // PERSISTENT RESERVE OUT
    ]
  ) {
    for (const phase of [{}, { send: new Uint8Array(24) }, { receive: 24 }]) {
      assertEquals(await host.fail(cdb, phase), INVALID_OPCODE);
    }
  }
});

Deno.test("reserved bits are ignored or refused, and NACA is refused", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({ luns: [disk] });
  const { host } = bench;
  const commands: (readonly [number[], number])[] = [
    [testUnitReady(), 0],
    [requestSense(18), 18],
    [inquiry(36), 36],
    [modeSense6(8), 24],
    [startStop(StartStop.start), 0],
    [preventRemoval(0), 0],
    [read10(1, 1), 512],
    [reportLuns(16), 16],
  ];
  for (const [cdb, receive] of commands) {
    for (let at = 1; at < cdb.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = withByte(cdb, at, cdb[at] ^ 1 << bit);
        const { status } = await host.run(changed, { receive });
        const name = changed.join(" ");
        // A larger or smaller length, for one
        if (status !== FAILED) continue;
        const sense = await host.sense();
        const isBlocks = cdb[0] === 0x28 && at >= 2 && at !== 6 && at <= 8;
        assertEquals(sense, isBlocks ? "5/21/00" : INVALID_FIELD, name);
      }
    }
    const naca = withByte(cdb, cdb.length - 1, 0x04);
    assertEquals(await host.fail(naca, { receive }), INVALID_FIELD);
  }
  assertEquals(disk.overlaps, 0);
});

for (const type of ["disk", "cdrom"] as const) {
  for (const stall of [true, false]) {
    Deno.test(`a ${type} survives any CDB with any data, stalls: ${stall}`, async () => {
      const blockSize = type === "disk" ? 512 : 2048;
      const disk = new TestDisk({ blockSize, blockCount: 512 });
      const medium = type === "disk" ? disk : disk.without("write");
      await using bench = serveDisk({ luns: [{ type, medium }], stall });
      await sendRandomCommands(bench.host, bench.storage, 3000);
      assertEquals(disk.overlaps, 0);
    });
  }
}

Deno.test("what follows the CDB in its wrapper is not part of it", async () => {
  const disk = new TestDisk();
  await using bench = serveDisk({ luns: [disk] });
  const { host } = bench;
  // Without its last bytes, it is a write of no blocks.
  await host.command({ cdb: write10(7, 1), cdbLength: 7 });
  assertEquals(await host.status(), { status: PASSED, residue: 0 });
  await host.pass(write10(7, 1).slice(0, 7));
  assertEquals(disk.takeLog(), []);
});
