// VM: a class of device, newest kernel
/**
 * examples/smart_card.ts, as a user runs it.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { waitForDevice } from "../../src/testing/usbfs/find.ts";
import { Pcscd } from "../support/host/pcscd.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { startExample } from "../support/programs/example.ts";

Deno.test("examples/smart_card.ts has a file, which opensc-tool reads", async () => {
  const before = gadgetTraces();
  await using example = startExample("smart_card.ts", { args: ["a text"] });
  await waitForDevice({ vendorId: 0x1209, productId: 0x0001 });
  {
    await using pcscd = await Pcscd.start();
    await pcscd.pcsc.until(pcscd.reader, "present");
    const text = await shell(
      "opensc-tool -c default -s 00:A4:00:0C:02:00:01 -s 00:B0:00:00:00",
    );
    assertStringIncludes(text, "SW1=0x90, SW2=0x00");
    assertStringIncludes(text, "61 20 74 65 78 74 a text");
  }
  assertEquals((await example.end("SIGINT")).text, "");
  assertEquals(gadgetTraces(), before);
});
