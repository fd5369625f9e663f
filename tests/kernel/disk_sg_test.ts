// VM: --modules usb-storage,sd_mod,sr_mod --processors 1, a class of device
/**
 * Disks, with the programs of sg3_utils as the host: what they read out of the
 * answers, and which sense commands fail with. They use `/dev/sgN`, which passes
 * on each command as it is.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type BlockDevice,
  MassStorage,
  memoryDisk,
  readOnly,
} from "@usb/gadget/mass-storage";
import { StorageBench } from "../support/gadgets/storage_bench.ts";
import { list } from "../../ffi/file.ts";
import { shell } from "../support/machine/shell.ts";

const BLOCK = 512;
const DATA = "/tmp/sg.data";

/** Exit codes of sg3_utils. */
const OK = 0;
const NOT_READY = 2;
const ILLEGAL_REQUEST = 5;
const UNIT_ATTENTION = 6;
const DATA_PROTECT = 7;
const INVALID_COMMAND = 9;
const MISCOMPARE = 14;
const OUT_OF_RANGE = 22;

/** Runs a program on the first unit, or another one. */
type Sg = (
  command: string,
  expected: number,
  ...shows: readonly RegExp[]
) => Promise<void>;

/** Starts a disk, and passes functions that run programs on its units. */
async function withDisk(
  storage: MassStorage,
  test: (programs: Sg[], bench: StorageBench) => Promise<void>,
): Promise<void> {
  await shell("modprobe sg");
  await Deno.writeFile(DATA, new Uint8Array(BLOCK).fill(0x5a));
  {
    await using bench = await StorageBench.start(storage);
    const programs = bench.units.map(({ path }): Sg => {
      const [{ name }] = list(`${path}/scsi_generic`);
      return async (command, expected, ...shows) => {
        const [program, ...args] = command.split(" ");
        const { code, stdout, stderr } = await new Deno.Command(program, {
          args: [...args, `/dev/${name}`],
        }).output();
        const decoder = new TextDecoder();
        const text = decoder.decode(stdout) + decoder.decode(stderr);
        assertEquals(code, expected, `${command}: ${text}`);
        for (const pattern of shows) assertMatch(text, pattern, command);
      };
    });
    await test(programs, bench);
    assertEquals(bench.configurations, 1, "the host has reset the device");
  }
  await Deno.remove(DATA);
}

/** A disk in memory that counts how often it is flushed. */
function flushedDisk(bytes: number): BlockDevice & { flushes: number } {
  const disk = {
    ...memoryDisk(bytes),
    flushes: 0,
    flush() {
      disk.flushes++;
    },
  };
  return disk;
}

Deno.test("sg3_utils read the identity, the capacity and the pages of a disk", async () => {
  const storage = new MassStorage({
    luns: [{
      medium: flushedDisk(8 << 20),
      vendor: "Example",
      product: "Programmed disk",
      revision: "2.1",
      serialNumber: "S-4711",
    }, {
      medium: readOnly(memoryDisk(4 << 20, { blockSize: 4096 })),
      removable: false,
    }],
  });
  await withDisk(storage, async ([disk, other]) => {
    await disk(
      "sg_inq",
      OK,
      /RMB=1 .*version=0x06/,
      /Vendor identification: Example *$/m,
      /Product identification: Programmed disk *$/m,
      /Product revision level: 2\.1 *$/m,
      /Unit serial number: S-4711$/m,
    );
    await other("sg_inq", OK, /RMB=0 /, /Vendor identification: Linux/);
    await disk(
      "sg_vpd",
      OK,
      /\[sv\](.|\n)*\[sn\](.|\n)*\[di\](.|\n)*\[bl\](.|\n)*\[bdc\](.|\n)*\[lbpv\]/,
    );
    await disk("sg_vpd --page=0x80", OK, /Unit serial number: S-4711$/m);
    await disk(
      "sg_vpd --page=0x83",
      OK,
      /designator type: T10 vendor identification, +code set: ASCII/,
      /vendor id: Example/,
      /vendor specific: Programmed disk *S-4711$/m,
    );
    await disk(
      "sg_vpd --page=0xb0",
      OK,
      /WSNZ\): 1$/m,
      /Maximum unmap LBA count: -1/,
      /Maximum unmap block descriptor count: -1/,
    );
    await other("sg_vpd --page=0xb0", OK, /Maximum unmap LBA count: 0/);
    await disk("sg_vpd --page=0xb1", OK, /Non-rotating medium/);
    await disk(
      "sg_vpd --page=0xb2",
      OK,
      /\(LBPU\): 1$/m,
      /\(LBPWS\): 1$/m,
      /\(LBPWS10\): 1$/m,
      /Provisioning type: 2 /,
    );
    await other("sg_vpd --page=0xb2", OK, /\(LBPU\): 0$/m);
    await disk("sg_readcap", OK, /blocks=16384$/m, /block length=512 bytes/);
    await disk(
      "sg_readcap --16",
      OK,
      /lbpme=1/,
      /blocks=16384$/m,
      /block length=512 bytes/,
    );
    await other("sg_readcap", OK, /blocks=1024$/m, /block length=4096 bytes/);
    await other("sg_readcap --16", OK, /lbpme=0/, /block length=4096 bytes/);
    // WCE, as the disk can be flushed; WP.
    for (const command of ["sg_modes", "sg_modes --six"]) {
      await disk(`${command} --page=8`, OK, / WP=0/, /^ 00 +08 12 04 00 /m);
      await other(`${command} --all`, OK, / WP=1/, /^ 00 +08 12 00 00 /m);
      await disk(`${command} --page=0x1c`, ILLEGAL_REQUEST);
      await disk(`${command} --control=3 --page=8`, ILLEGAL_REQUEST);
    }
    for (const sg of [disk, other]) {
      await sg("sg_luns", OK, /2 lun entr(.|\n)*0001000000000000/);
    }
    await disk("sg_requests", OK, /^Fixed format.*No Sense/m);
    await disk("sg_requests --desc", OK, /^Descriptor format.*No Sense/m);
    await disk("sg_turs --number=3", OK, / 0 errors/);
  });
});

Deno.test("sg3_utils verify, fill, discard and flush the blocks of a disk", async () => {
  const medium = flushedDisk(8 << 20);
  const block = (lba: number) => {
    const bytes = new Uint8Array(BLOCK);
    medium.read(lba, bytes);
    return bytes;
  };
  const filled = new Uint8Array(BLOCK).fill(0x5a);
  const empty = new Uint8Array(BLOCK);
  await withDisk(new MassStorage({ luns: [medium] }), async ([sg]) => {
    // 100 blocks
    await sg(`sg_write_same --10 --lba=1000 --num=100 --in=${DATA}`, OK);
    assertEquals([999, 1000, 1099, 1100].map(block), [
      empty,
      filled,
      filled,
      empty,
    ]);
    const compare = `sg_verify --ndo=512 --in=${DATA}`;
    await sg(`${compare} --ebytchk=3 --lba=1000 --count=100`, OK);
    await sg(`${compare} --ebytchk=3 --lba=1001 --count=100`, MISCOMPARE);
    await sg(`${compare} --ebytchk=3 --16 --lba=1099 --count=1`, OK);
    await sg(`${compare} --lba=1099`, OK);
    await sg(`${compare} --lba=1100`, MISCOMPARE);
    await sg("sg_verify --lba=0 --count=16384 --bpc=16384", OK);
    await sg("sg_verify --16 --lba=16000 --count=385 --bpc=385", OUT_OF_RANGE);

    await sg("sg_write_same --16 --lba=1010 --num=10 --ndob", OK);
    await sg("sg_write_same --16 --lba=1030 --num=10 --unmap", OK);
    await sg("sg_unmap --force --lba=1050,1070 --num=10,20", OK);
    assertEquals(
      [1009, 1010, 1019, 1020, 1029, 1030, 1049, 1050, 1069, 1070, 1089, 1090]
        .map((lba) => block(lba)[0]),
      [0x5a, 0, 0, 0x5a, 0x5a, 0, 0x5a, 0, 0x5a, 0, 0, 0x5a],
    );
    // Blocks that are not zero are written, not discarded.
    await sg(`sg_write_same --16 --lba=20 --num=9 --unmap --in=${DATA}`, OK);
    assertEquals([28, 29].map(block), [filled, empty]);
    const fill = "sg_write_same --10 --lba=0";
    await sg(`${fill} --num=0 --in=${DATA}`, ILLEGAL_REQUEST);
    await sg(`${fill} --num=1 --pbdata`, ILLEGAL_REQUEST);
    await sg("sg_write_same --16 --lba=0 --num=1 --anchor", ILLEGAL_REQUEST);
    await sg("sg_write_same --16 --lba=16384 --num=1 --ndob", OUT_OF_RANGE);
    await sg("sg_unmap --force --lba=10,16383 --num=1,2", OUT_OF_RANGE);
    await sg("sg_unmap --force --anchor --lba=0 --num=1", ILLEGAL_REQUEST);

    assertEquals(medium.flushes, 0);
    await sg("sg_sync", OK);
    await sg("sg_sync --16 --lba=100 --count=5", OK);
    assertEquals(medium.flushes, 2);
    await sg("sg_sync --16 --lba=16384 --count=1", OUT_OF_RANGE);
  });
});

Deno.test("sg3_utils eject the medium of a drive that is not locked, and see the next one", async () => {
  const medium = flushedDisk(8 << 20);
  const ejected: BlockDevice[] = [];
  const onEject = (medium: BlockDevice) => ejected.push(medium);
  const storage = new MassStorage({ luns: [{ medium, onEject }] });
  const [unit] = storage.luns;
  await withDisk(storage, async ([sg]) => {
    await sg("sg_prevent --prevent=1", OK);
    assert(unit.locked);
    await sg("sg_start --eject", ILLEGAL_REQUEST);
    assertEquals(unit.medium, medium);
    await sg("sg_prevent --allow", OK);
    assert(!unit.locked);
    await sg("sg_start --stop", OK);
    await sg("sg_start --start", OK);
    assertEquals([unit.medium, ejected], [medium, []]);
    await sg("sg_start --eject", OK);
    assertEquals([unit.medium, ejected], [undefined, [medium]]);

    const absent = /Medium not present/;
    await sg("sg_turs -v", NOT_READY, absent);
    await sg("sg_readcap -v", NOT_READY, absent);
    await sg("sg_sync -v", NOT_READY, absent);
    await sg("sg_start --load", NOT_READY);
    await sg("sg_inq", OK);
    await sg("sg_luns", OK);
    await sg("sg_requests", OK, /No Sense/);

    unit.insert(memoryDisk(4 << 20));
    await sg("sg_inq", OK);
    await sg("sg_turs -v", UNIT_ATTENTION, /medium may have changed/);
    await sg("sg_turs", OK);
    await sg("sg_readcap", OK, /blocks=8192$/m);
  });
});

/** Commands that are refused, by why. */
const REFUSED: Record<string, readonly [cdb: string, options?: string][]> = {
  "Invalid command operation code": [
    ["04 00 00 00 00 00"], // FORMAT UNIT
    ["15 10 00 00 18 00", "--send=24"], // MODE SELECT (6)
    ["55 10 00 00 00 00 00 00 20 00", "--send=32"], // MODE SELECT (10)
    ["16 00 00 00 00 00"], // RESERVE (6)
    ["a3 0c 00 00 00 00 00 00 02 00 00 00", "--request=512"],
    ["43 00 00 00 00 00 00 00 0c 00", "--request=12"], // READ TOC
    ["ff 00 00 00 00 00"],
  ],
  "Logical block address out of range": [
    ["08 00 40 00 01 00", "--request=512"], // READ (6)
    ["28 00 00 00 3f ff 00 00 02 00", "--request=1024"],
    ["a8 00 ff ff ff ff 00 00 00 01 00 00", "--request=512"],
    ["88 00 80 00 00 00 00 00 00 00 00 00 00 01 00 00", "--request=512"],
    ["88 00 ff ff ff ff ff ff ff ff ff ff ff ff 00 00", "--request=512"],
    ["2a 00 00 00 40 00 00 00 01 00", "--send=512"], // WRITE (10)
    ["8a 00 00 00 00 01 00 00 00 00 00 00 00 01 00 00", "--send=512"],
    ["2f 00 00 00 40 01 00 00 00 00"], // VERIFY (10) of nothing
  ],
  "Invalid field in cdb": [
    ["12 00 80 00 60 00", "--request=96"], // a page without EVPD
    ["12 01 84 00 60 00", "--request=96"], // an unknown one
    ["1a 00 1c 00 60 00", "--request=96"], // MODE SENSE: an unknown page
    ["1a 00 08 01 60 00", "--request=96"], // a subpage
    ["28 20 00 00 00 00 00 00 01 00", "--request=512"], // RDPROTECT
    ["28 00 00 00 00 00 00 00 01 04", "--request=512"], // NACA
    ["2a 20 00 00 00 00 00 00 01 00", "--send=512"], // WRPROTECT
    ["2f 04 00 00 00 00 00 00 01 00", "--send=512"], // BYTCHK 2
    ["25 00 00 00 00 01 00 00 00 00", "--request=8"], // READ CAPACITY of a block
    ["9e 12 00 00 00 00 00 00 00 00 00 00 00 20 00 00", "--request=32"],
    ["1b 00 00 00 10 00"], // START STOP UNIT: a power condition
    ["1e 00 00 00 02 00"], // PREVENT ALLOW: a reserved bit
    ["a0 00 20 00 00 00 00 00 01 00 00 00", "--request=256"], // REPORT LUNS
  ],
  "Saving parameters not supported": [
    ["1a 00 c8 00 60 00", "--request=96"],
  ],
  "Parameter list length error": [
    ["42 00 00 00 00 00 00 00 04 00", "--send=4"], // UNMAP
  ],
};

Deno.test("illegal commands fail with the sense that says why, and the disk goes on", async () => {
  const disk = memoryDisk(8 << 20);
  const storage = new MassStorage({ luns: [disk, readOnly(disk)] });
  await withDisk(storage, async ([writable, protectedUnit], bench) => {
    const raw = async (
      unit: number,
      cdb: string,
      options: string,
      sense: string,
    ) => {
      const [{ name }] = list(`${bench.units[unit].path}/scsi_generic`);
      const { code, stdout, stderr } = await new Deno.Command("sg_raw", {
        args: [
          ...`--timeout=10 --infile=${DATA} ${options}`.trim().split(" "),
          `/dev/${name}`,
          ...cdb.split(" "),
        ],
      }).output();
      const decoder = new TextDecoder();
      const text = decoder.decode(stdout) + decoder.decode(stderr);
      assertMatch(text, new RegExp(`^Additional sense: ${sense}$`, "m"), cdb);
      return code;
    };
    for (const [sense, commands] of Object.entries(REFUSED)) {
      for (const [cdb, options = ""] of commands) {
        const code = await raw(0, cdb, options, sense);
        const expected = sense.startsWith("Invalid command")
          ? INVALID_COMMAND
          : sense.startsWith("Logical block")
          ? OUT_OF_RANGE
          : ILLEGAL_REQUEST;
        assertEquals(code, expected, cdb);
      }
    }
    for (
      const [cdb, options] of [
        ["2a 00 00 00 00 00 00 00 01 00", "--send=512"],
        ["8a 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", "--send=512"],
        ["41 00 00 00 00 00 00 00 01 00", "--send=512"],
      ]
    ) {
      assertEquals(await raw(1, cdb, options, "Write protected"), DATA_PROTECT);
    }
    const block = new Uint8Array(BLOCK);
    disk.read(0, block);
    assertEquals(block, new Uint8Array(BLOCK), "something was written");
    for (const sg of [writable, protectedUnit]) await sg("sg_turs", OK);
  });
});
