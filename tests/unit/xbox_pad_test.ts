/**
 * examples/devices/xbox_pad.ts without a kernel: reports, and commands.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { fakeSession } from "@usb/gadget/testing";
import { XboxPad } from "../../examples/devices/xbox_pad.ts";
import { outcomeOf } from "../support/gadgets/run_setup.ts";

Deno.test("an X-Box pad reports its state when a host comes, and each change", async () => {
  const pad = new XboxPad();
  pad.set({ leftX: 1 });
  using session = fakeSession(pad);
  const served = session.serve();
  const { input } = session.endpoints;
  const report = async () => [...await session.host.read(input, 32)];
  const rest = [0, 0, 0, 0, 0, 0];
  assertEquals(
    await report(),
    [0, 20, 0, 0, 0, 0, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, ...rest],
  );
  pad.set({
    buttons: ["up", "rightStick", "guide", "a", "y"],
    leftTrigger: 1,
    rightTrigger: 0.5,
    leftX: 0,
    leftY: -1,
    rightX: 0.5,
    rightY: 1,
  });
  assertEquals(
    await report(),
    [
      ...[0, 20, 0x81, 0x94, 0xff, 0x80, 0, 0, 0x01, 0x80],
      ...[0, 0x40, 0xff, 0x7f, ...rest],
    ],
  );
  session.end();
  await served;
});

Deno.test("the newest state of an X-Box pad replaces one that the host has not polled", async () => {
  const pad = new XboxPad();
  using session = fakeSession(pad);
  const served = session.serve();
  const { input } = session.endpoints;
  for (let round = 0; round < 5; round++) {
    for (const rightTrigger of [0.2, 0.4, 1]) {
      pad.set({ rightTrigger });
      await new Promise((resolve) => setTimeout(resolve));
    }
    assertEquals((await session.host.read(input, 32))[5], 0xff);
  }
  session.end();
  await served;
  assertEquals(session.reported, []);
});

Deno.test("a host makes an X-Box pad rumble and shine, and its end stops the motors", async () => {
  const commands: string[] = [];
  const pad = new XboxPad({
    onRumble: (heavy, light) => commands.push(`rumble ${heavy} ${light}`),
    onLed: (pattern) => commands.push(`LED ${pattern}`),
  });
  using session = fakeSession(pad);
  const served = session.serve();
  const { output } = session.endpoints;
  for (
    const command of [
      [1, 3, 6],
      [0, 8, 0, 0xff, 0x33, 0, 0, 0],
      // Another command, of which the pad knows nothing
      [2, 8, 3],
      [],
      [0, 8, 0, 0, 0xff, 0, 0, 0],
    ]
  ) await session.host.write(output, Uint8Array.from(command));
  session.end();
  await served;
  assertEquals(commands, [
    "LED 6",
    "rumble 1 0.2",
    "rumble 0 1",
    "rumble 0 0",
  ]);
});

Deno.test("an X-Box pad has one button less than its report has bits", async () => {
  const { control } = new XboxPad();
  const request = (value: number) =>
    outcomeOf(control, {
      type: "vendor",
      recipient: "interface",
      direction: "in",
      request: 1,
      value,
      length: 20,
    });
  const { sent } = await request(0x100) as { sent: number[] };
  assertEquals([sent.length, ...sent.slice(0, 4)], [20, 0, 20, 0xff, 0xf7]);
  assertEquals(await request(0), "stall");
});
