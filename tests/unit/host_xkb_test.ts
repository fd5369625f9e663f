import { assertEquals, assertThrows } from "@std/assert";
import { XkbcliParser } from "../support/host/xkb.ts";

/** A line as xkbcli 1.5 prints it. */
const line = (keysym: string, unicode: string) =>
  `keysyms [ ${
    keysym.padEnd(16)
  } ] unicode [ ${unicode} ] layout [ German (0) ] level [ 0 ] mods [ Mod2 -Shift ] leds [ Num Lock ] \n`;

Deno.test("XkbcliParser reads characters, and nothing for keys without text", () => {
  const parser = new XkbcliParser();
  const text = (output: string) => parser.push(output).join("");
  assertEquals(text(line("Shift_L", "") + line("A", "A")), "A");
  assertEquals(
    text(line("bracketleft", "[") + line("bracketright", "]")),
    "[]",
  );
  assertEquals(text(line("space", " ") + line("acircumflex", "â")), " â");
  assertEquals(text(line("U1F600", "😀")), "😀");
  assertEquals(parser.push(line("U1F600", "😀")).length, 1);
});

Deno.test("XkbcliParser reads control characters of version 1.5 and of later ones", () => {
  const text = (output: string) => new XkbcliParser().push(output).join("");
  assertEquals(
    text(line("Return", "\r") + line("Tab", "\t") + line("Linefeed", "\n")),
    "\n\t\n",
  );
  assertEquals(text(line("Return", "U+000D") + line("a", "a")), "\na");
  assertEquals(text(line("Shift_L", " ") + line("space", " ")), " ");
});

Deno.test("XkbcliParser waits for the rest of a line", () => {
  const parser = new XkbcliParser();
  const output = line("a", "a") + line("Return", "\n") + line("b", "b");
  const text = [...output].flatMap((character) => parser.push(character));
  assertEquals(text.join(""), "a\nb");
});

Deno.test("XkbcliParser throws at other output", () => {
  assertThrows(
    () => new XkbcliParser().push(`Warning\n${line("a", "a")}`),
    Error,
    'Cannot read the output of xkbcli: "Warning\\n"',
  );
});
