import {
  bulkIn,
  compatibleId,
  type FunctionDefinition,
  hid,
  interruptOut,
  interruptPair,
  type Problem,
  textProperty,
  usbFunction,
  winUsb,
} from "@usb/gadget";
import {
  compileFunction,
  definitionFromBlocks,
  DUMMY_UDC,
  parseKernelRelease,
  validateFunction,
} from "@usb/gadget/inspect";
import { validateBlocks } from "../kernel_model/validate_blocks.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { Writer } from "../../src/compile/writer.ts";
import {
  block,
  bulk,
  intf,
  property,
  stringsBlock,
  u16,
  u32,
} from "../support/descriptors/blocks.ts";

type Said = readonly [rule: string, path: string, message: string];

function said(problems: readonly Problem[]): Said[] {
  return problems.map((it) => [it.rule, it.path, it.message]);
}

/** What is wrong with a function of one interface. */
function wrong(
  parts: object,
  options: Partial<FunctionDefinition> = {},
): Said[] {
  const interfaces = [{ class: 0xff, ...parts }];
  return said(validateFunction({ name: "f", interfaces, ...options }));
}

Deno.test("parseKernelRelease() accepts releases that begin with two numbers", () => {
  const version = (major: number, minor: number) => ({ major, minor });
  assertEquals(parseKernelRelease("7.3.4+deb13-amd64"), version(7, 3));
  assertEquals(parseKernelRelease("6.12.57"), version(6, 12));
  assertEquals(parseKernelRelease("6.1-rt"), version(6, 1));
  for (const release of ["", "7", "v6.1", "mainline", "x6.1.2"]) {
    assertEquals(parseKernelRelease(release), undefined);
  }
});

Deno.test("an interface has a class", () => {
  assertEquals(wrong({}), []);
  assertEquals(wrong({ class: undefined }), [[
    "range",
    "interfaces[0].class",
    "Class is undefined: give a whole number from 0 to 255",
  ]]);
});

Deno.test("a functional descriptor is made by a helper", () => {
  assertEquals(
    wrong({ class: 3, descriptors: [hid({ reportLength: 1 })] }),
    [],
  );
  assertEquals(wrong({ descriptors: [{ kind: "cdc" }] }), [[
    "functional",
    "interfaces[0].descriptors[0]",
    "The descriptor is of no known kind: use hid(), dfu(), ccid() or raw()",
  ]]);
  assertThrows(
    () => hid({}),
    TypeError,
    "Cannot describe HID interface: give the report descriptor, or its length",
  );
});

Deno.test("the kernel counts features with 16 bits", () => {
  const features = (length: number) =>
    wrong({}, { microsoftOs: Array(length).fill(compatibleId("WINUSB")) })
      .filter(([rule]) => rule === "os-count");
  assertEquals(features(0xffff), []);
  assertEquals(features(0x10000), [[
    "os-count",
    "microsoftOs",
    "There are 65536 features: give 65535 at most",
  ]]);
});

Deno.test("dummy_hcd has four bulk endpoints in a direction, for blocks as well", () => {
  const full = (count: number) => [
    intf({ endpoints: count }),
    ...Array.from({ length: count }, (_, i) => bulk(0x81 + i)),
  ];
  const problems = (count: number) =>
    said(
      validateBlocks(block({ full: full(count) }), undefined, {
        udc: { ...DUMMY_UDC, maximumSpeed: "full-speed" },
      }).problems,
    );
  assertEquals(problems(4), []);
  assertEquals(problems(5), [[
    "udc-endpoints",
    "descriptors.full[5]",
    '"dummy_udc.0" gives this endpoint the address 0x81, which another has already: use fewer endpoints in this direction',
  ]]);
});

Deno.test("a control endpoint is one problem, whatever the controller has", () => {
  const control = [7, 5, 0x81, 0, 64, 0, 0];
  const { problems } = validateBlocks(
    block({ full: [intf({ endpoints: 1 }), control] }),
    undefined,
    { udc: { endpoints: [] } },
  );
  assertEquals(problems.map((it) => it.rule), ["transfer-type"]);
});

Deno.test("ep0 wants an extended property whole", () => {
  const full = [intf()];
  const header = [0, ...u32(0), ...u16(0x0100), ...u16(5), ...u16(1)];
  const refused = (os: number[]) =>
    said(validateBlocks(block({ full, os: [os] })).problems);
  const short: Said = [
    "os-entry",
    "descriptors.os[0][0]",
    "The block ends before this entry: lower the count, or add the entry",
  ];
  assertEquals(refused(property()), []);
  assertEquals(refused(property().slice(0, header.length + 9)), [short]);
  assertEquals(refused(property({ size: 100 })), [short]);
});

Deno.test("definitionFromBlocks() names the parts of a block that a definition cannot express", () => {
  const cannot = (reason: string, ...blocks: [Uint8Array, Uint8Array?]) =>
    assertThrows(
      () => definitionFromBlocks(...blocks),
      TypeError,
      `Cannot make a definition of the block: ${reason}`,
    );
  const full = [intf()];
  cannot("no speed has descriptors", block({ flags: 64 }));
  cannot(
    "endpoint 0x81 is a control endpoint",
    block({ full: [intf({ endpoints: 1 }), [7, 5, 0x81, 0, 64, 0, 0]] }),
  );
  cannot(
    "endpoint 0x81 has transactions at full speed",
    block({
      full: [intf({ endpoints: 1 }), [7, 5, 0x81, 3, ...u16(0x0840), 1]],
    }),
  );
  cannot(
    "string 2 is missing",
    block({ full: [intf({ string: 2 })] }),
    stringsBlock([[0x0409, "a"]]),
  );
  cannot(
    'property "A" is of type 4',
    block({ full, os: [property({ type: 4 })] }),
  );
});

Deno.test("interruptOut() and interruptPair() declare interrupt endpoints", () => {
  const { endpoints } = compileFunction(usbFunction({
    name: "f",
    interfaces: [{
      class: 0xff,
      endpoints: { out: interruptOut(), pair: interruptPair() },
    }],
  }));
  assertEquals(
    endpoints.map((it) => [it.direction, it.transferType]),
    [["out", "interrupt"], ["in", "interrupt"], ["out", "interrupt"]],
  );
});

Deno.test("a writer that is not full says so", () => {
  const writer = new Writer(2);
  writer.u8(1);
  assertThrows(
    () => writer.finish(),
    RangeError,
    "Cannot finish block: 1 of 2 bytes written",
  );
  writer.u8(2);
  assertEquals(writer.finish(), Uint8Array.of(1, 2));
});

Deno.test("compileFunction() allocates each block once, and nothing besides", () => {
  const definition = usbFunction({
    name: "f",
    interfaces: [
      { class: 0xff, description: "One", endpoints: { tx: bulkIn() } },
      { class: 3, descriptors: [hid({ reportLength: 9 })] },
    ],
    microsoftOs: [winUsb(), textProperty("Label", "Probe")],
  });
  const allocated: number[] = [];
  const original = Uint8Array;
  globalThis.Uint8Array = new Proxy(original, {
    construct(target, parameters) {
      if (typeof parameters[0] === "number") allocated.push(parameters[0]);
      return Reflect.construct(target, parameters, target);
    },
  });
  let compiled;
  try {
    compiled = compileFunction(definition);
  } finally {
    globalThis.Uint8Array = original;
  }
  const { descriptors, strings } = compiled;
  assertEquals(
    allocated.toSorted(),
    [descriptors.length, strings.length].toSorted(),
  );
});
