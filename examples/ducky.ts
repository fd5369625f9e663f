// A keyboard that plays a file of DuckyScript 1, and ends.
//
//   sudo deno run --allow-ffi --allow-read examples/ducky.ts script.txt [LAYOUT]
//
// Commands: REM, STRING, STRINGLN, DELAY, DEFAULT_DELAY, REPEAT, and keys, such
// as "ENTER", "GUI r" or "CTRL ALT DELETE".
import { Gadget } from "@usb/gadget";
import {
  Keyboard,
  type KeyboardLayoutName,
  type KeyCode,
} from "@usb/gadget/hid";

const KEYS: Readonly<Record<string, KeyCode>> = {
  ALT: "AltLeft",
  APP: "ContextMenu",
  BACKSPACE: "Backspace",
  BREAK: "Pause",
  CAPSLOCK: "CapsLock",
  CONTROL: "ControlLeft",
  CTRL: "ControlLeft",
  DELETE: "Delete",
  DOWN: "ArrowDown",
  DOWNARROW: "ArrowDown",
  END: "End",
  ENTER: "Enter",
  ESC: "Escape",
  ESCAPE: "Escape",
  GUI: "MetaLeft",
  HOME: "Home",
  INSERT: "Insert",
  LEFT: "ArrowLeft",
  LEFTARROW: "ArrowLeft",
  MENU: "ContextMenu",
  NUMLOCK: "NumLock",
  PAGEDOWN: "PageDown",
  PAGEUP: "PageUp",
  PAUSE: "Pause",
  PRINTSCREEN: "PrintScreen",
  RIGHT: "ArrowRight",
  RIGHTARROW: "ArrowRight",
  SCROLLLOCK: "ScrollLock",
  SHIFT: "ShiftLeft",
  SPACE: "Space",
  TAB: "Tab",
  UP: "ArrowUp",
  UPARROW: "ArrowUp",
  WINDOWS: "MetaLeft",
};

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What a line does. */
type Action = () => unknown;

/** Reads a script; all lines are checked before the first one is played. */
function read(script: string, keyboard: Keyboard): Action[] {
  const actions: Action[] = [];
  let pause = 0;
  script.split(/\r?\n/).forEach((line, index) => {
    const fail = (problem: string): never => {
      throw new SyntaxError(`Line ${index + 1}: ${problem}: ${line}`);
    };
    const [, command, rest] = /^\s*(\S*) ?(.*)$/.exec(line)!;
    const number = () =>
      /^\d+$/.test(rest) ? Number(rest) : fail("a number is missing");
    const add = (action: Action) => {
      const after = pause;
      actions.push(action, ...(after > 0 ? [() => delay(after)] : []));
    };
    switch (command) {
      case "":
      case "REM":
        return;
      case "STRING":
        add(() => keyboard.type(rest));
        return;
      case "STRINGLN":
        add(() => keyboard.type(`${rest}\n`));
        return;
      case "DELAY": {
        const ms = number();
        actions.push(() => delay(ms));
        return;
      }
      case "DEFAULT_DELAY":
      case "DEFAULTDELAY":
        pause = number();
        return;
      case "REPEAT": {
        const last = actions.at(pause > 0 ? -2 : -1) ?? fail("nothing before");
        for (let left = number(); left > 0; left--) add(last);
        return;
      }
    }
    const codes = line.trim().split(/[\s-]+/).map((name): KeyCode =>
      KEYS[name] ?? keyOf(name) ?? fail(`there is no key ${name}`)
    );
    add(() => keyboard.chord(...codes));
  });
  return actions;
}

/** A letter, a digit or a function key. */
function keyOf(name: string): KeyCode | undefined {
  if (/^[a-z]$/i.test(name)) return `Key${name.toUpperCase()}` as KeyCode;
  if (/^\d$/.test(name)) return `Digit${name}` as KeyCode;
  const isFunctionKey = /^F([1-9]|1\d|2[0-4])$/.test(name);
  return isFunctionKey ? name as KeyCode : undefined;
}

const [file, layout = "en-US"] = Deno.args;
if (file === undefined) {
  console.error("Usage: ducky.ts script.txt [layout]");
  Deno.exit(2);
}

const keyboard = new Keyboard({ layout: layout as KeyboardLayoutName });
const actions = read(await Deno.readTextFile(file), keyboard);
await using _ = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Keyboard",
  functions: [keyboard],
});
for (const action of actions) await action();
