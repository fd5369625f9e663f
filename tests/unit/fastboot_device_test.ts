/**
 * examples/devices/fastboot.ts, without a kernel: commands, images, hosts that stop.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { fakeSession } from "@usb/gadget/testing";
import { Fastboot, type Partition } from "../../examples/devices/fastboot.ts";
import { piecesOf } from "../../examples/devices/sparse_image.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Memory as a partition. */
class Memory implements Partition {
  readonly bytes: Bytes;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  get size(): number {
    return this.bytes.length;
  }

  // deno-lint-ignore require-await
  async write(offset: number, data: Bytes): Promise<void> {
    this.bytes.set(data, offset);
  }

  // deno-lint-ignore require-await
  async erase(): Promise<void> {
    this.bytes.fill(0);
  }
}

/** A device with partitions of 100,000 and 1,000 bytes, and its host. */
function start(patience = 60_000) {
  const partitions = { boot: new Memory(100_000), small: new Memory(1000) };
  const fastboot = new Fastboot({
    product: "example",
    serialNumber: "1",
    partitions,
    maxDownload: 200_000,
    patience,
  });
  const session = fakeSession(fastboot);
  const served = session.serve();
  const { link } = session.endpoints;
  const { host } = session;
  const send = (data: string | Bytes) =>
    host.write(
      link,
      typeof data === "string" ? new TextEncoder().encode(data) : data,
    );
  const receive = async () =>
    new TextDecoder().decode(await host.read(link, 256));
  const ask = async (command: string) => {
    await send(command);
    return await receive();
  };
  return {
    partitions,
    fastboot,
    send,
    receive,
    ask,
    async [Symbol.asyncDispose]() {
      session.end();
      await served;
      assertEquals(session.reported, []);
    },
  };
}

Deno.test("fastboot answers with a variable, or with all of them", async () => {
  await using device = start();
  assertEquals(await device.ask("getvar:product"), "OKAYexample");
  assertEquals(await device.ask("getvar:partition-size:small"), "OKAY0x3e8");
  assertEquals(await device.ask("getvar:nothing"), "FAILunknown variable");
  const lines = [];
  let line = await device.ask("getvar:all");
  for (; line.startsWith("INFO"); line = await device.receive()) {
    lines.push(line.slice(4));
  }
  assertEquals(line, "OKAY");
  assertEquals(lines.slice(0, 3), [
    "version:0.4",
    "product:example",
    "serialno:1",
  ]);
  assertEquals(lines.includes("partition-type:boot:raw"), true);
});

Deno.test("fastboot flashes what it has downloaded, and nothing that does not fit", async () => {
  await using device = start();
  const { boot, small } = device.partitions;
  assertEquals(await device.ask("flash:boot"), "FAILnothing was downloaded");
  assertEquals(await device.ask("download:000186a0"), "DATA000186a0");
  const image = pattern(100_000);
  // In any division; empty packets do not count.
  await device.send(image.subarray(0, 512));
  await device.send("");
  await device.send(image.subarray(512, 1000));
  await device.send(image.subarray(1000));
  assertEquals(await device.receive(), "OKAY");
  assertEquals(
    await device.ask("flash:small"),
    "FAILimage of 100000 bytes, partition of 1000",
  );
  assertEquals(small.bytes, new Uint8Array(1000));
  assertEquals(await device.ask("flash:toString"), "FAILno partition toString");
  assertEquals(await device.ask("flash:boot"), "OKAY");
  assertEquals(firstDifference(boot.bytes, image), -1);
  assertEquals(await device.ask("erase:boot"), "OKAY");
  assertEquals(boot.bytes, new Uint8Array(100_000));
});

Deno.test("fastboot refuses what it does not know, and downloads of no or too large a size", async () => {
  await using device = start();
  for (
    const [command, answer] of [
      ["oem x", "FAILunknown command"],
      ["reboot-nowhere", "FAILunknown command"],
      ["erase:nothing", "FAILno partition nothing"],
      [`erase:${"x".repeat(100)}`, `FAILno partition ${"x".repeat(47)}`],
      ["download:00000000", "FAILthe download has no size"],
      ["download:x", "FAILthe download has no size"],
      ["download:00030d41", "FAILdownload too large"],
    ]
  ) assertEquals(await device.ask(command), answer);
});

Deno.test("fastboot resolves `left` to the command that ends it", async () => {
  await using device = start();
  assertEquals(await device.ask("reboot-bootloader"), "OKAY");
  assertEquals(await device.fastboot.left, "reboot-bootloader");
});

Deno.test("a command in place of the data is answered when the download has timed out", async () => {
  await using device = start(300);
  assertEquals(await device.ask("download:00010000"), "DATA00010000");
  // Packets of a host that was killed; the next one knows nothing of it.
  await device.send(pattern(4096));
  assertEquals(await device.ask("getvar:product"), "OKAYexample");
  assertEquals(await device.ask("flash:boot"), "FAILnothing was downloaded");
});

Deno.test("an answer that no host takes is withdrawn", async () => {
  await using device = start(50);
  await device.send("getvar:version");
  await device.send("getvar:product");
  // Accepted when the first answer has timed out
  await device.send("getvar:serialno");
  assertEquals(await device.receive(), "OKAY1");
});

/** A sparse image with blocks of 16 bytes. */
function sparse(...chunks: { type: number; blocks: number; data?: Bytes }[]) {
  const parts: Bytes[] = [];
  const words = (...values: number[]) => {
    const view = new DataView(new ArrayBuffer(4 * values.length));
    values.forEach((value, n) => view.setUint32(4 * n, value, true));
    return new Uint8Array(view.buffer);
  };
  const total = chunks.reduce((sum, { blocks }) => sum + blocks, 0);
  parts.push(
    words(0xed26ff3a, 0x0000_0001, 0x000c_001c, 16, total, chunks.length, 0),
  );
  for (const { type, blocks, data = new Uint8Array(0) } of chunks) {
    parts.push(words(type, blocks, 12 + data.length), data);
  }
  return new Blob(parts).bytes();
}

Deno.test("a sparse image has pieces at their places", async () => {
  const image = await sparse(
    { type: 0xcac3, blocks: 2 },
    { type: 0xcac1, blocks: 3, data: pattern(48) },
    { type: 0xcac4, blocks: 0, data: new Uint8Array(4) },
    { type: 0xcac2, blocks: 1, data: Uint8Array.of(1, 2, 3, 4) },
    { type: 0xcac3, blocks: 1 },
  );
  const fill = [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4];
  assertEquals([...piecesOf(image, 112)], [
    { offset: 32, data: pattern(48) },
    { offset: 80, data: Uint8Array.from(fill) },
  ]);
  const failure = (image: Bytes, size: number) => {
    try {
      return [...piecesOf(image, size)];
    } catch (error) {
      return (error as Error).message;
    }
  };
  assertEquals(failure(image, 111), "image of 112 bytes, partition of 111");
  const damaged = await sparse({ type: 0xcac1, blocks: 2, data: pattern(16) });
  assertEquals(failure(damaged, 112), "chunk 0 of the image is damaged");
  // A raw image may begin with anything.
  assertEquals([...piecesOf(pattern(27), 27)], [
    { offset: 0, data: pattern(27) },
  ]);
});
