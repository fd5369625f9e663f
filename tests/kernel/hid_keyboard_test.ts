/**
 * Keyboards, with the kernel's usbhid, hid-generic and evdev as their host, and
 * what libxkbcommon makes of their keys.
 *
 * @module
 */
// VM: --modules usbhid,hid-generic,evdev --processors 1, a class of device
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Gadget, type GadgetFunction, SessionEndedError } from "@usb/gadget";
import {
  Keyboard,
  type KeyboardLayoutName,
  type KeyboardLeds,
} from "@usb/gadget/hid";
import { O_NONBLOCK, O_RDWR } from "../../ffi/abi.ts";
import { isSystemError } from "../../ffi/errno.ts";
import { close, ioctl, open, read } from "../../ffi/file.ts";
import { LAYOUTS } from "../../src/classes/hid/keyboard/layouts.ts";
import { readLayout } from "../../src/classes/hid/keyboard/typing_table.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { InputDevice } from "../support/host/input_device.ts";
import type { InputEvent } from "../support/host/input_event.ts";
import { waitForHidDevice } from "../support/host/hid_device.ts";
import { XkbReader } from "../support/host/xkb.ts";
import {
  type RunningExample,
  startExample,
} from "../support/programs/example.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { until } from "../support/waiting/until.ts";

const { maxSpeed } = gadgetSpeed();
const ids = { vendorId: 0x1209, productId: 0x0001 };

function start(functions: readonly GadgetFunction[], remoteWakeup = false) {
  return Gadget.start({ ...ids, maxSpeed, functions, remoteWakeup });
}

/** The names of the layouts in XKB. */
const XKB: Readonly<
  Record<KeyboardLayoutName, { layout: string; model?: string }>
> = {
  "en-US": { layout: "us" },
  "en-GB": { layout: "gb" },
  "de-DE": { layout: "de" },
  "fr-FR": { layout: "fr" },
  "es-ES": { layout: "es" },
  "it-IT": { layout: "it" },
  "sv-SE": { layout: "se" },
  "de-CH": { layout: "ch" },
  "ja-JP": { layout: "jp", model: "jp106" },
};

function changes(events: readonly InputEvent[]): string[] {
  return events.filter(({ type }) => type === "EV_KEY")
    .map(({ code, value }) => `${code} ${value}`);
}

for (const name of Object.keys(LAYOUTS) as KeyboardLayoutName[]) {
  Deno.test(`each character of ${name} arrives as it was typed, in any order`, async () => {
    const seed = testSeed();
    console.log(`seed: GADGET_SEED=${seed}`);
    const random = new Random(seed);
    // Backspace is a key, but no text.
    const characters = [...readLayout(name).strokes.keys()]
      .filter((each) => each !== "\b");
    const count = name === "de-DE" ? soak(5000, 600) : 0;
    const text = characters.join("") +
      Array.from({ length: count }, () => random.pick(characters)).join("") +
      "\n";
    const keyboard = new Keyboard({ layout: name, intervalMs: 2 });
    await using _ = await start([keyboard]);
    await using reader = await XkbReader.start({ ...ids, ...XKB[name] });
    // In parts: evdev holds 64 events for a program that is slow.
    for (const part of text.match(/.{1,5}/gsu) ?? []) {
      await keyboard.type(part);
      assertEquals(await reader.take([...part].length), part);
    }
    assertEquals(reader.drain(), "");
  });
}

Deno.test("any number of keys are down, and the host sees each go down and up once", async () => {
  const keyboard = new Keyboard();
  await using _ = await start([keyboard]);
  await using input = await InputDevice.open({ ...ids, kind: "keyboard" });
  // Not more: evdev holds 64 events.
  const letters = [..."ABCDEFGHIJKLMNOP"];
  const codes = letters.map((each) => `Key${each}` as "KeyA");
  await keyboard.press(...codes, "ShiftRight");
  // Linux divides what changes at once.
  const down = changes(await input.take(codes.length + 1));
  await keyboard.releaseAll();
  const up = changes(await input.take(codes.length + 1));
  const expected = (value: number) =>
    [
      ...letters.map((each) => `KEY_${each} ${value}`),
      `KEY_RIGHTSHIFT ${value}`,
    ]
      .sort();
  assertEquals(down.sort(), expected(1));
  assertEquals(up.sort(), expected(0));
  await keyboard.chord("ControlLeft", "AltLeft", "F24");
  const events = await input.until(({ code, value }) =>
    code === "KEY_LEFTCTRL" && value === 0
  );
  assertEquals(changes(events), [
    "KEY_LEFTCTRL 1",
    "KEY_LEFTALT 1",
    "KEY_F24 1",
    "KEY_F24 0",
    "KEY_LEFTALT 0",
    "KEY_LEFTCTRL 0",
  ]);
});

Deno.test("the host switches LEDs by a control request, and by an endpoint", async () => {
  for (const outputEndpoint of [false, true]) {
    const seen: KeyboardLeds[] = [];
    const keyboard = new Keyboard({
      outputEndpoint,
      onLeds: (leds) => seen.push(leds),
    });
    {
      await using _ = await start([keyboard]);
      await using input = await InputDevice.open({ ...ids, kind: "keyboard" });
      input.send("LED_CAPSL", 1);
      await until(() => keyboard.leds.capsLock, "Caps Lock is on");
      input.send("LED_NUML", 1);
      await until(() => keyboard.leds.numLock, "Num Lock is on");
      assert(keyboard.leds.capsLock && !keyboard.leds.kana);
      input.send("LED_CAPSL", 0);
      await until(() => !keyboard.leds.capsLock, "Caps Lock is off");
    }
    // Without a host, none is on.
    await until(() => !keyboard.leds.numLock, "the host has gone");
    assert(seen.length >= 4);
  }
});

Deno.test("an unplugged cable ends what is typed, and the next host gets no key of it", async () => {
  const keyboard = new Keyboard();
  await using gadget = await start([keyboard]);
  {
    await using input = await InputDevice.open({ ...ids, kind: "keyboard" });
    await keyboard.press("KeyX");
    await input.until(({ code }) => code === "KEY_X");
    const typing = keyboard.type("a".repeat(100_000));
    typing.catch(() => {});
    await input.until(({ code }) => code === "KEY_A");
    gadget.unbind();
    await assertRejects(() => typing, SessionEndedError);
  }
  await gadget.bind();
  await using input = await InputDevice.open({ ...ids, kind: "keyboard" });
  await keyboard.type("b");
  const events = await input.until(({ code, value }) =>
    code === "KEY_B" && value === 0
  );
  assertEquals(changes(events), ["KEY_B 1", "KEY_B 0"]);
});

// dummy_hcd has no suspend at super speed.
if (maxSpeed !== "super-speed") {
  Deno.test("a key wakes a suspended host, and arrives", async () => {
    const keyboard = new Keyboard();
    await using gadget = await start([keyboard], true);
    await using input = await InputDevice.open({ ...ids, kind: "keyboard" });
    const { sysfsPath } = await waitForHidDevice(ids);
    const power = `${sysfsPath}/../../power`;
    // On other threads: the host may want answers of the keyboard meanwhile.
    await Deno.writeTextFile(`${power}/autosuspend_delay_ms`, "200");
    const fs = Object.values(gadget.functions)[0];
    const suspend = async () => {
      await Deno.writeTextFile(`${power}/control`, "auto");
      await until(() => fs.suspended, "the host has suspended the bus");
      await until(
        () =>
          Deno.readTextFileSync(`${power}/runtime_status`) === "suspended\n",
        "the host has suspended the device",
      );
    };
    for (let round = 0; round < soak(50, 3); round++) {
      await suspend();
      await keyboard.type("k");
      const events = await input.until(({ code, value }) =>
        code === "KEY_K" && value === 0
      );
      assertEquals(changes(events), ["KEY_K 1", "KEY_K 0"]);
      await Deno.writeTextFile(`${power}/control`, "on");
    }
    // Without a function, too.
    await suspend();
    await Deno.writeTextFile(`${power}/autosuspend_delay_ms`, "600000");
    gadget.wakeHost();
    await until(() => !fs.suspended, "the gadget has woken the host");
    gadget.unbind();
    assertThrows(
      () => gadget.wakeHost(),
      Deno.errors.NotFound,
      "it is not bound to a controller",
    );
  });
}

// linux/tty.h, bits/termios.h
const TCFLSH = 0x540b;
const TCIFLUSH = 0;

/**
 * What a program types on the host's console, up to the end of a line. A
 * character several times in a row counts once: the console repeats a key that
 * is down for long, as on a busy machine.
 */
async function typedLine(run: () => RunningExample): Promise<string> {
  const path = "/dev/tty1";
  const fd = open(path, O_RDWR | O_NONBLOCK);
  try {
    // What other tests have typed.
    ioctl(fd, TCFLSH, TCIFLUSH, { path });
    await using program = run();
    const bytes = new Uint8Array(4096);
    let count = 0;
    await until(() => {
      try {
        count = read(fd, bytes, { path });
        return true;
      } catch (error) {
        if (isSystemError(error, "EAGAIN")) return false;
        throw error;
      }
    }, "a line is typed");
    // It removes its gadget, and ends.
    assert((await program.process.status).success);
    const line = new TextDecoder().decode(bytes.subarray(0, count));
    return line.replaceAll(/(.)\1+/gs, "$1");
  } finally {
    close(fd);
  }
}

Deno.test("examples/keyboard.ts types its argument on the host's console", async () => {
  const line = await typedLine(() =>
    startExample("keyboard.ts", { args: ["Hi, old world!\n"] })
  );
  assertEquals(line, "Hi, old world!\n");
});

Deno.test("examples/ducky.ts plays a script on the host's console", async () => {
  const file = await Deno.makeTempFile();
  const script = [
    "REM Types something",
    "DEFAULT_DELAY 1",
    "DELAY 10",
    "STRING Hi, ",
    "REPEAT 2",
    "SHIFT y",
    "CTRL v",
    "TAB",
    "ENTER",
  ];
  await Deno.writeTextFile(file, script.join("\n"));
  const line = await typedLine(() =>
    startExample("ducky.ts", {
      args: [file],
      permissions: ["--allow-ffi", `--allow-read=${file}`],
    })
  );
  // Ctrl+V: the console takes the next key literally.
  assertEquals(line, "Hi, Hi, Hi, Y\t\n");
  await Deno.remove(file);
});
