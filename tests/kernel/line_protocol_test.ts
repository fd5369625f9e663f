// VM: any speed, newest kernel
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { bulkEndpoints } from "../support/host/echo.ts";
import { startExample } from "../support/programs/example.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";

const IDENTITY = "Example,Voltage source,1,0.1\n";

Deno.test("examples/line_protocol.ts answers lines in any division, and drops what a host left unfinished", async () => {
  const before = gadgetTraces();
  {
    await using program = startExample("line_protocol.ts");
    await using device = await UsbfsDevice.find({
      vendorId: 0x1209,
      productId: 0x0001,
    });
    await device.claimInterface(0);
    const { input, output } = bulkEndpoints(device);
    const send = (text: string) =>
      device.bulkOut(output, new TextEncoder().encode(text));
    const receive = async () =>
      new TextDecoder().decode(await device.bulkIn(input, 4096));
    const ask = async (question: string) => {
      await send(question);
      return await receive();
    };
    assertEquals(await ask("*IDN?\n"), IDENTITY);
    assertEquals(await ask("*idn?\r\n"), IDENTITY);
    // In pieces, even within a character.
    const bytes = new TextEncoder().encode("ΩVOLT 1\nVOLT 3.3\nVOLT?\nERR?\n");
    for (const byte of bytes) {
      await device.bulkOut(output, Uint8Array.of(byte));
    }
    assertEquals(await receive(), "3.300\n");
    assertEquals(await receive(), 'cannot do "ΩVOLT 1"\n');
    // Several lines at once, more than fit in a packet. (Not many more: see
    // CONTRIBUTING.md on small writes.)
    await send("VOLT 1\nVOLT?\n".repeat(80) + "VOLT 2\nVOLT?\n");
    for (let n = 0; n < 80; n++) assertEquals(await receive(), "1.000\n");
    assertEquals(await receive(), "2.000\n");
    // Often: the line may reach the program together with the end of its session.
    for (let round = 0; round < 30; round++) {
      // An unfinished line. (Not after a query: its answer might be written after
      // the reset, and would go to the next host.)
      await send("VOLT 9");
      await device.reset();
      assertEquals(await ask("*IDN?\n"), IDENTITY);
      assertEquals(await ask("VOLT?\n"), "2.000\n");
    }
    assertEquals((await program.end("SIGINT")).text, "");
  }
  assertEquals(gadgetTraces(), before);
});
