/**
 * The reasons for rules of our validator that the kernel does not enforce: what
 * a host sees of functions that the kernel accepts and we reject.
 *
 * @module
 */
// VM: any architecture
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { decodeDescriptors } from "@usb/gadget/inspect";
import { validateBlocks } from "../kernel_model/validate_blocks.ts";
import { isSystemError } from "../../ffi/errno.ts";
import { KernelLog } from "../../src/remedies/kernel_log.ts";
import {
  block,
  intf,
  property,
  stringsBlock,
} from "../support/descriptors/blocks.ts";
import {
  startRawGadget,
  VENDOR_CODE,
  withRawGadget,
} from "../support/descriptors/raw_gadget.ts";
import { readProperties, readString } from "../support/descriptors/requests.ts";
import { testKernel } from "../support/run/kernel_version.ts";
import type { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import { isTransferError } from "../../src/testing/usbfs/transfer.ts";
import "../support/run/aio_libraries.ts";

const ENGLISH = 0x0409;
/** Version 0x0001, which all kernels accept. */
const VERSION = 0x0001;

/** Runs a check of a function with one interface at all speeds. */
function withFunction(
  parts: { strings?: string[]; os?: number[][] },
  check: (device: UsbfsDevice) => Promise<void>,
): Promise<void> {
  const { strings = [], os } = parts;
  const list = strings.map((_, number) => intf({ number, string: number + 1 }));
  const full = list.length > 0 ? list : [intf()];
  return withRawGadget(
    block({ full, high: full, super: full, ...(os ? { os } : {}) }),
    strings.length > 0
      ? stringsBlock([[ENGLISH, ...strings]])
      : stringsBlock([]),
    check,
  );
}

Deno.test("the kernel cuts strings after 126 bytes of UTF-8, and stalls if that splits a character", async () => {
  const texts: [string, string | undefined][] = [
    ["a".repeat(126), "a".repeat(126)],
    ["a".repeat(127), "a".repeat(126)],
    ["ä".repeat(63), "ä".repeat(63)],
    ["ä".repeat(64), "ä".repeat(63)],
    [`a${"ä".repeat(63)}`, undefined],
    ["數".repeat(42), "數".repeat(42)],
    [`${"數".repeat(41)}aa數`, undefined],
    // 32 characters of two UTF-16 units are 128 bytes.
    ["😀".repeat(31), "😀".repeat(31)],
    ["😀".repeat(32), undefined],
  ];
  await withFunction({ strings: texts.map(([text]) => text) }, async (host) => {
    const configuration = decodeDescriptors(host.descriptors().subarray(18));
    const indexes = configuration.descriptors.flatMap((it) =>
      it.kind === "interface" ? [it.string] : []
    );
    for (const [number, [text, expected]] of texts.entries()) {
      const read = readString(host, indexes[number], ENGLISH);
      if (expected === undefined) {
        const error = await assertRejects(() => read);
        assert(isTransferError(error, "EPIPE"), `"${text}": ${error}`);
      } else {
        assertEquals(await read, expected);
      }
    }
  });
});

const bytes = (text: string) => [...new TextEncoder().encode(text)];
const SPACES = { type: 1, version: VERSION };

Deno.test("the kernel doubles the byte lengths of properties, which is correct only for ASCII", async () => {
  const ascii = property({
    ...SPACES,
    name: bytes("Name\0"),
    value: bytes("Text\0"),
  });
  await withFunction({ os: [ascii] }, async (host) => {
    const [section] = await readProperties(host, VENDOR_CODE, 0);
    assertEquals(section.name, "Name");
    assertEquals(section.data.length, 2 * 5);
  });
  const umlaut = property({
    ...SPACES,
    name: bytes("Name\0"),
    value: bytes("Täxt\0"),
  });
  await withFunction({ os: [umlaut] }, async (host) => {
    const [section] = await readProperties(host, VENDOR_CODE, 0);
    // Four units and a NUL take 10 bytes; the kernel announces 12.
    assertEquals(section.data.length, 2 * bytes("Täxt\0").length);
  });
});

Deno.test("the kernel returns properties of types 1, 2, 3 and 6 only", async () => {
  for (const type of [1, 2, 3, 4, 5, 6, 7]) {
    const os = [property({ version: VERSION, type, value: bytes("Text\0") })];
    await withFunction({ os }, async (host) => {
      const read = readProperties(host, VENDOR_CODE, 0);
      if ([1, 2, 3, 6].includes(type)) {
        assertEquals((await read)[0].type, type);
      } else {
        const error = await assertRejects(() => read);
        assert(isTransferError(error, "EPIPE"), `${error}`);
      }
    });
  }
});

type List = readonly (readonly number[])[];

/** Returns the two blocks of a function that is the same at all speeds. */
function blocksOf(list: List, strings = 0) {
  const texts = Array.from({ length: strings }, (_, index) => `${index}`);
  return [
    block({ full: list, high: list, super: list }),
    texts.length > 0 ? stringsBlock([[ENGLISH, ...texts]]) : stringsBlock([]),
  ] as const;
}

/** Asserts that the kernel binds a function, and the validator finds no problem. */
async function assertBinds(list: List, strings = 0): Promise<void> {
  const blocks = blocksOf(list, strings);
  assertEquals(validateBlocks(...blocks, { kernel }).problems, []);
  await withRawGadget(...blocks, () => Promise.resolve());
}

/** Asserts that the kernel cannot bind a function, and the validator reports the rule. */
function assertDoesNotBind(rule: string, list: List, strings = 0): void {
  const blocks = blocksOf(list, strings);
  const { accepted, problems } = validateBlocks(...blocks, { kernel });
  assert(accepted && problems.some((it) => it.rule === rule));
  assert(problems.every((it) => it.stage === "bind"));
  const error = assertThrows(() => startRawGadget(...blocks));
  assert(isSystemError(error, "EBUSY"), `${error}`);
}

const kernel = testKernel();

Deno.test("the kernel binds as many interfaces as the validator accepts", async () => {
  const most = kernel.major === 6 && kernel.minor < 12 ? 16 : 32;
  const list = Array.from({ length: most }, (_, number) => intf({ number }));
  await assertBinds(list);
  assertDoesNotBind("interface-count", [...list, intf({ number: most })]);
});

Deno.test("the kernel binds as many strings as the validator accepts", async () => {
  await assertBinds([intf({ string: 251 })], 251);
  assertDoesNotBind("string-count", [intf({ string: 252 })], 252);
});

Deno.test("the kernel refuses to bind an address twice", () => {
  const bulk = [7, 5, 0x81, 2, 64, 0, 0];
  const list = [intf({ endpoints: 2 }), bulk, bulk];
  const blocks = [block({ full: list }), stringsBlock([])] as const;
  const { accepted, problems } = validateBlocks(...blocks, { kernel });
  assert(accepted && problems.some((it) => it.rule === "repeated-address"));
  const error = assertThrows(() => startRawGadget(...blocks));
  assert(isSystemError(error, "EBUSY"), `${error}`);
});

Deno.test("a host reads a configuration of 4096 bytes, but no longer one", async () => {
  const OTG = [3, 9, 0];
  const ASSOCIATION = [8, 0x0b, 0, 1, 0xff, 0, 0, 0];
  // Nine bytes for the configuration itself and nine for the interface.
  const list = (associations: number, otg: number) => [
    ...Array<number[]>(associations).fill(ASSOCIATION),
    intf(),
    ...Array<number[]>(otg).fill(OTG),
  ];
  await assertBinds(list(2, 1354)); // 4096
  const blocks = blocksOf(list(1, 1357)); // 4097
  const { problems } = validateBlocks(...blocks, { kernel });
  assertEquals(new Set(problems.map((it) => it.rule)).size, 1);
  assertEquals(problems[0].rule, "configuration-size");
  using log = new KernelLog();
  await using _gadget = startRawGadget(...blocks);
  const lines: string[] = [];
  const end = performance.now() + 60_000;
  while (!lines.some((it) => /can't read configurations/.test(it))) {
    assert(performance.now() < end, lines.join("\n"));
    await delay(10);
    lines.push(...log.lines());
  }
});
