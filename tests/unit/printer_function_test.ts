/**
 * The definition of a printer: its device ID, its status, its options.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { endMark, Printer, type PrinterOptions } from "@usb/gadget/printer";
import { outcomeOf } from "../support/gadgets/run_setup.ts";

const print = () => {};

async function sentBy(
  printer: Printer,
  request: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const outcome = await outcomeOf(printer.control, {
    type: "class",
    recipient: "interface",
    direction: "in",
    request,
    length: 4096,
  }) as { sent: number[] };
  return new Uint8Array(outcome.sent);
}

/** The device ID, without its length. */
async function deviceIdOf(options: Partial<PrinterOptions>): Promise<string> {
  const printer = new Printer(
    { print, ...options } as PrinterOptions<"printer">,
  );
  const bytes = await sentBy(printer, 0);
  assertEquals(new DataView(bytes.buffer).getUint16(0), bytes.length);
  return new TextDecoder().decode(bytes.subarray(2));
}

Deno.test("a device ID has what the options give, and no empty keys", async () => {
  assertEquals(await deviceIdOf({}), "MFG:Linux;MDL:Printer;CLS:PRINTER;");
  assertEquals(
    await deviceIdOf({
      manufacturer: "Example",
      model: "Jet 3000",
      commandSets: ["PCL", "PS"],
      serialNumber: "7",
      deviceIdFields: { DES: "Example Jet: 3000", "1284.4DL": "4d,4e,1" },
    }),
    "MFG:Example;CMD:PCL,PS;MDL:Jet 3000;CLS:PRINTER;SN:7;DES:Example Jet: 3000;1284.4DL:4d,4e,1;",
  );
});

Deno.test("a device ID that a host would read wrongly is refused", () => {
  const refuse = (options: Partial<PrinterOptions>, message: string) =>
    assertThrows(
      () => new Printer({ print, ...options }),
      TypeError,
      `Cannot make printer: ${message}`,
    );
  refuse(
    { model: "A;B" },
    'the value of "MDL" must be printable ASCII without ";", is "A;B"',
  );
  refuse({ manufacturer: "Größe" }, 'the value of "MFG" must be');
  refuse({ serialNumber: "1\n" }, 'the value of "SN" must be');
  refuse({ commandSets: ["PCL,PS"] }, "a command set must be");
  refuse({ commandSets: [""] }, "a command set must be");
  refuse({ commandSets: [1 as unknown as string] }, "a command set must be");
  refuse({ deviceIdFields: { "A:B": "1" } }, "a key of the device ID must be");
  refuse(
    { deviceIdFields: { A: 1 as unknown as string } },
    'the value of "A" must be',
  );
  assertThrows(
    () => new Printer({ print, model: "x".repeat(4095) }),
    RangeError,
    "give at most 4094 ASCII characters",
  );
});

Deno.test("the status is what the program has set last", async () => {
  const printer = new Printer({ print });
  const status = async () => [...await sentBy(printer, 1)];
  assertEquals(await status(), [0x18]);
  printer.status = { paperEmpty: true, error: true };
  assertEquals(await status(), [0x30]);
  assertEquals(printer.status, {
    paperEmpty: true,
    selected: true,
    error: true,
  });
  printer.status = { selected: false };
  assertEquals(await status(), [0x08]);
  printer.status = {};
  assertEquals(await status(), [0x18]);
  assertThrows(
    () => printer.status = { paperEmpty: 1 as unknown as boolean },
    TypeError,
    'Cannot set the status of the printer: "paperEmpty" must be a boolean, is 1',
  );
  assertThrows(
    () => printer.status = { paper: true } as object,
    TypeError,
    'there is no option "paper"',
  );
  assertEquals(await status(), [0x18]);
});

Deno.test("options of another kind are refused", () => {
  const refuse = (options: object, message: string) =>
    assertThrows(
      () => new Printer(options as PrinterOptions),
      TypeError,
      `Cannot make printer: ${message}`,
    );
  refuse({}, '"print" must be a function, is undefined');
  for (const idleMs of [0, -1, 1.5, NaN, Infinity, 2 ** 31]) {
    refuse(
      { print, idleMs },
      '"idleMs" must be an integer from 1 to 2147483647',
    );
  }
  refuse({ print, endOfJob: "x" }, '"endOfJob" must be a function');
  refuse({ print, commandSets: "PCL" }, '"commandSets" must be an array');
  refuse({ print, deviceId: "MFG:A;" }, 'there is no option "deviceId"');
});

Deno.test("a mark is found wherever pieces end, and only whole", () => {
  const text = new TextEncoder().encode("aabaabaaab");
  // By definition: the first place where the mark ends
  for (const mark of ["a", "aab", "aaab", "abaaab", "baabaaa", "c"]) {
    const found = new TextDecoder().decode(text).indexOf(mark);
    const expected = found < 0 ? undefined : found + mark.length;
    for (let size = 1; size <= text.length; size++) {
      const find = endMark(mark)();
      let result: number | undefined;
      for (let at = 0; at < text.length && result === undefined; at += size) {
        const end = find(text.subarray(at, at + size));
        if (end !== undefined) result = at + end;
      }
      assertEquals(result, expected, `${mark} in pieces of ${size}`);
    }
  }
  const bytes = Uint8Array.of(1, 2);
  const make = endMark(bytes);
  bytes[0] = 9;
  assertEquals(make()(Uint8Array.of(0, 1, 2, 3)), 3);
  for (const wrong of ["", new Uint8Array(0), 4, undefined]) {
    assertThrows(
      () => endMark(wrong as string),
      TypeError,
      "Cannot look for the end of jobs: the mark must be a string or bytes, at least one, is",
    );
  }
});
