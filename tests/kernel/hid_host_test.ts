/**
 * What the tests of HID devices read on the host, tried with devices of uhid: the
 * kernel's hid-generic and evdev, and xkbcli.
 *
 * @module
 */
// VM: --modules usbhid,hid-generic,evdev --processors 1, a class of device
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { UhidDevice } from "../support/gadgets/uhid_device.ts";
import {
  kernelParseOf,
  reportDescriptorOf,
  waitForHidDevice,
} from "../support/host/hid_device.ts";
import { InputDevice } from "../support/host/input_device.ts";
import type { InputEvent } from "../support/host/input_event.ts";
import { XkbReader } from "../support/host/xkb.ts";
import { monotonicNow } from "../support/machine/clock.ts";
import { shell } from "../support/machine/shell.ts";
import { until } from "../support/waiting/until.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };

// Appendix E.6 of the HID specification: 8 modifier keys, a reserved byte, 5 LEDs,
// 6 keys.
const KEYBOARD = Uint8Array.fromHex(
  "05010906a101050719e029e71500250175019508810295017508810195057501" +
    "050819012905910295017503910195067508150025650507190029658100c0",
);
// A mouse with report ID 1, and a pad with report ID 2.
const MOUSE_AND_PAD = Uint8Array.fromHex(
  "05010902a10185010901a100050919012903150025019503750181029501750581" +
    "010501093009310938" + "1581257f750895038106c0c0" +
    "05010905a1018502093009311581257f75089502810205091901291015002501" +
    "750195108102c0",
);

const keyboard = { ...ids, name: "Test keyboard", report: KEYBOARD };
const mouseAndPad = { ...ids, name: "Test pointers", report: MOUSE_AND_PAD };

/** Changes without their time. */
function changes(events: readonly InputEvent[]): string[] {
  return events.map(({ code, value }) => `${code} ${value}`);
}

Deno.test("a keyboard's keys come as events, its LEDs are set, and its end is noticed", async () => {
  await shell("modprobe uhid");
  using device = new UhidDevice(keyboard);
  await using input = await InputDevice.open({ ...ids, kind: "keyboard" });
  assertEquals(input.node.name, "Test keyboard");
  const before = monotonicNow();
  device.input(2, 0, 4, 5, 0, 0, 0, 0);
  device.input(2, 0, 5, 0, 0, 0, 0, 0);
  const [first, second] = await input.takeReports(2);
  assertEquals(changes(first), ["KEY_LEFTSHIFT 1", "KEY_A 1", "KEY_B 1"]);
  assertEquals(changes(second), ["KEY_A 0"]);
  const times = [before, first[0].time, second[0].time, monotonicNow()];
  // Events have microseconds.
  assert(
    times.every((time, index) =>
      index === 0 || time > times[index - 1] - 0.001
    ),
    times.join(),
  );
  assertEquals(input.pressed(), ["KEY_LEFTSHIFT", "KEY_B"]);
  device.input(0, 0, 0, 0, 0, 0, 0, 0);
  const last = await input.until(({ code }) => code === "KEY_B");
  assertEquals(changes(last), ["KEY_LEFTSHIFT 0", "KEY_B 0"]);

  input.send("LED_CAPSL", 1);
  // Linux 7.3 sets all LEDs of a new keyboard.
  await until(() => device.output()?.[0] === 2, "the device gets its LEDs");
  assertEquals(input.leds(), ["LED_CAPSL"]);
  assertEquals(changes(input.drain()), ["LED_CAPSL 1"]);

  device.input(0, 0, 6, 0, 0, 0, 0, 0);
  assertEquals(changes(await input.take(1)), ["KEY_C 1"]);
  device[Symbol.dispose]();
  // The kernel releases the keys of a device that goes, for those who read in time.
  for await (const report of input) {
    assertEquals(changes(report), ["KEY_C 0"]);
  }
  await assertRejects(() => input.take(1), Error, "No such device");
});

Deno.test("what is not read in time makes the test fail", async () => {
  await shell("modprobe uhid");
  using device = new UhidDevice(keyboard);
  const input = await InputDevice.open({ ...ids, kind: "keyboard" });
  for (let round = 0; round < 100; round++) {
    device.input(0, 0, 4, 0, 0, 0, 0, 0);
    device.input(0, 0, 0, 0, 0, 0, 0, 0);
  }
  await assertRejects(() => input.take(1), Error, "Events are lost");
  await assertRejects(
    async () => await input[Symbol.asyncDispose](),
    Error,
    "Events are lost",
  );
});

Deno.test("a mouse and a pad of one device have files of their own, with ranges", async () => {
  await shell("modprobe uhid");
  using device = new UhidDevice(mouseAndPad);
  await using mouse = await InputDevice.open({ ...ids, kind: "mouse" });
  await using pad = await InputDevice.open({ ...ids, kind: "joystick" });
  device.input(1, 1, 5, 0xfd, 0xff);
  device.input(2, 0x81, 127, 1, 0x80);
  assertEquals(changes(await mouse.take(4)), [
    "BTN_LEFT 1",
    "REL_X 5",
    "REL_Y -3",
    "REL_WHEEL -1",
  ]);
  const [report] = await pad.takeReports(1);
  assertEquals(changes(report).filter((it) => it.startsWith("ABS")), [
    "ABS_X -127",
    "ABS_Y 127",
  ]);
  // The last of 16 buttons has no name.
  assertEquals(pad.pressed(), ["BTN_SOUTH", "KEY_0x13f"]);
  const { value, minimum, maximum } = pad.axis("ABS_X");
  assertEquals([value, minimum, maximum], [-127, -127, 127]);
});

Deno.test("the kernel's understanding of a report descriptor is read", async () => {
  await shell("modprobe uhid");
  using _device = new UhidDevice(mouseAndPad);
  const hid = await waitForHidDevice(ids);
  assertEquals(hid.driver, "hid-generic");
  assertEquals(reportDescriptorOf(hid), MOUSE_AND_PAD);
  assert((await Deno.stat(hid.hidraw)).isCharDevice);
  const { descriptor, reports, mappings } = await kernelParseOf(hid);
  assertEquals(descriptor, MOUSE_AND_PAD);
  assertEquals(
    reports.map(({ type, id, fields }) => [
      type,
      id,
      ...fields.map(({ offset, size, count, logicalMinimum, flags }) =>
        [offset, size, count, logicalMinimum, ...flags].join(" ")
      ),
    ]),
    [
      [
        "input",
        1,
        "0 1 3 0 Variable Absolute",
        "8 8 3 -127 Variable Relative",
      ],
      [
        "input",
        2,
        "0 8 2 -127 Variable Absolute",
        "16 1 16 0 Variable Absolute",
      ],
    ],
  );
  assertEquals(
    reports[0].fields[1].usages.map((usage) => usage.replace(/^.*\./, "")),
    ["X", "Y", "Wheel"],
  );
  assert(
    mappings.some(([usage, event]) =>
      usage.endsWith(".X") && event === "Relative.X"
    ),
    JSON.stringify(mappings),
  );
});

Deno.test("xkbcli reads text from a keyboard: AltGr, dead keys, Return, and nothing twice", async () => {
  await shell("modprobe uhid");
  using device = new UhidDevice(keyboard);
  await using reader = await XkbReader.start({ ...ids, layout: "de" });
  const press = (usage: number, modifiers = 0) => {
    device.input(modifiers, 0, usage, 0, 0, 0, 0, 0);
    device.input(0, 0, 0, 0, 0, 0, 0, 0);
  };
  const ALT_GR = 0x40;
  const SHIFT = 2;
  // The keys that have Y, [, Q, `, A, the space bar, -, Tab and Return on a US
  // keyboard.
  press(0x1c);
  press(0x2f);
  press(0x14, ALT_GR);
  press(0x35);
  press(0x04);
  press(0x2c);
  press(0x2d, SHIFT);
  press(0x2b);
  press(0x28);
  assertEquals(await reader.take(4), "zü@â");
  assertEquals(await reader.until("\n"), " ?\t\n");
  press(0x04);
  assertEquals(await reader.until("a"), "a");
  assertEquals(reader.drain(), "");
});

Deno.test("XkbReader reports why xkbcli has ended", async () => {
  await shell("modprobe uhid");
  using _device = new UhidDevice(keyboard);
  await assertRejects(
    () => XkbReader.start({ ...ids, layout: "no-such-layout" }),
    Error,
    "xkbcli has ended",
  );
});
