// VM: --modules xpad,evdev --processors 1, a class of device, newest kernel
/**
 * examples/devices/xbox_pad.ts, with the kernel's xpad and evdev as its host.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { Gadget } from "@usb/gadget";
import {
  type XboxButton,
  XboxPad,
  type XboxPadState,
} from "../../examples/devices/xbox_pad.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import { waitForNoDevice } from "../../src/testing/usbfs/find.ts";
import { reportedErrors } from "../support/gadgets/reported_errors.ts";
import { InputDevice } from "../support/host/input_device.ts";
import {
  decodeInputEvents,
  INPUT_EVENT_SIZE,
  type InputEvent,
} from "../support/host/input_event.ts";
import { waitForInputNode } from "../support/host/input_nodes.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { startExample } from "../support/programs/example.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

const IDS = { vendorId: 0x045e, productId: 0x028e };
const NODE = { ...IDS, kind: "joystick" } as const;

/** Changes without their time. */
function changes(events: readonly InputEvent[]): string[] {
  return events.filter(({ type }) => type !== "EV_SYN")
    .map(({ code, value }) => `${code} ${value}`);
}

/** Turns on an LED, as a user does. */
async function shine(pattern: number): Promise<void> {
  await shell(`echo ${pattern} | tee /sys/class/leds/xpad*/brightness`);
}

/** Opens the pad, and waits for a position of its left stick. */
async function reach(leftX: number, onOpen = () => {}): Promise<Deno.FsFile> {
  const { path } = await waitForInputNode(NODE);
  // An InputDevice may lose the first report.
  const file = await Deno.open(path);
  onOpen();
  const buffer = new Uint8Array(64 * INPUT_EVENT_SIZE);
  const value = Math.round(leftX * 0x7fff);
  for (;;) {
    const count = await file.read(buffer) ?? 0;
    const events = decodeInputEvents(buffer.subarray(0, count));
    if (events.some((it) => it.code === "ABS_X" && it.value === value)) {
      return file;
    }
  }
}

/** A running gadget, and what its host has asked for. */
async function startPad() {
  const rumbles: string[] = [];
  const leds: number[] = [];
  const pad = new XboxPad({
    onRumble: (...motors) => rumbles.push(motors.join(" ")),
    onLed: (pattern) => leds.push(pattern),
  });
  const gadget = await Gadget.start({
    ...IDS,
    deviceVersion: 0x0114,
    maxSpeed: "full-speed",
    functions: [pad],
  });
  const { errors } = reportedErrors(gadget.functions.pad.events);
  return {
    pad,
    gadget,
    rumbles,
    leds,
    async [Symbol.asyncDispose]() {
      await gadget.stop();
      await waitForNoDevice(IDS);
      assertEquals(errors, []);
    },
  };
}

Deno.test("examples/devices/xbox_pad.ts moves a stick in circles, and presses A", async () => {
  const before = gadgetTraces();
  await using example = startExample("devices/xbox_pad.ts");
  await using input = await InputDevice.open(NODE);
  const reach = (code: string, fits: (value: number) => boolean) =>
    input.until((each) => each.code === code && fits(each.value));
  for (let round = 0; round < 2; round++) {
    await reach("BTN_SOUTH", (value) => value === 1);
    await reach("ABS_X", (value) => value > 30_000);
    await reach("ABS_Y", (value) => value > 30_000);
    await reach("ABS_X", (value) => value < -30_000);
  }
  assertEquals((await example.end("SIGINT")).text, "LED 2\n");
  await waitForNoDevice(IDS);
  assertEquals(gadgetTraces(), before);
});

Deno.test("xpad has buttons, sticks, triggers and the directional pad as they are set", async () => {
  await using bench = await startPad();
  await using input = await InputDevice.open(NODE);
  const set = async (state: Partial<XboxPadState>) => {
    bench.pad.set(state);
    return changes((await input.takeReports(1))[0]);
  };
  const { minimum, maximum } = input.axis("ABS_X");
  assertEquals([minimum, maximum], [-0x8000, 0x7fff]);
  const buttons = [
    ["a", "BTN_SOUTH 1"],
    ["b", "BTN_EAST 1"],
    ["x", "BTN_NORTH 1"],
    ["y", "BTN_WEST 1"],
    ["leftShoulder", "BTN_TL 1"],
    ["rightShoulder", "BTN_TR 1"],
    ["leftStick", "BTN_THUMBL 1"],
    ["rightStick", "BTN_THUMBR 1"],
    ["back", "BTN_SELECT 1"],
    ["start", "BTN_START 1"],
    ["guide", "BTN_MODE 1"],
    ["up", "ABS_HAT0Y -1"],
    ["down", "ABS_HAT0Y 1"],
    ["left", "ABS_HAT0X -1"],
    ["right", "ABS_HAT0X 1"],
  ] as [XboxButton, string][];
  for (const [button, change] of buttons) {
    assertEquals(await set({ buttons: [button] }), [change]);
    const [code] = change.split(" ");
    assertEquals(await set({ buttons: [] }), [`${code} 0`]);
  }
  assertEquals(await set({ buttons: ["a", "start", "up"] }), [
    "ABS_HAT0Y -1",
    "BTN_START 1",
    "BTN_SOUTH 1",
  ]);
  assertEquals(await set({ leftX: -1, leftY: 0.5 }), [
    "ABS_X -32767",
    // Linux turns it upside down.
    "ABS_Y -16385",
  ]);
  assertEquals(await set({ rightX: 1, rightY: -1 }), [
    "ABS_RX 32767",
    "ABS_RY 32766",
  ]);
  assertEquals(await set({ leftTrigger: 1, rightTrigger: 0.4 }), [
    "ABS_Z 255",
    "ABS_RZ 102",
  ]);
});

Deno.test("of 1000 states faster than the host polls, the last one arrives", async () => {
  await using bench = await startPad();
  await using input = await InputDevice.open(NODE);
  for (let round = 0; round < soak(30, 6); round++) {
    for (let n = 1; n <= 1000; n++) bench.pad.set({ leftX: n / 1000 });
    const events = await input.until(({ value }) => value === 0x7fff);
    // What was on its way, and the newest
    assert(events.filter(({ code }) => code === "ABS_X").length <= 3);
    bench.pad.set({ leftX: 0 });
    await input.until(({ code, value }) => code === "ABS_X" && value === 0);
  }
  assertEquals(changes(input.drain()), []);
});

Deno.test("the host makes a pad rumble and shine", async () => {
  await using bench = await startPad();
  const { rumbles, leds } = bench;
  const { path } = await waitForInputNode(NODE);
  await until(() => leds.length > 0, "the pad shines as the first one");
  await shine(7);
  await until(() => leds.length > 1, "the second LED is on");
  assertEquals(leds, [2, 7]);
  const child = new Deno.Command("fftest", {
    args: [path],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = new Response(child.stdout).text();
  const writer = child.stdin.getWriter();
  const rumble = async (line: string, what: string, pattern: RegExp) => {
    await writer.write(new TextEncoder().encode(`${line}\n`));
    await until(() => pattern.test(rumbles.at(-1) ?? ""), what);
  };
  // Its list: 4 is the heavy motor, 5 the light one.
  await rumble("4", "the heavy motor turns", /^0\.\d+ 0$/);
  await rumble("5", "the light one turns, too", / 0\.\d+$/);
  await writer.write(new TextEncoder().encode("-1\n"));
  await writer.close();
  const { success } = await child.status;
  assert(success, await output);
  await output;
  await until(() => rumbles.at(-1) === "0 0", "both stop");
});

for (
  const [what, leave] of [
    ["closes the pad", () => {}],
    ["resets the pad", async () => {
      await using device = await UsbfsDevice.find(IDS);
      await device.reset();
    }],
    ["unplugs the pad", async (gadget) => {
      gadget.unbind();
      await waitForNoDevice(IDS);
      await gadget.bind();
    }],
  ] as [string, (gadget: Gadget) => unknown][]
) {
  Deno.test(`after a host that ${what}, the next one gets its newest state, and makes it shine`, async () => {
    await using bench = await startPad();
    const { pad, gadget, leds } = bench;
    for (let round = 0; round < soak(50, 4); round++) {
      {
        using _ = await reach(1, () => pad.set({ leftX: 1 }));
        // Several that this host does not take
        for (let n = 0; n < 10; n++) pad.set({ leftX: n / 20 });
        await leave(gadget);
      }
      pad.set({ leftX: -1 });
      using _ = await reach(-1);
      await shine(9);
      await until(() => leds.at(-1) === 9, "an LED is on");
      leds.push(0);
    }
  });
}
