// VM: a class of device
/**
 * Bulk-Only Transport of a disk: what is no valid command, the class requests, and
 * several logical units.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { pattern } from "../support/data/pattern.ts";
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
import { gadgetSpeed } from "../support/run/speed.ts";

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
  for (const length of [0, 1, 13, 30, 32, 63, PACKET - 1, PACKET, 5 * PACKET]) {
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
      // More than a packet may be stalled itself.
      await outcome(host.pipe.send(new Uint8Array(data)));
      await assertHalted(bench, name);
      // To clear the halts is not enough.
      await host.pipe.clearHalt("in");
      await host.pipe.clearHalt("out");
      await host.command({
        cdb: write10(0, 1),
        length: BLOCK,
        direction: "out",
      });
      await assertHalted(bench, `a command after ${name}`);
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

Deno.test("class requests with a wrong value or length are stalled", async () => {
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
