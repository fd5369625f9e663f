/**
 * Mice, tablets, pads and media keys, with the kernel's usbhid, hid-generic and
 * evdev as their host.
 *
 * @module
 */
// VM: --modules usbhid,hid-generic,evdev --processors 1, a class of device
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { Gadget, type GadgetFunction } from "@usb/gadget";
import {
  ConsumerControl,
  Gamepad,
  HidFunction,
  Keyboard,
  Mouse,
  type ReportDescriptor,
  reportDescriptor,
  reportId,
  type ReportItem,
  type ReportValues,
  type Rumble,
  SystemControl,
  Tablet,
} from "@usb/gadget/hid";
import { InputDevice } from "../support/host/input_device.ts";
import type { InputEvent } from "../support/host/input_event.ts";
import {
  type InputKind,
  waitForInputNode,
} from "../support/host/input_nodes.ts";
import { shell } from "../support/machine/shell.ts";
import { startExample } from "../support/programs/example.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

const { maxSpeed } = gadgetSpeed();
const ids = { vendorId: 0x1209, productId: 0x0001 };
/** Linux has a driver for the motors of this pad: hid-dr. */
const dragonRise = { vendorId: 0x0079, productId: 0x0006 };

function start(functions: readonly GadgetFunction[], fields = ids) {
  return Gadget.start({ ...fields, maxSpeed, functions });
}

/** Changes without their time, and without the usages that keys come from. */
function changes(events: readonly InputEvent[]): string[] {
  return events.filter(({ type }) => type !== "EV_MSC" && type !== "EV_SYN")
    .map(({ code, value }) => `${code} ${value}`);
}

/** The changes of the next reports. */
async function next(input: InputDevice, count = 1): Promise<string[][]> {
  return (await input.takeReports(count)).map(changes);
}

Deno.test("a mouse moves, clicks and scrolls in fine steps", async () => {
  const mouse = new Mouse();
  await using _ = await start([mouse]);
  await using input = await InputDevice.open({ ...ids, kind: "mouse" });
  await mouse.move(30, -10);
  await mouse.move(40_000, 0);
  assertEquals(await next(input, 3), [
    ["REL_X 30", "REL_Y -10"],
    ["REL_X 32767"],
    ["REL_X 7233"],
  ]);
  for (const button of ["left", "right", "middle"] as const) {
    await mouse.click(button);
    const code = `BTN_${button.toUpperCase()}`;
    assertEquals(await next(input, 2), [[`${code} 1`], [`${code} 0`]]);
  }
  await mouse.press("left", "back");
  await mouse.move(1, 1);
  await mouse.release("left", "back");
  assertEquals(await next(input, 3), [
    ["BTN_LEFT 1", "BTN_SIDE 1"],
    ["REL_X 1", "REL_Y 1"],
    ["BTN_LEFT 0", "BTN_SIDE 0"],
  ]);
  // usbhid has set the resolution: 120 steps a detent.
  await mouse.scroll(1);
  await mouse.scroll(-0.25);
  await mouse.scroll(0, 2);
  assertEquals(
    await next(input, 3),
    [
      ["REL_WHEEL_HI_RES 120", "REL_WHEEL 1"],
      ["REL_WHEEL_HI_RES -30"],
      ["REL_HWHEEL_HI_RES 240", "REL_HWHEEL 2"],
    ].map((each) => each.sort()),
  );
});

Deno.test("a tablet has absolute coordinates, and its newest position wins", async () => {
  const tablet = new Tablet();
  await using _ = await start([tablet]);
  await using input = await InputDevice.open({ ...ids, kind: "tablet" });
  const { minimum, maximum } = input.axis("ABS_X");
  assertEquals([minimum, maximum], [0, 0x7fff]);
  tablet.moveTo(0.25, 0.75);
  assertEquals(await next(input), [["ABS_X 8192", "ABS_Y 24575"]]);
  await tablet.click();
  await tablet.scroll(-1);
  assertEquals(changes(await input.until(({ code }) => code === "REL_WHEEL")), [
    "BTN_LEFT 1",
    "BTN_LEFT 0",
    "REL_WHEEL -1",
  ]);
});

Deno.test("a pad has axes, a hat and 16 buttons where Linux expects them", async () => {
  const pad = new Gamepad();
  await using _ = await start([pad]);
  await using input = await InputDevice.open({ ...ids, kind: "joystick" });
  for (const axis of ["ABS_X", "ABS_Y", "ABS_RX", "ABS_RY"]) {
    const { minimum, maximum } = input.axis(axis);
    assertEquals([axis, minimum, maximum], [axis, -0x7fff, 0x7fff]);
  }
  for (const trigger of ["ABS_Z", "ABS_RZ"]) {
    const { minimum, maximum } = input.axis(trigger);
    assertEquals([trigger, minimum, maximum], [trigger, 0, 255]);
  }
  for (const hat of ["ABS_HAT0X", "ABS_HAT0Y"]) {
    const { minimum, maximum } = input.axis(hat);
    assertEquals([hat, minimum, maximum], [hat, -1, 1]);
  }
  const set = async (state: Parameters<Gamepad["set"]>[0]) => {
    pad.set(state);
    return (await next(input))[0];
  };
  assertEquals(await set({ leftX: -1, leftY: 0.5 }), [
    "ABS_X -32767",
    "ABS_Y 16384",
  ]);
  assertEquals(await set({ rightX: 1, rightY: -0.5 }), [
    "ABS_RX 32767",
    "ABS_RY -16383",
  ]);
  assertEquals(await set({ leftTrigger: 1, rightTrigger: 0.4 }), [
    "ABS_Z 255",
    "ABS_RZ 102",
  ]);
  assertEquals(await set({ hat: "up" }), ["ABS_HAT0Y -1"]);
  assertEquals(await set({ hat: "down left" }), [
    "ABS_HAT0X -1",
    "ABS_HAT0Y 1",
  ]);
  assertEquals(await set({ hat: null }), ["ABS_HAT0X 0", "ABS_HAT0Y 0"]);
  const codes = [
    ["south", "BTN_SOUTH"],
    ["east", "BTN_EAST"],
    ["north", "BTN_NORTH"],
    ["west", "BTN_WEST"],
    ["leftShoulder", "BTN_TL"],
    ["rightTrigger", "BTN_TR2"],
    ["select", "BTN_SELECT"],
    ["start", "BTN_START"],
    ["mode", "BTN_MODE"],
    ["rightStick", "BTN_THUMBR"],
  ] as const;
  for (const [button, code] of codes) {
    assertEquals(await set({ buttons: [button] }), [`${code} 1`]);
    assertEquals(await set({ buttons: [] }), [`${code} 0`]);
  }
});

Deno.test("of 1000 states faster than the host polls, the last one arrives, and none is older than the one before it", async () => {
  const rounds = soak(30, 6);
  // Of a pad, Linux leaves out small changes.
  const tablet = new Tablet();
  await using _ = await start([tablet]);
  await using input = await InputDevice.open({ ...ids, kind: "tablet" });
  let value = 0;
  for (let round = 0; round < rounds; round++) {
    const first = value + 1;
    // All at once, or some in later turns of the event loop.
    for (let n = 0; n < 1000; n++) {
      tablet.moveTo(++value / 0x7fff, 0);
      if (n % 100 === 99 && round % 2 === 1) {
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
    const last = value;
    const events = await input.until((each) =>
      each.code === "ABS_X" && each.value === last
    );
    const seen = events.filter(({ code }) => code === "ABS_X")
      .map((each) => each.value);
    assertEquals(seen, seen.toSorted((a, b) => a - b));
    assert(seen[0] >= first, `${seen[0]} is from the round before`);
    // In one turn: what was on its way, and the newest.
    if (round % 2 === 0) assert(seen.length <= 3, `${seen.length} states`);
  }
  assertEquals(input.drain().filter(({ code }) => code === "ABS_X"), []);
});

Deno.test("examples/gamepad.ts moves a stick in circles, and presses a button", async () => {
  await shell("modprobe hid-dr");
  await using program = startExample("gamepad.ts");
  await using input = await InputDevice.open({
    ...dragonRise,
    kind: "joystick",
  });
  const reach = (code: string, fits: (value: number) => boolean) =>
    input.until((each) => each.code === code && fits(each.value));
  for (let round = 0; round < 2; round++) {
    await reach("ABS_X", (value) => value > 30_000);
    await reach("ABS_Y", (value) => value > 30_000);
    await reach("ABS_X", (value) => value < -30_000);
    await reach("BTN_SOUTH", (value) => value === 1);
  }
  assertEquals((await program.end("SIGINT")).text, "");
});

Deno.test("the host makes a pad rumble", async () => {
  await shell("modprobe hid-dr");
  const rumbles: Rumble[] = [];
  const pad = new Gamepad({ onRumble: (rumble) => rumbles.push(rumble) });
  await using _ = await start([pad], dragonRise);
  const { path } = await waitForInputNode({ ...dragonRise, kind: "joystick" });
  const child = new Deno.Command("fftest", {
    args: [path],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = new Response(child.stdout).text();
  const writer = child.stdin.getWriter();
  const play = (effect: number) =>
    writer.write(new TextEncoder().encode(`${effect}\n`));
  // Its list: 4 is the heavy motor, 5 the light one.
  await play(4);
  await until(
    () => rumbles.some(({ strong, weak }) => strong > 0 && weak === 0),
    "the heavy motor turns",
  );
  await play(5);
  await until(() => rumbles.some(({ weak }) => weak > 0), "the light one, too");
  await play(-1);
  await writer.close();
  const { success } = await child.status;
  assert(success, await output);
  await output;
  await until(
    () => rumbles.at(-1)?.strong === 0 && rumbles.at(-1)?.weak === 0,
    "both stop",
  );
});

Deno.test("media and power keys are pressed and released", async () => {
  const media = new ConsumerControl();
  const power = new SystemControl();
  await using _ = await start([media, power]);
  await using mediaInput = await InputDevice.open({
    ...ids,
    kind: "consumer control",
  });
  await using powerInput = await InputDevice.open({
    ...ids,
    kind: "system control",
  });
  const keys = [
    ["AudioVolumeUp", "KEY_VOLUMEUP"],
    ["AudioVolumeMute", "KEY_MUTE"],
    ["MediaPlayPause", "KEY_PLAYPAUSE"],
    ["BrowserBack", "KEY_BACK"],
    [0x192, "KEY_CALC"],
  ] as const;
  for (const [key, code] of keys) {
    await media.tap(key);
    assertEquals(await next(mediaInput, 2), [[`${code} 1`], [`${code} 0`]]);
  }
  // The guest has no program that would obey.
  await power.tap("sleep");
  assertEquals(await next(powerInput, 2), [["KEY_SLEEP 1"], ["KEY_SLEEP 0"]]);
});

/** The devices of the next tests: what each does, and what the host sees. */
const DEVICES: readonly {
  readonly kind: InputKind;
  readonly make: () => HidFunction;
  readonly values: ReportValues;
  readonly change: string;
}[] = [
  {
    kind: "keyboard",
    make: () => new Keyboard(),
    values: {},
    change: "KEY_A 1",
  },
  {
    kind: "mouse",
    make: () => new Mouse(),
    values: { x: 5 },
    change: "REL_X 5",
  },
  {
    kind: "joystick",
    make: () => new Gamepad(),
    values: { x: 1000, hat: null },
    change: "ABS_X 1000",
  },
  {
    kind: "consumer control",
    make: () => new ConsumerControl(),
    values: { keys: [0xe9] },
    change: "KEY_VOLUMEUP 1",
  },
];

Deno.test("keyboard, mouse, pad and media keys work as four functions of a gadget", async () => {
  const keyboard = new Keyboard();
  const mouse = new Mouse();
  const pad = new Gamepad();
  const media = new ConsumerControl();
  await using _ = await start([keyboard, mouse, pad, media]);
  await using inputs = new AsyncDisposableStack();
  const open = async (kind: InputKind) =>
    inputs.use(await InputDevice.open({ ...ids, kind }));
  const devices = [];
  for (const { kind } of DEVICES) devices.push(await open(kind));
  pad.set({ leftX: 1000 / 0x7fff });
  await Promise.all([
    keyboard.press("KeyA"),
    mouse.move(5, 0),
    media.press("AudioVolumeUp"),
  ]);
  for (const [index, { change }] of DEVICES.entries()) {
    assertEquals(await next(devices[index]), [[change]]);
  }
});

/** The tag of a collection (HID 1.11, 6.2.2.4). */
const COLLECTION = 0xa;

/** The same reports with an ID. */
function withId(id: number, { items }: ReportDescriptor): ReportItem[] {
  const at = items.findIndex(({ type, tag }) =>
    type === "main" && tag === COLLECTION
  );
  return [...items.slice(0, at + 1), reportId(id), ...items.slice(at + 1)];
}

Deno.test("keyboard, mouse, pad and media keys work as one function with report IDs", async () => {
  const items = DEVICES.flatMap(({ make }, index) =>
    withId(index + 1, make().reportDescriptor)
  );
  const fn = new HidFunction({ reportDescriptor: reportDescriptor(items) });
  await using _ = await start([fn]);
  await using inputs = new AsyncDisposableStack();
  const devices: InputDevice[] = [];
  for (const { kind } of DEVICES) {
    // In one interface, Linux counts media keys as keys of the keyboard.
    devices.push(
      kind === "consumer control"
        ? devices[0]
        : inputs.use(await InputDevice.open({ ...ids, kind })),
    );
  }
  for (const [index, { kind, values, change }] of DEVICES.entries()) {
    const layout = fn.input(index + 1);
    const report = layout.pack(kind === "keyboard" ? {} : values);
    // The key in the bitmap of the keyboard, after ID, boot report and modifiers.
    if (kind === "keyboard") report[1 + 8 + 1] = 1;
    await fn.send(report);
    assertEquals(await next(devices[index]), [[change]]);
  }
});
