import {
  bulkIn,
  bulkOut,
  bulkPair,
  canProxy,
  ccid,
  compatibleId,
  compileFunction,
  type CompileOptions,
  DefinitionError,
  deviceInterfaceGuid,
  dfu,
  type EndpointsOf,
  type FunctionDefinition,
  hid,
  interruptIn,
  isochronousIn,
  usbFunction,
  winUsb,
} from "@usb/gadget";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  block,
  bulk,
  intf,
  stringsBlock,
  u16,
  u32,
} from "../support/descriptors_blocks.ts";
import { validateBlocks } from "../kernel_model/validate_blocks.ts";

type Parts = Partial<FunctionDefinition>;

function compile(parts: Parts, options?: CompileOptions) {
  const definition = { name: "f", interfaces: [{ class: 0xff }], ...parts };
  return compileFunction(usbFunction(definition), options);
}

/** The bytes of a list, for a function with one speed. */
function list(parts: Parts, options?: CompileOptions): number[] {
  const { descriptors } = compile({ speeds: ["full"], ...parts }, options);
  return [...descriptors.subarray(16)];
}

Deno.test("compileFunction() writes all speeds of one declaration", () => {
  const { descriptors, strings, flags } = compile({
    interfaces: [{
      class: 0xff,
      description: "Echo",
      endpoints: { link: bulkPair() },
    }],
  });
  const head = intf({ endpoints: 2, string: 1 });
  assertEquals(
    descriptors,
    block({
      full: [head, bulk(0x81, 64), bulk(0x01, 64)],
      high: [head, bulk(0x81, 512), bulk(0x01, 512)],
      super: [
        head,
        bulk(0x81, 1024),
        [6, 0x30, 0, 0, 0, 0],
        bulk(0x01, 1024),
        [6, 0x30, 0, 0, 0, 0],
      ],
    }),
  );
  assertEquals(strings, stringsBlock([[0x0409, "Echo"]]));
  assertEquals(flags, 7);
});

Deno.test("compileFunction() allocates blocks of exactly their length", () => {
  const { descriptors, strings } = compile({
    interfaces: [{ class: 0xff, description: "Ä", endpoints: { a: bulkIn() } }],
    microsoftOs: [winUsb()],
  });
  assertEquals(descriptors.buffer.byteLength, descriptors.length);
  assertEquals(strings.buffer.byteLength, strings.length);
});

Deno.test("compileFunction() writes the speeds asked for, in block order", () => {
  assertEquals(
    compile({ speeds: ["super", "full"] }).descriptors,
    block({ full: [intf()], super: [intf()] }),
  );
  assertEquals(
    compile({ speeds: ["high"] }).descriptors,
    block({ high: [intf()] }),
  );
});

Deno.test("compileFunction() describes the endpoints in file order", () => {
  const { endpoints } = compile({
    speeds: ["full", "high"],
    interfaces: [
      {
        class: 0xff,
        endpoints: { a: bulkPair({ first: "out" }) },
        alternates: [{ endpoints: { b: interruptIn({ maxPacketSize: 100 }) } }],
      },
      { class: 0xff, endpoints: { c: bulkOut() } },
    ],
  });
  assertEquals(
    endpoints.map((it) => [
      it.name,
      it.direction,
      it.index,
      it.file,
      it.address,
      it.interfaceNumber,
      it.alternateSetting,
    ]),
    [
      ["a", "out", 1, "ep1", 0x01, 0, 0],
      ["a", "in", 2, "ep2", 0x81, 0, 0],
      ["b", "in", 3, "ep3", 0x82, 0, 1],
      ["c", "out", 4, "ep4", 0x02, 1, 0],
    ],
  );
  assertEquals(endpoints[0].maxPacketSize, { full: 64, high: 512 });
  assertEquals(endpoints[2].maxPacketSize, { full: 64, high: 100 });
  assertEquals(endpoints[2].transferType, "interrupt");
});

Deno.test("compileFunction() gives free addresses past those that are declared", () => {
  const { endpoints } = compile({
    interfaces: [{
      class: 0xff,
      endpoints: {
        a: bulkIn(),
        b: bulkIn({ address: 0x81 }),
        c: bulkIn(),
        d: bulkIn({ address: 0x85 }),
      },
    }],
  });
  assertEquals(endpoints.map((it) => it.address), [0x82, 0x81, 0x83, 0x85]);
});

Deno.test("compileFunction() names files by address with virtual addresses", () => {
  const { endpoints, proxies, flags } = compile({
    virtualAddresses: true,
    interfaces: [{
      class: 0xff,
      endpoints: { a: bulkPair({ out: { address: 0x02 } }) },
    }],
  }, { rwProxy: true });
  assertEquals(endpoints.map((it) => it.file), ["ep81", "ep02"]);
  assertEquals(proxies, [{ name: "a", file: "ep81_rw" }]);
  assertEquals(flags, 7 | 16 | 256);
});

Deno.test("compileFunction() names one file for each pair", () => {
  const { proxies, flags } = compile({
    interfaces: [
      { class: 0xff, endpoints: { a: bulkPair(), b: bulkPair() } },
    ],
  }, { rwProxy: true });
  assertEquals(proxies, [
    { name: "a", file: "ep1_rw" },
    { name: "b", file: "ep3_rw" },
  ]);
  assertEquals(flags, 7 | 256);
});

Deno.test("compileFunction() makes no pair files unless asked or insisted", () => {
  const interfaces = [{ class: 0xff, endpoints: { a: bulkPair() } }];
  assertEquals(compile({ interfaces }).proxies, []);
  assertEquals(compile({ interfaces, rwProxy: true }).proxies.length, 1);
  assertEquals(
    compile({ interfaces, rwProxy: true }, { rwProxy: false }).proxies,
    [],
  );
});

Deno.test("compileFunction() refuses pair files for a function of other endpoints", () => {
  const interfaces = [{ class: 0xff, endpoints: { a: bulkIn() } }];
  assertThrows(
    () => compile({ interfaces }, { rwProxy: true }),
    DefinitionError,
    'Cannot define function "f": rwProxy: Files for both directions need every endpoint in a pair: declare pairs, or leave rwProxy out',
  );
});

Deno.test("compileFunction() asks for pair files on every kernel: some have them ported back", () => {
  const interfaces = [{ class: 0xff, endpoints: { a: bulkPair() } }];
  const kernel = { major: 6, minor: 1 };
  const { proxies } = compile({ interfaces }, { rwProxy: true, kernel });
  assertEquals(proxies, [{ name: "a", file: "ep1_rw" }]);
});

Deno.test("canProxy() is true for functions of pairs", () => {
  const of = (endpoints: Parameters<typeof Object.keys>[0]) =>
    canProxy({
      name: "f",
      interfaces: [{ class: 0xff, endpoints: endpoints as never }],
    });
  assert(of({ a: bulkPair(), b: bulkPair() }));
  assert(!of({ a: bulkPair(), b: bulkIn() }));
  assert(!of({}));
});

Deno.test("compileFunction() sets the flags of the options", () => {
  assertEquals(compile({ allControlRecipients: true }).flags, 7 | 64);
  assertEquals(compile({ config0Setup: true }).flags, 7 | 128);
  assertEquals(compile({ microsoftOs: [winUsb()] }).flags, 7 | 8);
  assertEquals(compile({ microsoftOs: [] }).flags, 7);
});

Deno.test("compileFunction() writes the eventfd after the flags", () => {
  const { descriptors } = compile({ speeds: ["full"] }, { eventfd: 5 });
  assertEquals(descriptors, block({ full: [intf()], eventfd: 5 }));
  assertThrows(
    () => compile({}, { eventfd: -1 }),
    DefinitionError,
    "Eventfd is -1: give a whole number from 0 to 2147483647",
  );
});

Deno.test("compileFunction() places an association before its first interface and adds the offset", () => {
  const parts: Parts = {
    interfaces: [{ class: 0xff }, { class: 2 }, { class: 10 }],
    associations: [{ firstInterface: 1, interfaceCount: 2, class: 2 }],
  };
  const association = (first: number) => [8, 0x0b, first, 2, 2, 0, 0, 0];
  const expected = (first: number) => [
    ...intf(),
    ...association(first),
    ...intf({ number: 1, class: 2 }),
    ...intf({ number: 2, class: 10 }),
  ];
  assertEquals(list(parts), expected(1));
  assertEquals(list(parts, { interfaceOffset: 4 }), expected(5));
});

Deno.test("compileFunction() refuses an offset beyond the interfaces of a configuration", () => {
  compile({}, { interfaceOffset: 31 });
  assertThrows(
    () => compile({}, { interfaceOffset: 32 }),
    DefinitionError,
    "Interface offset is 32: give a whole number from 0 to 31",
  );
  assertThrows(
    () =>
      compile({ interfaces: [{ class: 1 }, { class: 1 }] }, {
        interfaceOffset: 31,
      }),
    DefinitionError,
    "The configuration has 33 interfaces, but the kernel takes 32: use fewer",
  );
});

Deno.test("compileFunction() writes an OTG descriptor first", () => {
  assertEquals(list({ otg: { srp: true, hnp: true } }), [3, 9, 3, ...intf()]);
  assertEquals(list({ otg: { hnp: true } }), [3, 9, 2, ...intf()]);
});

Deno.test("compileFunction() writes the settings of an interface one after the other", () => {
  assertEquals(
    list({
      interfaces: [{
        class: 0xff,
        subclass: 7,
        alternates: [{ endpoints: { a: bulkIn() } }, { class: 3, subclass: 0 }],
      }],
    }),
    [
      ...intf({ subclass: 7 }),
      ...intf({ subclass: 7, alternate: 1, endpoints: 1 }),
      ...bulk(0x81),
      ...intf({ class: 3, alternate: 2 }),
    ],
  );
});

Deno.test("compileFunction() writes HID descriptors", () => {
  assertEquals(
    list({
      interfaces: [{
        class: 3,
        descriptors: [hid({ reportLength: 0x0134, countryCode: 33 })],
        endpoints: { keys: interruptIn({ maxPacketSize: 8, intervalMs: 10 }) },
      }],
    }),
    [
      ...intf({ class: 3, endpoints: 1 }),
      ...[9, 0x21, 0x11, 0x01, 33, 1, 0x22, 0x34, 0x01],
      ...[7, 5, 0x81, 3, 8, 0, 10],
    ],
  );
});

Deno.test("compileFunction() writes DFU descriptors", () => {
  assertEquals(
    list({
      interfaces: [{
        class: 0xfe,
        subclass: 1,
        descriptors: [
          dfu({
            canUpload: true,
            willDetach: true,
            detachTimeoutMs: 0x1234,
            transferSize: 0x0800,
          }),
        ],
      }],
    }),
    [
      ...intf({ class: 0xfe, subclass: 1 }),
      ...[9, 0x21, 0x0b, 0x34, 0x12, 0x00, 0x08, 0x10, 0x01],
    ],
  );
});

Deno.test("compileFunction() writes CCID descriptors", () => {
  assertEquals(
    list({
      interfaces: [{ class: 0x0b, descriptors: [ccid({ lcdLayout: 0x0410 })] }],
    }),
    [
      ...intf({ class: 0x0b }),
      ...[54, 0x21, ...u16(0x0110), 0, 7, ...u32(3)],
      ...[...u32(4000), ...u32(4000), 0],
      ...[...u32(10752), ...u32(344086), 0],
      ...[...u32(254), ...u32(0), ...u32(0), ...u32(0x000200ba), ...u32(271)],
      ...[0xff, 0xff, ...u16(0x0410), 0, 1],
    ],
  );
});

Deno.test("compileFunction() writes isochronous endpoints in the audio form", () => {
  const { descriptors } = compile({
    speeds: ["high"],
    interfaces: [{
      class: 1,
      endpoints: {
        samples: isochronousIn({
          synchronization: "asynchronous",
          usage: "implicit-feedback",
          audio: { refresh: 3, synchAddress: 0x81 },
          high: { transactions: 2, maxPacketSize: 1024 },
        }),
      },
    }],
  });
  assertEquals(
    [...descriptors.subarray(25)],
    [9, 5, 0x81, 0x25, ...u16(1024 | 1 << 11), 4, 3, 0x81],
  );
});

Deno.test("compileFunction() writes super-speed companions", () => {
  const companions = (parts: Parts) => {
    const { descriptors } = compile({ speeds: ["super"], ...parts });
    return [...descriptors.subarray(25)];
  };
  assertEquals(
    companions({
      interfaces: [{
        class: 0xff,
        endpoints: {
          a: bulkIn({ super: { maxBurst: 3, streams: 16 } }),
          b: interruptIn({ maxPacketSize: 1024, super: { maxBurst: 2 } }),
          c: isochronousIn({ super: { maxBurst: 15, mult: 2 } }),
        },
      }],
    }),
    [
      ...[7, 5, 0x81, 2, ...u16(1024), 0],
      ...[6, 0x30, 3, 4, ...u16(0)],
      ...[7, 5, 0x82, 3, ...u16(1024), 7],
      ...[6, 0x30, 2, 0, ...u16(3072)],
      ...[7, 5, 0x83, 1, ...u16(1024), 4],
      ...[6, 0x30, 15, 2, ...u16(49152)],
    ],
  );
});

Deno.test("compileFunction() gives equal texts one index, and every language every string", () => {
  const { descriptors, strings } = compile({
    speeds: ["full"],
    languages: ["en-US", 0x0407],
    interfaces: [
      { class: 0xff, description: "Log" },
      { class: 0xff, description: { "en-US": "Log", "de-DE": "Protokoll" } },
      { class: 0xff, description: "Log" },
    ],
    associations: [
      { firstInterface: 0, interfaceCount: 3, class: 0xff, description: "All" },
    ],
  });
  assertEquals(
    strings,
    stringsBlock([
      [0x0409, "All", "Log", "Log"],
      [0x0407, "All", "Log", "Protokoll"],
    ]),
  );
  const indexes = [23, 24 + 8, 24 + 17, 24 + 26].map((it) => descriptors[it]);
  assertEquals(indexes, [1, 2, 3, 2]);
});

Deno.test("compileFunction() takes the languages of the descriptions", () => {
  const { strings } = compile({
    interfaces: [{ class: 0xff, description: { "0x0411": "数" } }],
  });
  assertEquals(strings, stringsBlock([[0x0411, "数"]]));
});

Deno.test("compileFunction() writes an empty strings block without descriptions", () => {
  assertEquals(compile({ languages: ["de-DE"] }).strings, stringsBlock([]));
});

Deno.test("compileFunction() writes compat IDs and properties as FunctionFS wants them", () => {
  const guid = "{8fe6d4d7-49dd-41e7-9486-49afc6bfe475}";
  const parts: Parts = {
    speeds: ["full"],
    interfaces: [{ class: 0xff }, { class: 0xff }],
    microsoftOs: [
      deviceInterfaceGuid(guid, { interface: 1 }),
      winUsb({ interface: 1 }),
      compatibleId("MTP", { subCompatibleId: "A" }),
    ],
  };
  const text = (it: string) => [...new TextEncoder().encode(it)];
  const os = (version: number) => [
    ...[0, ...u32(11 + 48), ...u16(version), ...u16(4), ...u16(2)],
    ...[
      1,
      1,
      ...text("WINUSB\0\0"),
      ...text("\0\0\0\0\0\0\0\0"),
      ...Array(6).fill(0),
    ],
    ...[
      0,
      1,
      ...text("MTP\0\0\0\0\0"),
      ...text("A\0\0\0\0\0\0\0"),
      ...Array(6).fill(0),
    ],
    ...[1, ...u32(11 + 73), ...u16(version), ...u16(5), ...u16(1)],
    ...[...u32(73), ...u32(1), ...u16(20), ...text("DeviceInterfaceGUID\0")],
    ...[...u32(39), ...text(`${guid}\0`)],
  ];
  const full = [intf(), intf({ number: 1 })];
  const expected = (version: number) => {
    const bytes = os(version);
    return block({ full, os: [bytes.slice(0, 59), bytes.slice(59)] });
  };
  assertEquals(compile(parts).descriptors, expected(0x0100));
  const kernel = { major: 6, minor: 3 };
  assertEquals(compile(parts, { kernel }).descriptors, expected(0x0001));
});

Deno.test("compileFunction() validates plain data that usbFunction() has not seen", () => {
  assertThrows(
    () => compileFunction({ name: "", interfaces: [{ class: 0xff }] }),
    DefinitionError,
    'Name is "": give one of 1 to 35 bytes',
  );
});

Deno.test("compileFunction() refuses what the kernel does not know, and only that", () => {
  const kernel = { major: 6, minor: 1 };
  compile({ interfaces: [{ class: 0xff, alternates: [{}] }] }, { kernel });
  assertThrows(
    () =>
      compile({
        interfaces: [{ class: 0xfe, subclass: 1, descriptors: [dfu()] }],
      }, { kernel }),
    DefinitionError,
    "Linux 6.1 refuses DFU functional descriptors: use Linux 6.12 or later, or leave it out",
  );
});

Deno.test("compileFunction() takes 15 interfaces with 30 endpoints", () => {
  const { descriptors, strings, endpoints } = compile({
    interfaces: Array.from({ length: 15 }, (_, number) => ({
      class: 0xff,
      endpoints: { [`link${number}`]: bulkPair() },
    })),
  });
  assertEquals(endpoints.length, 30);
  assertEquals(validateBlocks(descriptors, strings).problems, []);
});

Deno.test("the type of a function knows its name and its endpoints", () => {
  const echo = usbFunction({
    name: "echo",
    interfaces: [
      { class: 0xff, endpoints: { link: bulkPair() } },
      {
        class: 0xff,
        endpoints: { log: bulkIn() },
        alternates: [{ endpoints: { samples: isochronousIn() } }],
      },
      { class: 0xff },
    ],
  });
  const name: (typeof echo)["name"] = "echo";
  type Endpoints = EndpointsOf<typeof echo>;
  const kinds: { [K in keyof Endpoints]: Endpoints[K]["kind"] } = {
    link: "pair",
    log: "in",
    samples: "in",
  };
  const type: Endpoints["samples"]["transferType"] = "isochronous";
  assertEquals([echo.name, type], [name, "isochronous"]);
  assertEquals(Object.keys(kinds), ["link", "log", "samples"]);
});
