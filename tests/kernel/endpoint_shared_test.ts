import { setTimeout as delay } from "node:timers/promises";
import "../support/libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { bulkPair } from "@usb/gadget";
import { readTextFile } from "../../ffi/file.ts";
import { startEndpoints } from "../support/endpoint_gadget.ts";
import { pattern } from "../support/pattern.ts";
import { gadgetSpeed } from "../support/speed.ts";

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
    readTextFile(`/proc/${process.pid}/stack`).includes("ffs_epfile");
  while (!waits()) await delay(5);
  return process;
}

Deno.test("reads, writes and halts wait while another program uses the endpoint's file", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, device, addresses: [input, out] } = test;
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
  await delay(200);
  clearInterval(timer);
  assertEquals(order, []);
  assert(ticks > 3, `${ticks} ticks`);
  assertEquals(await device.bulkIn(input, 4 * PACKET), theirs);
  await device.bulkOut(out, pattern(PACKET - 1, 3));
  assertEquals((await reader.output()).stdout, pattern(PACKET - 1, 3));
  await halted;
  await link.out.clearHalt();
  await device.bulkOut(out, pattern(60, 4));
  assertEquals(await reading, pattern(60, 4));
  assertEquals(await device.bulkIn(input, 16 * PACKET), pattern(700, 2));
  await written;
  await writer.stdin.close();
  await reader.stdin.close();
  await Promise.all([writer.output(), reader.status]);
  await Deno.remove(source);
});
