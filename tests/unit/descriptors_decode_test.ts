import {
  bulkPair,
  ccid,
  compatibleId,
  compileFunction,
  decodeDescriptors,
  decodeFunctionBlock,
  decodeInterval,
  definitionFromBlocks,
  deviceInterfaceGuid,
  dfu,
  DUMMY_UDC,
  encodeInterval,
  formatTree,
  hid,
  interruptIn,
  isochronousOut,
  normalizeDefinition,
  pickEndpoints,
  usbFunction,
} from "@usb/gadget";
import { assertEquals, assertThrows } from "@std/assert";
import {
  block,
  bulk,
  intf,
  stringsBlock,
  u32,
} from "../support/descriptors_blocks.ts";

const CONFIGURATION = [9, 2, 0, 0, 1, 1, 0, 0xe0, 250];

Deno.test("decodeDescriptors() keeps what it does not know as bytes", () => {
  const tree = decodeDescriptors(Uint8Array.from([
    ...CONFIGURATION,
    ...[8, 0x0b, 0, 1, 2, 2, 1, 0],
    ...intf({ class: 2, endpoints: 1 }),
    ...[5, 0x24, 0, 0x10, 1],
    ...bulk(0x81, 512),
  ]));
  assertEquals(tree.selfPowered && tree.remoteWakeup, true);
  assertEquals(tree.maxPower, 250);
  assertEquals(tree.descriptors.map((it) => it.kind), [
    "association",
    "interface",
  ]);
  const [, first] = tree.descriptors;
  if (first.kind !== "interface") throw new TypeError(first.kind);
  assertEquals(first.descriptors, [
    { kind: "unknown", type: 0x24, bytes: [5, 0x24, 0, 0x10, 1] },
  ]);
  assertEquals(first.endpoints.map((it) => it.maxPacketSize), [512]);
});

Deno.test("decodeDescriptors() refuses what is cut off or starts with something else", () => {
  assertThrows(
    () => decodeDescriptors(Uint8Array.from([...CONFIGURATION, 9, 4, 0])),
    RangeError,
    "Cannot decode descriptors: descriptor at byte 9 says it has 9 bytes, 3 are left",
  );
  assertThrows(
    () => decodeDescriptors(Uint8Array.from([...CONFIGURATION, 0, 4, 0])),
    RangeError,
    "Cannot decode descriptors: descriptor at byte 9 says it has 0 bytes, 3 are left",
  );
  assertThrows(
    () => decodeDescriptors(Uint8Array.from(intf())),
    RangeError,
    "Cannot decode configuration: it does not start with a configuration descriptor",
  );
});

Deno.test("decodeFunctionBlock() reads the legacy format", () => {
  const bytes = Uint8Array.from([
    ...u32(1),
    ...u32(34),
    ...u32(1),
    ...u32(1),
    ...intf(),
    ...intf(),
  ]);
  const tree = decodeFunctionBlock(bytes);
  assertEquals([tree.version, tree.flags], [1, 3]);
  assertEquals(Object.keys(tree.speeds), ["full", "high"]);
});

Deno.test("decodeFunctionBlock() reads more than the kernel accepts", () => {
  const tree = decodeFunctionBlock(block({
    flags: 1024,
    full: [intf(), [5, 0x24, 0, 0x10, 1]],
  }));
  assertEquals(tree.flags, 1025);
  assertEquals(tree.speeds.full?.length, 1);
});

Deno.test("decodeFunctionBlock() refuses what is cut off or is no block", () => {
  assertThrows(
    () => decodeFunctionBlock(block({ full: [[9, 4]] })),
    RangeError,
    "Cannot decode descriptors.full[0]: The block ends before this descriptor",
  );
  assertThrows(
    () => decodeFunctionBlock(Uint8Array.from(u32(7))),
    RangeError,
    "Cannot decode descriptors: a descriptors block starts with 1 or 3, not 7",
  );
  assertThrows(
    () =>
      decodeFunctionBlock(
        block({ full: [intf()] }),
        stringsBlock([], { magic: 1 }),
      ),
    RangeError,
    "Cannot decode strings: a strings block starts with 2, not 1",
  );
  const strings = stringsBlock([[0x0409, "One", "Two"]]);
  const cut: [length: number, path: string, what: string][] = [
    [12, "strings.languages", "field"],
    [17, "strings[0]", "language"],
    [20, "strings[0].strings[0]", "string's end"],
    [strings.length - 1, "strings[0].strings[1]", "string's end"],
  ];
  for (const [length, path, what] of cut) {
    assertThrows(
      () =>
        decodeFunctionBlock(
          block({ full: [intf()] }),
          strings.subarray(0, length),
        ),
      RangeError,
      `Cannot decode ${path}: The block ends before this ${what}`,
    );
  }
});

Deno.test("formatTree() writes a function block for people", () => {
  const { descriptors, strings } = compileFunction(
    usbFunction({
      name: "all",
      speeds: ["high", "super", "full"],
      otg: { srp: true },
      associations: [
        { firstInterface: 0, interfaceCount: 2, class: 0xef, subclass: 2 },
      ],
      interfaces: [
        {
          class: 3,
          description: "Keys",
          descriptors: [hid({ reportLength: 63 })],
          endpoints: {
            keys: interruptIn({ maxPacketSize: 8, intervalUs: 500 }),
          },
        },
        {
          class: 0xfe,
          subclass: 1,
          descriptors: [dfu()],
          alternates: [{ class: 0x0b, subclass: 0, descriptors: [ccid()] }],
        },
        {
          class: 0xff,
          endpoints: {
            link: bulkPair({ super: { maxBurst: 3, streams: 4 } }),
            samples: isochronousOut({
              synchronization: "adaptive",
              usage: "feedback",
              high: { transactions: 3 },
              super: { maxBurst: 1, mult: 1 },
            }),
          },
        },
      ],
      microsoftOs: [
        compatibleId("MTP", { interface: 2, subCompatibleId: "X" }),
        deviceInterfaceGuid("{8fe6d4d7-49dd-41e7-9486-49afc6bfe475}"),
      ],
    }),
    { eventfd: 9 },
  );
  const text = formatTree(decodeFunctionBlock(descriptors, strings));
  assertEquals(
    text.slice(0, text.indexOf("  High speed")),
    [
      "FunctionFS block, version 2: HAS_FS_DESC, HAS_HS_DESC, HAS_SS_DESC, HAS_MS_OS_DESC, EVENTFD",
      "  Event file descriptor 9",
      "  Full speed",
      "    OTG: SRP yes, HNP no",
      "    Association of interfaces 0 to 1: miscellaneous (0xef, 0x02, 0x00)",
      '    Interface 0: HID (0x03, 0x00, 0x00) "Keys"',
      "      HID 1.11: report descriptor of 63 bytes",
      "      Endpoint 0x81: IN interrupt, 8 bytes, every 1 ms",
      "    Interface 1: application specific (0xfe, 0x01, 0x00)",
      "      DFU 1.10: download, 4096 bytes a transfer",
      "    Interface 1 alternate 1: smart card (0x0b, 0x00, 0x00)",
      "      CCID 1.10: 1 slot, messages of 271 bytes",
      "    Interface 2: vendor specific (0xff, 0x00, 0x00)",
      "      Endpoint 0x82: IN bulk, 64 bytes",
      "      Endpoint 0x01: OUT bulk, 64 bytes",
      "      Endpoint 0x02: OUT isochronous, 1023 bytes, every 1 ms, adaptive, feedback",
      "",
    ].join("\n"),
  );
  assertEquals(
    text.slice(text.lastIndexOf("      Endpoint 0x82")),
    [
      "      Endpoint 0x82: IN bulk, 1024 bytes, burst of 4, 4 streams",
      "      Endpoint 0x01: OUT bulk, 1024 bytes, burst of 4, 4 streams",
      "      Endpoint 0x02: OUT isochronous, 1024 bytes, every 1 ms, adaptive, feedback, burst of 2, mult 1, 4096 bytes per interval",
      "  Microsoft OS compatible ID of interface 2: MTP X",
      '  Microsoft OS property of interface 0: DeviceInterfaceGUID (string) "{8fe6d4d7-49dd-41e7-9486-49afc6bfe475}"',
      "  Strings in en-US",
      '    1: "Keys"',
    ].join("\n"),
  );
});

Deno.test("formatTree() says intervals in time only when it knows the speed", () => {
  const tree = decodeDescriptors(Uint8Array.from([
    ...CONFIGURATION,
    ...intf({ endpoints: 1 }),
    ...[7, 5, 0x81, 3, 8, 0, 3],
  ]));
  const last = (text: string) => text.split("\n").at(-1);
  assertEquals(
    last(formatTree(tree)),
    "    Endpoint 0x81: IN interrupt, 8 bytes, interval 3",
  );
  assertEquals(
    last(formatTree(tree, { speed: "high" })),
    "    Endpoint 0x81: IN interrupt, 8 bytes, every 500 µs",
  );
});

Deno.test("normalizeDefinition() is the same for two ways to say the same", () => {
  const one = normalizeDefinition({
    name: "f",
    interfaces: [{ class: 3, endpoints: { a: interruptIn() } }],
  });
  const other = normalizeDefinition({
    name: "f",
    speeds: ["super", "high", "full"],
    rwProxy: "auto",
    interfaces: [{
      class: 3,
      subclass: 0,
      alternates: [],
      endpoints: {
        a: interruptIn({ intervalMs: 8, maxPacketSize: 64, address: 0x81 }),
      },
    }],
  });
  assertEquals(one, other);
});

Deno.test("definitionFromBlocks() refuses what a definition cannot say", () => {
  const cannot = (bytes: Uint8Array, reason: string) =>
    assertThrows(
      () => definitionFromBlocks(bytes),
      TypeError,
      `Cannot make a definition of the block: ${reason}`,
    );
  cannot(
    block({ full: [bulk(0x81), intf()] }),
    'a descriptor of kind "endpoint" stands outside of interfaces',
  );
  cannot(
    block({ full: [intf({ number: 1 })] }),
    "interface 1 alternate 0 is out of order",
  );
  cannot(
    block({ full: [intf()], high: [intf({ class: 3 })] }),
    "the speeds have different interfaces or endpoints",
  );
  cannot(
    block({ super: [intf(), bulk(0x81)] }),
    "endpoint 0x81 has no companion",
  );
});

Deno.test("encodeInterval() is never slower than asked for", () => {
  for (let us = 125; us < 300_000; us += 125) {
    for (const type of ["interrupt", "isochronous"] as const) {
      for (const speed of ["full", "high", "super"] as const) {
        const encoded = encodeInterval(us, type, speed);
        const decoded = decodeInterval(encoded, type, speed) ?? Infinity;
        const least = speed === "full" ? 1000 : 125;
        if (decoded > Math.max(us, least)) {
          throw new Error(`${type} at ${speed}: ${us} became ${decoded}`);
        }
      }
    }
  }
});

Deno.test("encodeInterval() counts frames for interrupt at full speed and powers of two elsewhere", () => {
  assertEquals(encodeInterval(1, "interrupt", "full"), 1);
  assertEquals(encodeInterval(255_999, "interrupt", "full"), 255);
  assertEquals(encodeInterval(1e9, "interrupt", "full"), 255);
  assertEquals(encodeInterval(124, "interrupt", "high"), 1);
  assertEquals(encodeInterval(250, "interrupt", "high"), 2);
  assertEquals(encodeInterval(8000, "interrupt", "super"), 7);
  assertEquals(encodeInterval(4_096_000, "interrupt", "high"), 16);
  assertEquals(encodeInterval(1e12, "interrupt", "high"), 16);
  assertEquals(encodeInterval(7999, "isochronous", "full"), 3);
  assertEquals(encodeInterval(1000, "isochronous", "high"), 4);
  assertEquals(encodeInterval(1000, "bulk", "high"), 0);
});

Deno.test("decodeInterval() knows no time for values that are not allowed", () => {
  assertEquals(decodeInterval(0, "interrupt", "full"), undefined);
  assertEquals(decodeInterval(255, "interrupt", "full"), 255_000);
  assertEquals(decodeInterval(16, "interrupt", "high"), 4_096_000);
  assertEquals(decodeInterval(17, "interrupt", "high"), undefined);
  assertEquals(decodeInterval(1, "bulk", "high"), undefined);
});

Deno.test("pickEndpoints() gives an interrupt endpoint of dummy_hcd what fits first", () => {
  const bulkOf = { transferType: "bulk", maxPacketSize: 64 } as const;
  const interrupt = { transferType: "interrupt", maxPacketSize: 64 } as const;
  assertEquals(
    pickEndpoints(DUMMY_UDC, [
      { ...bulkOf, direction: "in" },
      { ...bulkOf, direction: "out" },
      { ...interrupt, direction: "in" },
      { ...interrupt, direction: "out" },
    ]),
    [0x81, 0x02, 0x85, 0x07],
  );
  const three = Array(3).fill({ ...interrupt, direction: "in" });
  assertEquals(pickEndpoints(DUMMY_UDC, three), [0x81, 0x85, 0x86]);
});

Deno.test("pickEndpoints() skips endpoints with small packets", () => {
  const udc = {
    endpoints: [
      { number: 1, directions: ["in"], types: ["bulk"], maxPacketSize: 64 },
      { number: 2, directions: ["in", "out"], types: ["bulk"] },
    ],
  } as const;
  const request = { transferType: "bulk", maxPacketSize: 512 } as const;
  assertEquals(
    pickEndpoints(udc, [
      { ...request, direction: "in" },
      { ...request, direction: "out" },
    ]),
    [0x82, undefined],
  );
});

Deno.test("formatTree() takes more descriptors than a call can have arguments", () => {
  const { descriptors, strings } = compileFunction(usbFunction({
    name: "many",
    interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
  }));
  const tree = decodeFunctionBlock(descriptors, strings);
  const [node] = tree.speeds.high!;
  const many = formatTree({
    ...tree,
    speeds: { high: Array.from({ length: 50_000 }, () => node) },
  });
  assertEquals(many.match(/Interface 0/g)?.length, 50_000);
});
