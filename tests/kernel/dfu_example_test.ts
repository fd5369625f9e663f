// VM: a class of device, newest kernel
/**
 * examples/dfu.ts, as a user runs it.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { waitForDevice } from "../../src/testing/usbfs/find.ts";
import { pattern } from "../support/data/pattern.ts";
import { makeImageFolder } from "../support/gadgets/storage_bench.ts";
import { runDfuUtil } from "../support/host/dfu_util.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { startExample } from "../support/programs/example.ts";

Deno.test("examples/dfu.ts takes firmware from dfu-util, runs it, and gives it back", async () => {
  const before = gadgetTraces();
  await using folder = await makeImageFolder();
  const [sent, got] = [`${folder.path}/sent`, `${folder.path}/got`];
  await Deno.writeFile(sent, pattern(50_000, 1));
  await using example = startExample("dfu.ts");
  const app = { vendorId: 0x1209, productId: 0x0001 };
  const boot = { vendorId: 0x1209, productId: 0x0002 };
  for (const args of [["-D", sent, "-R"], ["-U", got]]) {
    await waitForDevice(app);
    await runDfuUtil("-e");
    await waitForDevice(boot);
    await runDfuUtil("-d", "1209:0002", ...args);
  }
  assertEquals(await Deno.readFile(got), pattern(50_000, 1));
  const { text } = await example.end("SIGINT");
  assertEquals(text.trim().split("\n"), [
    "Running 0 bytes of firmware",
    "DFU mode",
    "Running 50000 bytes of firmware",
    "DFU mode",
  ]);
  assertEquals(gadgetTraces(), before);
});
