// VM: any speed
import { setTimeout as delay } from "node:timers/promises";
import { assertEquals } from "@std/assert";
import { bulkPair } from "@usb/gadget";
import { readTextFile } from "../../ffi/file.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { pattern } from "../support/data/pattern.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import "../support/run/aio_libraries.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();

/** Starts a program, and waits until it waits for the host in the kernel. */
async function startDd(args: string[]) {
  const process = new Deno.Command("dd", {
    args: [...args, "status=none"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const waits = () =>
    readTextFile(`/proc/${process.pid}/stack`).includes("ffs_epfile_io");
  while (!waits()) await delay(5);
  return process;
}

Deno.test("reads, writes and halts wait while another program uses the endpoint's file", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const source = await Deno.makeTempFile();
  const theirs = pattern(2 * PACKET + 1, 1);
  await Deno.writeFile(source, theirs);
  const reader = await startDd([`if=${link.out.path}`, "bs=4096", "count=1"]);
  const writer = await startDd([
    `if=${source}`,
    `of=${link.in.path}`,
    "bs=4096",
  ]);
  const order: string[] = [];
  const reading = link.read(100).finally(() => order.push("read"));
  const written = link.write(pattern(700, 2)).finally(() =>
    order.push("write")
  );
  const halted = link.out.halt().finally(() => order.push("halt"));
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  while (ticks < 40) await delay(5);
  clearInterval(timer);
  assertEquals(order, []);
  assertEquals(await host.read(link, 4 * PACKET), theirs);
  await host.write(link, pattern(PACKET - 1, 3));
  assertEquals((await reader.output()).stdout, pattern(PACKET - 1, 3));
  await halted;
  await link.out.clearHalt();
  await host.write(link, pattern(60, 4));
  assertEquals(await reading, pattern(60, 4));
  assertEquals(await host.read(link, 16 * PACKET), pattern(700, 2));
  await written;
  await writer.stdin.close();
  await reader.stdin.close();
  await Promise.all([writer.output(), reader.status]);
  await Deno.remove(source);
});

Deno.test("a write that another program's keeps waiting leaves those before it alone", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const source = await Deno.makeTempFile();
  const theirs = pattern(2 * PACKET + 1, 1);
  await Deno.writeFile(source, theirs);
  const first = pattern(40 * PACKET + 3, 2);
  const second = pattern(PACKET + 5, 3);
  const writes = [link.write(first)];
  const begin = await host.read(link, 8 * PACKET);
  // It waits behind the first write, of which the host has not read the rest.
  const writer = await startDd([
    `if=${source}`,
    `of=${link.in.path}`,
    "bs=4096",
  ]);
  writes.push(link.write(second));
  await delay(100);
  const rest = await host.read(link, 40 * PACKET);
  assertEquals([...begin, ...rest], [...first]);
  assertEquals(await host.read(link, 4 * PACKET), theirs);
  assertEquals(await host.read(link, 4 * PACKET), second);
  assertEquals(await Promise.all(writes), [first.length, second.length]);
  await writer.stdin.close();
  await writer.output();
  await Deno.remove(source);
});
