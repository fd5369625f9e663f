import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { architecture } from "../../src/vm/architectures.ts";
import {
  codeName,
  codeNumbers,
  knownCodes,
  typeName,
} from "../support/host/input_codes.ts";
import * as device from "../support/host/input_device.ts";
import {
  decodeInputEvents,
  encodeInputEvent,
  INPUT_EVENT_SIZE,
  ReportAssembler,
} from "../support/host/input_event.ts";
import { kindOf, parseBitmap } from "../support/host/input_nodes.ts";
import { evaluate } from "../support/machine/c_headers.ts";
import { Arrivals } from "../support/waiting/arrivals.ts";

const event = (code: string, value: number) => ({
  time: 0,
  type: typeName(codeNumbers(code).type),
  code,
  value,
});

Deno.test("the codes of input events are those of Linux", async () => {
  const ours = Object.fromEntries(knownCodes());
  assert(Object.keys(ours).length > 400, `${Object.keys(ours).length}`);
  const expressions = Object.keys(ours).map((name) => [name, name]);
  assertEquals(
    await evaluate(
      architecture(Deno.build.arch),
      ["linux/input-event-codes.h", "linux/input.h"],
      Object.fromEntries(expressions),
    ),
    ours,
  );
});

Deno.test("the ioctls of evdev are those of Linux", async () => {
  const ours = {
    INPUT_EVENT_SIZE,
    EVIOCGREP: device.EVIOCGREP,
    EVIOCSREP: device.EVIOCSREP,
    EVIOCGRAB: device.EVIOCGRAB,
    EVIOCSCLOCKID: device.EVIOCSCLOCKID,
    EVIOCGABS_0: device.EVIOCGABS_0,
    EVIOCGKEY_96: device.EVIOCGKEY_96,
    EVIOCGLED_8: device.EVIOCGLED_8,
  };
  const expressions = Object.keys(ours).map((name) => [
    name,
    name === "INPUT_EVENT_SIZE"
      ? "sizeof(struct input_event)"
      : name.replace(/_(\d+)$/, "($1)"),
  ]);
  assertEquals(
    await evaluate(
      architecture(Deno.build.arch),
      ["linux/ioctl.h", "linux/input.h"],
      Object.fromEntries(expressions),
    ),
    ours,
  );
});

Deno.test("codes without a name have their number", () => {
  assertEquals(codeName("EV_KEY", 30), "KEY_A");
  assertEquals(codeName("EV_KEY", 0x110), "BTN_LEFT");
  assertEquals(codeName("EV_KEY", 0x2ff), "KEY_0x2ff");
  assertEquals(codeNumbers("KEY_0x2ff"), { type: 1, code: 0x2ff });
  assertEquals(codeNumbers("BTN_LEFT"), { type: 1, code: 0x110 });
  assertEquals(typeName(0x1f), "EV_0x1f");
  assertThrows(() => codeNumbers("KEY_NONE"), TypeError, '"KEY_NONE"');
});

Deno.test("decodeInputEvents() reads struct input_event", () => {
  const bytes = Uint8Array.fromHex(
    "0200000000000000" + "dc05000000000000" + "0200" + "0100" + "fdffffff" +
      "0200000000000000" + "dc05000000000000" + "0000" + "0000" + "00000000",
  );
  assertEquals(decodeInputEvents(bytes), [
    { time: 2001.5, type: "EV_REL", code: "REL_Y", value: -3 },
    { time: 2001.5, type: "EV_SYN", code: "SYN_REPORT", value: 0 },
  ]);
  assertEquals(decodeInputEvents(encodeInputEvent("LED_CAPSL", 1)), [
    event("LED_CAPSL", 1),
  ]);
});

Deno.test("ReportAssembler groups events, and throws when some are lost", () => {
  const assembler = new ReportAssembler();
  const [x, y, end] = [
    event("REL_X", 1),
    event("REL_Y", 2),
    event("SYN_REPORT", 0),
  ];
  assertEquals(assembler.push([x, end, y]), [[x]]);
  assertEquals(assembler.push([]), []);
  assertEquals(assembler.push([x, end, end, x]), [[y, x]]);
  assertEquals(assembler.push([event("MSC_SCAN", 4), y, end]), [[x, y]]);
  assertThrows(
    () => assembler.push([event("SYN_DROPPED", 0)]),
    Error,
    "Events are lost",
  );
});

Deno.test("parseBitmap() reads words of 64 bits, the highest first", () => {
  assertEquals(parseBitmap("0\n"), []);
  assertEquals(parseBitmap("120013"), [0, 1, 4, 17, 20]);
  assertEquals(parseBitmap("1 0 8000000000000001"), [0, 63, 128]);
});

Deno.test("kindOf() knows what a device is by what it can report", () => {
  const kind = (text: string) => kindOf(new Set(text.split(" ")));
  assertEquals(kind("KEY_A KEY_VOLUMEUP KEY_POWER LED_NUML"), "keyboard");
  assertEquals(kind("REL_X REL_Y BTN_LEFT"), "mouse");
  assertEquals(kind("ABS_X ABS_Y BTN_LEFT"), "tablet");
  assertEquals(kind("ABS_X ABS_Y BTN_TOUCH"), "tablet");
  assertEquals(kind("ABS_X ABS_Y BTN_SOUTH"), "joystick");
  assertEquals(kind("ABS_X BTN_TRIGGER"), "joystick");
  assertEquals(kind("KEY_VOLUMEUP KEY_POWER"), "consumer control");
  assertEquals(kind("KEY_POWER KEY_SLEEP"), "system control");
  assertEquals(kind("LED_NUML"), undefined);
});

Deno.test("Arrivals waits for a condition, until nothing more comes", async () => {
  const arrivals = new Arrivals();
  let count = 0;
  const two = arrivals.until(() => count >= 2, () => "two have come");
  const three = arrivals.until(() => count >= 3, () => "three have come");
  arrivals.notify();
  count = 2;
  arrivals.notify();
  await two;
  arrivals.end(new Error("over"));
  await assertRejects(() => three, Error, "over");
  await arrivals.until(() => count === 2, () => "it is two");
  await assertRejects(
    () => arrivals.until(() => false, () => "never"),
    Error,
    "over",
  );
  await assertRejects(
    () => new Arrivals().until(() => false, () => `${count} is 3`, 1),
    Error,
    "Timed out after 1 ms waiting until 2 is 3",
  );
});
