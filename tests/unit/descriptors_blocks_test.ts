import type { BlockContext } from "../kernel_model/kernel.ts";
import { validateBlocks } from "../kernel_model/validate_blocks.ts";
import { assertEquals } from "@std/assert";
import {
  block,
  type BlockParts,
  bulk,
  COMPANION,
  compatId,
  compatIds,
  intf,
  property,
  stringsBlock,
  u32,
} from "../support/descriptors/blocks.ts";

const EMPTY_STRINGS = stringsBlock([]);

/** Asserts that ep0 takes a block. */
function accepts(parts: BlockParts | Uint8Array, context?: BlockContext): void {
  const bytes = parts instanceof Uint8Array ? parts : block(parts);
  const { accepted, problems } = validateBlocks(bytes, undefined, context);
  assertEquals(accepted, true, problems[0]?.message);
}

/** Asserts that ep0 refuses a block, and why. */
function refuses(
  parts: BlockParts | Uint8Array,
  path: string,
  message: string,
  { errno = "EINVAL", context }: {
    readonly errno?: string;
    readonly context?: BlockContext;
  } = {},
): void {
  const bytes = parts instanceof Uint8Array ? parts : block(parts);
  const verdict = validateBlocks(bytes, EMPTY_STRINGS, context);
  assertEquals(
    verdict.problems.map((it) => [it.path, it.message, it.stage]),
    [[path, message, "write"]],
  );
  assertEquals([verdict.accepted, verdict.errno], [false, errno]);
}

const LINUX_6_1 = { kernel: { major: 6, minor: 1 } };
const LINUX_6_12 = { kernel: { major: 6, minor: 12 } };
const LINUX_7_3 = { kernel: { major: 7, minor: 3 } };

Deno.test("ep0 takes blocks of 16 bytes and more", () => {
  refuses(
    new Uint8Array(15),
    "descriptors",
    "The block has 15 bytes: it must have 16 at least",
  );
  accepts(block({ full: [[3, 9, 0]] }));
});

Deno.test("ep0 takes blocks of 4 MiB and less", () => {
  refuses(
    new Uint8Array(4 * 1024 * 1024 + 1),
    "descriptors",
    "The block has 4194305 bytes, but the kernel can copy 4194304: make it shorter",
    { errno: "ENOMEM" },
  );
  refuses(
    new Uint8Array(4 * 1024 * 1024),
    "descriptors.length",
    "The length field says 0, but the block has 4194304 bytes: make them equal, and write the block at once",
  );
});

Deno.test("ep0 compares the length field with the length of the write", () => {
  accepts({ full: [intf()], length: 25 });
  refuses(
    { full: [intf()], length: 26 },
    "descriptors.length",
    "The length field says 26, but the block has 25 bytes: make them equal, and write the block at once",
  );
});

Deno.test("ep0 takes magic 1 and 3", () => {
  accepts({ full: [intf()], magic: 3 });
  accepts(
    Uint8Array.from([...u32(1), ...u32(25), ...u32(1), ...u32(0), ...intf()]),
  );
  refuses(
    { full: [intf()], magic: 2 },
    "descriptors.magic",
    "The block starts with 2: a descriptors block starts with 3",
  );
});

Deno.test("ep0 takes every flag up to CONFIG0_SETUP", () => {
  accepts({ full: [intf()], flags: 16 | 64 | 128 });
  refuses(
    { full: [intf()], flags: 512 },
    "descriptors.flags",
    "The kernel does not know the flags 0x200: clear them",
    { errno: "ENOSYS" },
  );
});

Deno.test("ep0 takes RW_PROXY_EPS from Linux 7.3 on", () => {
  const parts = { full: [intf()], flags: 256 };
  accepts(parts, LINUX_7_3);
  refuses(
    parts,
    "descriptors.flags",
    "The kernel does not know FUNCTIONFS_RW_PROXY_EPS: use Linux 7.3 or later, or clear the flag",
    { errno: "ENOSYS", context: LINUX_6_12 },
  );
});

Deno.test("ep0 takes RW_PROXY_EPS with pairs only", () => {
  const flags = 256;
  accepts({
    flags,
    full: [intf(), bulk(0x01), bulk(0x81), bulk(0x82), bulk(0x02)],
  });
  refuses(
    { flags, full: [intf(), bulk(0x81), bulk(0x01), bulk(0x82)] },
    "descriptors.flags",
    "Files for both directions need pairs, but there are 3 endpoints: add one, or clear FUNCTIONFS_RW_PROXY_EPS",
  );
  refuses(
    {
      flags,
      full: [intf(), bulk(0x81), bulk(0x82), bulk(0x01), bulk(0x02)],
    },
    "descriptors.flags",
    "Files for both directions need pairs of one IN and one OUT endpoint, but endpoints 1 and 2 have the same direction: reorder them",
  );
});

Deno.test("ep0 looks the eventfd up", () => {
  const parts = { full: [intf()], eventfd: 7 };
  accepts(parts, { eventfd: (fd) => fd === 7 ? "eventfd" : "closed" });
  refuses(
    parts,
    "descriptors.eventfd",
    "File descriptor 7 is not open: open an eventfd first",
    { errno: "EBADF", context: { eventfd: () => "closed" } },
  );
  refuses(
    parts,
    "descriptors.eventfd",
    "File descriptor 7 is not an eventfd: open one",
    { context: { eventfd: () => "other" } },
  );
});

Deno.test("ep0 refuses unknown flags before it looks the eventfd up", () => {
  const verdict = validateBlocks(
    block({ full: [intf()], eventfd: 7, flags: 512 }),
    undefined,
    { eventfd: () => "closed" },
  );
  assertEquals(verdict.errno, "ENOSYS");
});

Deno.test("ep0 refuses a block without any descriptor", () => {
  refuses(
    { full: [] },
    "descriptors",
    "The block has no descriptor: add an interface",
  );
  accepts({ full: [], high: [intf()] });
});

Deno.test("ep0 refuses counts that do not fit the descriptors", () => {
  accepts({ full: [intf()], counts: { full: 1 } });
  refuses(
    { full: [intf()], counts: { full: 2 } },
    "descriptors.full[1]",
    "The block ends before this descriptor: lower the count, or add the descriptor",
  );
  refuses(
    { full: [intf(), intf({ number: 1 })], counts: { full: 1 } },
    "descriptors",
    "The block has 9 bytes after its last descriptor: remove them, or raise the counts",
  );
});

Deno.test("ep0 refuses a block that ends in its header", () => {
  const bytes = Uint8Array.from([...u32(3), ...u32(16), ...u32(3), ...u32(0)]);
  refuses(
    bytes,
    "descriptors.high.count",
    "The block ends before this field: make it longer",
  );
});

Deno.test("ep0 refuses a descriptor that is longer than the block", () => {
  refuses(
    { full: [[10, 4, 0, 0, 0, 0, 0, 0, 0]] },
    "descriptors.full[0]",
    "The descriptor says it has 10 bytes, but the block has 9 left: correct its first byte",
  );
});

Deno.test("ep0 takes one length of each type, and two of endpoints", () => {
  accepts({ full: [intf(), bulk(0x81), [9, 5, 0x01, 2, 64, 0, 0, 0, 0]] });
  for (
    const [descriptor, lengths] of [
      [[8, 4, 0, 0, 0, 0xff, 0, 0], "9"],
      [[8, 5, 0x81, 2, 64, 0, 0, 0], "7 or 9"],
      [[5, 9, 0, 0, 2], "3"],
      [[9, 0x0b, 0, 1, 0, 0, 0, 0, 0], "8"],
      [[7, 0x30, 0, 0, 0, 0, 0], "6"],
    ] as const
  ) {
    refuses(
      { full: [descriptor] },
      "descriptors.full[0]",
      `A descriptor of type 0x${
        descriptor[1].toString(16).padStart(2, "0")
      } has ${lengths} bytes, not ${descriptor[0]}: correct its length`,
    );
  }
  accepts({
    full: [intf(), [3, 9, 0], [8, 0x0b, 0, 1, 0, 0, 0, 0], [...COMPANION]],
  });
});

Deno.test("ep0 refuses types of the gadget, of classes, and unknown ones", () => {
  const gadget = [0x01, 0x02, 0x03, 0x06, 0x07, 0x0f, 0x10];
  for (const type of [...gadget, 0x24, 0x25, 0x08, 0x0a, 0x0c, 0x22, 0x41]) {
    const shown = `0x${type.toString(16).padStart(2, "0")}`;
    refuses(
      { full: [intf(), [4, type, 0, 0]] },
      "descriptors.full[1]",
      `Descriptor type ${shown} is refused here`,
    );
  }
  refuses(
    { full: [intf(), [8, 0x31, 0, 0, 0, 0, 0, 0]] },
    "descriptors.full[1]",
    "Descriptor type 0x31 is refused here",
  );
});

const HID = [9, 0x21, 0x11, 1, 0, 1, 0x22, 63, 0];
const CCID = [54, 0x21, ...Array(52).fill(0)];

Deno.test("ep0 takes HID descriptors of 9 bytes", () => {
  accepts({ full: [intf({ class: 3 }), HID] });
  refuses(
    { full: [intf({ class: 3 }), [12, ...HID.slice(1), 0x23, 4, 0]] },
    "descriptors.full[1]",
    "A functional descriptor has 9 bytes here, not 12",
  );
});

Deno.test("ep0 takes smart card descriptors of 54 bytes", () => {
  accepts({ full: [intf({ class: 0x0b }), CCID] });
  refuses(
    { full: [intf({ class: 0x0b }), [53, ...CCID.slice(2)]] },
    "descriptors.full[1]",
    "Descriptor type 0x00 is refused here",
  );
  refuses(
    { full: [intf({ class: 0x0b }), HID] },
    "descriptors.full[1]",
    "A functional descriptor has 54 bytes here, not 9",
  );
});

Deno.test("ep0 takes DFU descriptors of 9 bytes from Linux 6.12 on", () => {
  const parts = { full: [intf({ class: 0xfe, subclass: 1 }), HID] };
  accepts(parts, LINUX_6_12);
  refuses(
    parts,
    "descriptors.full[1]",
    "Descriptor type 0x21 is refused here",
    { context: LINUX_6_1 },
  );
  refuses(
    { full: [intf({ class: 0xfe, subclass: 2 }), HID] },
    "descriptors.full[1]",
    "Descriptor type 0x21 is refused here",
  );
});

Deno.test("ep0 judges functional descriptors by the interface before them, in each list", () => {
  accepts({ full: [intf({ class: 3 }), [3, 9, 0], HID] });
  refuses(
    { full: [HID, intf({ class: 3 })] },
    "descriptors.full[0]",
    "Descriptor type 0x21 is refused here",
  );
  refuses(
    { full: [intf({ class: 3 })], high: [HID, intf({ class: 3 })] },
    "descriptors.high[0]",
    "Descriptor type 0x21 is refused here",
  );
});

Deno.test("ep0 takes endpoint numbers other than 0", () => {
  accepts({ full: [intf(), bulk(0xf1)] });
  refuses(
    { full: [intf(), bulk(0x80)] },
    "descriptors.full[1].bEndpointAddress",
    "Address 0x80 has endpoint number 0: use 1 to 15",
  );
});

function endpoints(count: number): number[][] {
  return Array.from(
    { length: count },
    (_, i) => bulk(i < 15 ? 0x81 + i : 0x01 + (i - 15) % 15),
  );
}

Deno.test("ep0 takes 30 endpoints", () => {
  accepts({ full: [intf({ endpoints: 30 }), ...endpoints(30)] });
  refuses(
    { full: [intf({ endpoints: 31 }), ...endpoints(31)] },
    "descriptors.full[31]",
    "This is endpoint 31, but FunctionFS takes 30: use fewer",
  );
});

Deno.test("ep0 compares interfaces and endpoints between speeds", () => {
  accepts({ full: [intf(), bulk(0x81)], high: [intf(), bulk(0x81, 512)] });
  refuses(
    { full: [intf(), bulk(0x81)], high: [intf()] },
    "descriptors.high",
    "The endpoint count is 0 here and 1 at another speed: make them equal",
  );
  refuses(
    { full: [intf()], high: [intf(), intf({ number: 1 })] },
    "descriptors.high",
    "The interface count is 2 here and 1 at another speed: make them equal",
  );
  refuses(
    { full: [intf(), bulk(0x81)], high: [intf(), bulk(0x82, 512)] },
    "descriptors.high[1].bEndpointAddress",
    "Endpoint 1 has address 0x82 here and 0x81 at another speed: use the same",
  );
});

Deno.test("ep0 counts interfaces by their greatest number", () => {
  accepts({ full: [intf({ number: 7 })], high: [intf({ number: 7 })] });
  accepts({
    full: [intf(), intf({ number: 1 })],
    high: [intf({ number: 1 })],
  });
});

Deno.test("ep0 lets the first list with interfaces or endpoints decide", () => {
  accepts({ full: [[3, 9, 0]], high: [intf(), bulk(0x81, 512)] });
  refuses(
    { full: [intf()], high: [[3, 9, 0]] },
    "descriptors.high",
    "The interface count is 0 here and 1 at another speed: make them equal",
  );
});

Deno.test("ep0 checks the header of Microsoft OS descriptors", () => {
  const full = [intf()];
  accepts({ full, os: [compatIds([compatId(0)])] });
  accepts({ full, os: [compatIds([], { length: 0 })] });
  refuses(
    { full, os: [compatIds([compatId(0)], { length: 36 })] },
    "descriptors.os[0].dwLength",
    "Length 36 is more than the 35 bytes left: correct it",
  );
  refuses(
    { full, os: [compatIds([compatId(0)], { index: 6 })] },
    "descriptors.os[0].wIndex",
    "Index 6 is refused: use 4 for compat IDs or 5 for properties",
  );
  refuses(
    { full, os: [compatIds([], { count: 256 })] },
    "descriptors.os[0].bCount",
    "The byte after the count of compat IDs is not 0: clear it",
  );
  refuses(
    { full, os: [], counts: { os: 1 } },
    "descriptors.os[0]",
    "The block ends before this feature descriptor: lower the count, or add it",
  );
});

Deno.test("ep0 takes version 0x0100 of Microsoft OS descriptors from Linux 6.4 on, and 0x0001 always", () => {
  const parts = (version: number) => ({
    full: [intf()],
    os: [compatIds([compatId(0)], { version })],
  });
  accepts(parts(0x0100), { kernel: { major: 6, minor: 4 } });
  accepts(parts(0x0001), LINUX_7_3);
  accepts(parts(0x0001), LINUX_6_1);
  refuses(
    parts(0x0100),
    "descriptors.os[0].bcdVersion",
    "Version 0x0100 is refused: use 0x0001, as Linux before 6.4 has it",
    { context: LINUX_6_1 },
  );
  refuses(
    parts(0x0200),
    "descriptors.os[0].bcdVersion",
    "Version 0x0200 is refused: use 0x0100",
  );
});

Deno.test("ep0 checks extended compat IDs", () => {
  const full = [intf(), intf({ number: 1 })];
  accepts({ full, os: [compatIds([compatId(1)])] });
  refuses(
    { full, os: [compatIds([compatId(2)])] },
    "descriptors.os[0][0].bFirstInterfaceNumber",
    "Interface 2 does not exist: the function has 2 interfaces",
  );
  refuses(
    { full, os: [compatIds([compatId(0, 1)])] },
    "descriptors.os[0][0].Reserved2",
    "The last six bytes of a compat ID are not 0: clear them",
  );
  refuses(
    { full, os: [compatIds([compatId(0)], { count: 2 })] },
    "descriptors.os[0][1]",
    "The block ends before this entry: lower the count, or add the entry",
  );
});

Deno.test("ep0 checks extended properties", () => {
  const full = [intf()];
  accepts({ full, os: [property()] });
  accepts({ full, os: [property({ type: 7 })] });
  refuses(
    { full, os: [property({ type: 8 })] },
    "descriptors.os[0][0].dwPropertyDataType",
    "Type 8 is refused: use 1, 2, 3 or 6",
  );
  refuses(
    { full, os: [property({ interface: 1 })] },
    "descriptors.os[0][0]",
    "Interface 1 does not exist: the function has 1 interfaces",
  );
  refuses(
    { full, os: [property({ size: 15 })] },
    "descriptors.os[0][0].dwSize",
    "Size 15 is less than 14 and the name of 2 bytes: correct it",
  );
  refuses(
    { full, os: [property({ valueLength: 3 })] },
    "descriptors.os[0][0].dwSize",
    "Size 18 is not 14 and the 2 bytes of name and 3 of value: correct it, it must not exceed 255",
  );
});

Deno.test("ep0 takes extended properties of 255 bytes", () => {
  const full = [intf()];
  const value = (length: number) => Array<number>(length).fill(0);
  accepts({ full, os: [property({ value: value(239) })] });
  refuses(
    { full, os: [property({ value: value(240) })] },
    "descriptors.os[0][0].dwSize",
    "Size 256 is refused, because the kernel keeps it in one byte: shorten name or value to 255 bytes in all",
  );
});

Deno.test("ep0 sees only the low byte of the size of an extended property", () => {
  accepts({ full: [intf()], os: [property({ size: 256 + 18 })] });
});

/** Asserts what ep0 does with strings for descriptors that refer to a number of them. */
function strings(bytes: Uint8Array, needed: number) {
  return validateBlocks(block({ full: [intf({ string: needed })] }), bytes);
}

function refusesStrings(
  bytes: Uint8Array,
  needed: number,
  path: string,
  message: string,
  errno = "EINVAL",
): void {
  const verdict = strings(bytes, needed);
  assertEquals(
    [verdict.errno, verdict.problems[0].path, verdict.problems[0].message],
    [errno, path, message],
  );
}

Deno.test("ep0 takes strings for every index in every language", () => {
  assertEquals(strings(stringsBlock([[0x0409, "a", "b"]]), 2).accepted, true);
  assertEquals(
    strings(stringsBlock([[0x0409, "a", "b"], [0x0407, "c", "d"]]), 1).accepted,
    true,
  );
  refusesStrings(
    stringsBlock([[0x0409, "a"]]),
    2,
    "strings",
    "The descriptors refer to string 2, but there are 1: add strings",
  );
});

Deno.test("ep0 takes strings from associations as well as interfaces", () => {
  const descriptors = block({
    full: [[8, 0x0b, 0, 1, 0, 0, 0, 2], intf({ string: 1 })],
  });
  const one = stringsBlock([[0x0409, "a"]]);
  assertEquals(validateBlocks(descriptors, one).errno, "EINVAL");
});

Deno.test("ep0 ignores the body of strings that nothing refers to", () => {
  const body = stringsBlock([], { strings: 3, languages: 1, rest: [1, 2] });
  assertEquals(strings(body, 0).accepted, true);
  assertEquals(strings(body, 1).accepted, false);
});

Deno.test("ep0 takes strings in languages, or neither", () => {
  assertEquals(strings(stringsBlock([]), 0).accepted, true);
  refusesStrings(
    stringsBlock([], { strings: 1 }),
    0,
    "strings",
    "There are 1 strings in 0 languages: make both 0 or none",
  );
});

Deno.test("ep0 checks magic and length of strings", () => {
  refusesStrings(
    stringsBlock([], { magic: 3 }),
    0,
    "strings.magic",
    "The block starts with 3: a strings block starts with 2",
  );
  refusesStrings(
    stringsBlock([], { length: 15 }),
    0,
    "strings.length",
    "The length field says 15, but the block has 16 bytes: make them equal, and write the block at once",
  );
  refusesStrings(
    new Uint8Array(15),
    0,
    "strings",
    "The block has 15 bytes: it must have 16 at least",
  );
});

Deno.test("ep0 wants every string terminated and nothing behind", () => {
  refusesStrings(
    stringsBlock([[0x0409]], { strings: 1, rest: [0x41] }),
    1,
    "strings[0].strings[0]",
    "The string has no terminator: end it with a NUL",
  );
  refusesStrings(
    stringsBlock([[0x0409, "a"]], { rest: [0] }),
    1,
    "strings",
    "The block has 1 bytes after its last string: remove them, or raise the counts",
  );
  refusesStrings(
    stringsBlock([[0x0409, "a"]], { languages: 2, rest: [9, 4] }),
    1,
    "strings[1]",
    "The block ends before this language: lower the count, or add the language",
  );
});

Deno.test("ep0 takes one file of a name from Linux 6.19 on", () => {
  const none = stringsBlock([]);
  const verdict = (flags: number, address: number, minor: number) =>
    validateBlocks(
      block({ full: [intf(), bulk(0x81), bulk(address)], flags }),
      none,
      { kernel: { major: 6, minor } },
    );
  const VIRTUAL_ADDR = 16;
  assertEquals(verdict(VIRTUAL_ADDR, 0x82, 19).accepted, true);
  assertEquals(verdict(VIRTUAL_ADDR, 0x81, 18).accepted, true);
  assertEquals(verdict(0, 0x81, 19).accepted, true);
  const { errno, problems } = verdict(VIRTUAL_ADDR, 0x81, 19);
  assertEquals(errno, "EEXIST");
  assertEquals(
    problems[0].message,
    "Endpoints 1 and 2 both have address 0x81 and with it the same file: use each address once, or clear FUNCTIONFS_VIRTUAL_ADDR",
  );
});

Deno.test("ep0 has no memory for very many languages", () => {
  refusesStrings(
    stringsBlock([[0x0409, "a"]], { languages: 0x80000000 }),
    1,
    "strings",
    "The kernel has no memory for 2147483648 languages: use fewer",
    "ENOMEM",
  );
});
