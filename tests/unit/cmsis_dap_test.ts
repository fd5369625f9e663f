/**
 * examples/devices/cmsis_dap.ts and its chip, without a kernel.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { fakeSession } from "@usb/gadget/testing";
import { CmsisDap } from "../../examples/devices/cmsis_dap.ts";
import { MemoryTarget } from "../../examples/devices/swd_target.ts";

/** A probe with a chip of 64 bytes at 0x20000000, and its host. */
function start() {
  const target = new MemoryTarget(0x2000_0000, 64);
  const session = fakeSession(new CmsisDap(target));
  const served = session.serve();
  const { link } = session.endpoints;
  const ask = async (...command: number[]) => {
    await session.host.write(link, Uint8Array.from(command));
    return [...await session.host.read(link, 1024)];
  };
  return {
    target,
    ask,
    async [Symbol.asyncDispose]() {
      session.end();
      await served;
      assertEquals(session.reported, []);
    },
  };
}

// Transfers: registers of the ports
const [READ_DPIDR, READ_STAT, READ_DRW] = [0x02, 0x06, 0x0f];
const [ABORT, CTRL, SELECT, CSW, TAR, DRW] = [0x00, 0x04, 0x08, 1, 0x05, 0x0d];

const text = (string: string) => [
  string.length + 1,
  ...new TextEncoder().encode(`${string}\0`),
];

Deno.test("a probe describes itself", async () => {
  await using probe = start();
  for (
    const [id, ...value] of [
      [0x01, ...text("Example")],
      [0x04, ...text("2.1.0")],
      [0xf0, 1, 0x01],
      [0xfe, 1, 4],
      [0xff, 2, 0x00, 0x02],
      [0x03, 0],
    ]
  ) assertEquals(await probe.ask(0x00, id), [0x00, ...value]);
});

Deno.test("a probe answers each command, and those that it does not know", async () => {
  await using probe = start();
  for (
    const [command, answer] of [
      [[0x01, 0, 1], [0x01, 0]],
      [[0x02, 2], [0x02, 0]],
      [[0x02, 0], [0x02, 1]],
      [[0x04, 0, 64, 0, 3, 0], [0x04, 0]],
      [[0x09, 0xe8, 0x03], [0x09, 0]],
      [[0x0a], [0x0a, 0, 1]],
      [[0x10, 0x01, 0x81, 0, 0, 0, 0], [0x10, 0x01]],
      [[0x10, 0x80, 0x80, 0, 0, 0, 0], [0x10, 0x81]],
      [[0x11, 0x40, 0x42, 0x0f, 0x00], [0x11, 0]],
      [[0x11, 0, 0, 0, 0], [0x11, 0xff]],
      [[0x12, 16, 0x9e, 0xe7], [0x12, 0]],
      [[0x13, 0], [0x13, 0]],
      [[0x08, 0, 4, 0, 0, 0], [0x08, 0]],
      [[0x03], [0x03, 0]],
      [[0x08, 0, 4, 0, 0, 0], [0x08, 0xff]], // not connected
      [[0x14], [0xff]],
      [[0x11, 0], [0xff]], // too short
    ]
  ) assertEquals(await probe.ask(...command), answer);
});

Deno.test("a probe transfers registers, up to the first that fails", async () => {
  await using probe = start();
  // Not connected
  assertEquals(await probe.ask(0x05, 0, 1, READ_DPIDR), [0x05, 0, 7]);
  await probe.ask(0x02, 1);
  assertEquals(
    await probe.ask(
      ...[0x05, 0, 3, READ_DPIDR],
      ...[CTRL, 0, 0, 0, 0x50],
      READ_STAT,
    ),
    [0x05, 3, 1, 0x77, 0x14, 0xa0, 0x2b, 0, 0, 0, 0xf0],
  );
  // Beyond the memory
  const words = [SELECT, 0, 0, 0, 0, CSW, 0x12, 0, 0, 0];
  assertEquals(
    await probe.ask(
      ...[0x05, 0, 5, ...words, TAR, 0x3c, 0, 0, 0x20],
      ...[READ_DRW, READ_DRW],
    ),
    [0x05, 4, 4, 0, 0, 0, 0],
  );
  assertEquals(
    await probe.ask(0x05, 0, 3, READ_STAT, ABORT, 4, 0, 0, 0, READ_STAT),
    [0x05, 3, 1, 0x20, 0, 0, 0xf0, 0, 0, 0, 0xf0],
  );
});

Deno.test("a probe transfers blocks, and small values at their places", async () => {
  await using probe = start();
  await probe.ask(0x02, 1);
  const at = (csw: number, address: number) =>
    probe.ask(0x05, 0, 2, CSW, csw, 0, 0, 0, TAR, address, 0, 0, 0x20);
  await at(0x12, 8);
  assertEquals(
    await probe.ask(0x06, 0, 2, 0, DRW, 1, 2, 3, 4, 5, 6, 7, 8),
    [0x06, 2, 0, 1],
  );
  await at(0x10, 9);
  await probe.ask(0x05, 0, 2, DRW, 9, 0xaa, 9, 9, DRW, 9, 9, 0xbb, 9);
  await at(0x11, 14);
  await probe.ask(0x05, 0, 1, DRW, 9, 9, 0xcc, 0xdd);
  assertEquals([...probe.target.memory.slice(2, 4)], [
    0x04bb_aa01,
    0xddcc_0605,
  ]);
  await at(0x12, 8);
  assertEquals(await probe.ask(0x06, 0, 2, 0, READ_DRW), [
    ...[0x06, 2, 0, 1],
    ...[0x01, 0xaa, 0xbb, 0x04, 0x05, 0x06, 0xcc, 0xdd],
  ]);
});

Deno.test("a probe reads until a register has a value, or it has tried enough", async () => {
  await using probe = start();
  await probe.ask(0x02, 1);
  await probe.ask(0x04, 0, 0, 0, 3, 0);
  probe.target.memory.set([0x100, 0x200, 0x300, 0x400, 0x500]);
  const match = (value: number) =>
    probe.ask(
      ...[0x05, 0, 4, CSW, 0x12, 0, 0, 0, TAR, 0, 0, 0, 0x20],
      ...[0x20, 0, 0xff, 0, 0],
      ...[READ_DRW | 0x10, 0, value, 0, 0],
    );
  assertEquals(await match(4), [0x05, 4, 1]);
  assertEquals(await match(5), [0x05, 3, 0x11]);
});
