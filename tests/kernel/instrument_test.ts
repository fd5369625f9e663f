// VM: any speed
import "../support/libraries.ts";
import { assertEquals } from "@std/assert";
import { bulkEndpoints } from "../support/echo_host.ts";
import { startExample } from "../support/echo_program.ts";
import { gadgetTraces } from "../support/leftovers.ts";
import { UsbfsDevice } from "../support/usbfs.ts";

const IDENTITY = "Example,Voltage source,1,0.1\n";

Deno.test("examples/instrument.ts answers lines, however they come, and each host begins with one of its own", async () => {
  const before = gadgetTraces();
  {
    await using program = startExample("instrument.ts");
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
    // In pieces, in the middle of a character as well.
    const bytes = new TextEncoder().encode("ΩVOLT 1\nVOLT 3.3\nVOLT?\nERR?\n");
    for (const byte of bytes) {
      await device.bulkOut(output, Uint8Array.of(byte));
    }
    assertEquals(await receive(), "3.300\n");
    assertEquals(await receive(), 'cannot do "ΩVOLT 1"\n');
    // Several at once, more than a packet has.
    await send("VOLT 1\nVOLT?\n".repeat(300) + "VOLT 2\nVOLT?\n");
    for (let n = 0; n < 300; n++) assertEquals(await receive(), "1.000\n");
    assertEquals(await receive(), "2.000\n");
    for (let round = 0; round < 3; round++) {
      // A line without its end. (Not behind a question: its answer may be
      // written after the reset, and goes to the next host then.)
      await send("VOLT 9");
      await device.reset();
      assertEquals(await ask("*IDN?\n"), IDENTITY);
      assertEquals(await ask("VOLT?\n"), "2.000\n");
    }
    assertEquals((await program.end("SIGINT")).text, "");
  }
  assertEquals(gadgetTraces(), before);
});
