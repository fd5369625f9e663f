import {
  bulkIn,
  bulkOut,
  bulkPair,
  ccid,
  ClassCode,
  DefinitionError,
  dfu,
  type EndpointDefinition,
  type FunctionDefinition,
  type FunctionSpeed,
  hid,
  type InterfaceDefinition,
  interruptIn,
  isochronousIn,
  isochronousOut,
  raw,
  usbFunction,
} from "@usb/gadget";
import {
  DUMMY_UDC,
  validateFunction,
  type ValidationContext,
} from "@usb/gadget/inspect";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";

type Expected = readonly (readonly [path: string, message: string])[];

/** Asserts the problems of a definition, `[]` for none. */
function problems(
  definition: Partial<FunctionDefinition>,
  expected: Expected,
  context?: ValidationContext,
): void {
  const found = validateFunction({
    name: "f",
    interfaces: [{ class: 0xff }],
    ...definition,
  }, context);
  assertEquals(
    found.map((it) => [it.path, it.message]),
    expected.map((it) => [...it]),
  );
}

/** Asserts the problems of one endpoint; paths are those below it. */
function endpoint(definition: EndpointDefinition, expected: Expected): void {
  problems(
    { interfaces: [{ class: 0xff, endpoints: { tx: definition } }] },
    expected.map(([path, message]) => [
      `interfaces[0].endpoints.tx${path}`,
      message,
    ]),
  );
}

/** Asserts the problems of one interface; paths are those below it. */
function intf(definition: InterfaceDefinition, expected: Expected): void {
  problems(
    { interfaces: [definition] },
    expected.map(([path, message]) => [`interfaces[0]${path}`, message]),
  );
}

Deno.test("usbFunction() throws one error with all problems", () => {
  const error = assertThrows(
    () =>
      usbFunction({
        name: "a/b",
        speeds: ["high", "super"],
        interfaces: [{ class: 300 }],
      }),
    DefinitionError,
  );
  assertInstanceOf(error, TypeError);
  assertEquals(error.problems.map((it) => [it.path, it.stage]), [
    ["name", "bind"],
    ["speeds", "hazard"],
    ["interfaces[0].class", "write"],
  ]);
  assertEquals(
    error.message,
    [
      'Cannot define function "a/b", 3 problems:',
      '  name: Name "a/b" cannot be that of a directory: remove slashes, line breaks and NUL characters',
      '  speeds: High and super speed without full speed crash the kernel when the gadget is bound: add "full"',
      "  interfaces[0].class: Class is 300: give a whole number from 0 to 255",
    ].join("\n"),
  );
});

Deno.test("usbFunction() says a single problem in one line", () => {
  assertThrows(
    () => usbFunction({ name: "echo", interfaces: [] }),
    DefinitionError,
    'Cannot define function "echo": interfaces: A function needs at least one interface: add one, it may have no endpoints',
  );
});

Deno.test("usbFunction() copies and freezes the definition", () => {
  const endpoints = { tx: bulkIn({ super: { maxBurst: 1 } }) };
  const definition = usbFunction({
    name: "f",
    interfaces: [{ class: 0xff, endpoints }],
  });
  assert(Object.isFrozen(definition.interfaces[0].endpoints.tx.super));
  assert(!Object.isFrozen(endpoints));
  assertEquals(definition.interfaces[0].endpoints, endpoints);
});

Deno.test("usbFunction() keeps functions and other options as they are", () => {
  const control = () => {};
  const definition = { name: "f", interfaces: [{ class: 0xff }], control };
  const made = usbFunction(definition) as typeof definition;
  assertStrictEquals(made.control, control);
});

Deno.test("a name has 1 to 35 bytes and no slash", () => {
  problems({ name: "n".repeat(35) }, []);
  problems({ name: "n".repeat(36) }, [[
    "name",
    `Name "${
      "n".repeat(36)
    }" has 36 bytes, but configfs takes 35 after "ffs.": shorten it`,
  ]]);
  problems({ name: "ä".repeat(18) }, [[
    "name",
    `Name "${
      "ä".repeat(18)
    }" has 36 bytes, but configfs takes 35 after "ffs.": shorten it`,
  ]]);
  problems({ name: "" }, [["name", 'Name is "": give one of 1 to 35 bytes']]);
  problems({ name: "a/b" }, [[
    "name",
    'Name "a/b" cannot be that of a directory: remove slashes, line breaks and NUL characters',
  ]]);
});

Deno.test("speeds are full, high and super, each once", () => {
  problems({ speeds: ["high"] }, []);
  problems({ speeds: ["full", "super"] }, []);
  problems({ speeds: [] }, [[
    "speeds",
    'There is no speed: name one of "full", "high" and "super", or leave speeds out',
  ]]);
  problems({ speeds: ["full", "full"] }, [[
    "speeds[1]",
    'Speed "full" is named twice: name it once',
  ]]);
  problems({ speeds: ["high-speed" as FunctionSpeed] }, [[
    "speeds[0]",
    'Speed "high-speed" is not known: use "full", "high" or "super"',
  ]]);
});

Deno.test("high and super speed without full speed are refused as a hazard", () => {
  problems({ speeds: ["high", "super", "full"] }, []);
  const [problem] = validateFunction({
    name: "f",
    speeds: ["super", "high"],
    interfaces: [{ class: 0xff }],
  });
  assertEquals(problem.stage, "hazard");
  assertEquals(
    problem.message,
    'High and super speed without full speed crash the kernel when the gadget is bound: add "full"',
  );
});

Deno.test("class, subclass and protocol are bytes", () => {
  intf({ class: 255, subclass: 255, protocol: 0 }, []);
  intf({ class: 256, subclass: -1, protocol: 1.5 }, [
    [".class", "Class is 256: give a whole number from 0 to 255"],
    [".subclass", "Subclass is -1: give a whole number from 0 to 255"],
    [".protocol", "Protocol is 1.5: give a whole number from 0 to 255"],
  ]);
});

Deno.test("an interface has two alternate settings beside its own", () => {
  intf({ class: 0xff, alternates: [{}, {}] }, []);
  intf({ class: 0xff, alternates: [{}, {}, {}] }, [[
    ".alternates",
    "There are 3 alternate settings, but FunctionFS lets the host select settings 0 to 2: use 2 at most",
  ]]);
});

Deno.test("a configuration has 32 interfaces, 16 before Linux 6.12", () => {
  const interfaces = (length: number) =>
    Array.from({ length }, () => ({ class: 0xff }));
  problems({ interfaces: interfaces(32) }, []);
  problems({ interfaces: interfaces(33) }, [[
    "interfaces",
    "The configuration has 33 interfaces, but the kernel takes 32: use fewer",
  ]]);
  const kernel = { major: 6, minor: 1 };
  problems({ interfaces: interfaces(16) }, [], { kernel });
  problems({ interfaces: interfaces(16) }, [[
    "interfaces",
    "The configuration has 17 interfaces, but the kernel takes 16: use fewer",
  ]], { kernel, configuration: { interfaces: 1 } });
});

Deno.test("endpoints are made by builders", () => {
  intf({ class: 0xff, endpoints: { tx: { kind: "in" } as never } }, [[
    ".endpoints.tx",
    "The endpoint is of no known kind: use bulkIn(), bulkOut(), bulkPair() or another endpoint builder",
  ]]);
});

Deno.test("an endpoint name is used once in a function, and is no whole number", () => {
  problems({
    interfaces: [
      { class: 0xff, endpoints: { tx: bulkIn() } },
      { class: 0xff, alternates: [{ endpoints: { tx: bulkIn() } }] },
    ],
  }, [[
    "interfaces[1].alternates[0].endpoints.tx",
    'Endpoint name "tx" is used at interfaces[0].endpoints.tx already: give each endpoint of the function its own',
  ]]);
  intf({ class: 0xff, endpoints: { 1: bulkIn(), a1: bulkIn() } }, [[
    ".endpoints.1",
    'Endpoint name "1" is not possible: JavaScript moves whole numbers to the front, use a word',
  ]]);
});

Deno.test("an address is that of an endpoint in the right direction", () => {
  endpoint(bulkIn({ address: 0x8f }), []);
  endpoint(bulkIn({ address: 0x90 }), [[
    ".address",
    "Address 144 is not one of an endpoint: give 0x01 to 0x0f or 0x81 to 0x8f",
  ]]);
  endpoint(bulkIn({ address: 0x80 }), [[
    ".address",
    "Address 0x80 is that of endpoint 0: give a number from 1 to 15",
  ]]);
  endpoint(bulkIn({ address: 0x01 }), [[
    ".address",
    "Address 0x01 has the wrong direction: set bit 7 for an IN endpoint",
  ]]);
  endpoint(bulkOut({ address: 0x81 }), [[
    ".address",
    "Address 0x81 has the wrong direction: clear bit 7 for an OUT endpoint",
  ]]);
});

Deno.test("an address belongs to one endpoint", () => {
  intf({
    class: 0xff,
    endpoints: { a: bulkIn({ address: 0x81 }), b: bulkIn() },
  }, []);
  intf({
    class: 0xff,
    endpoints: { a: bulkIn({ address: 0x81 }) },
    alternates: [{ endpoints: { b: bulkIn({ address: 0x81 }) } }],
  }, [[
    ".alternates[0].endpoints.b.address",
    "Address 0x81 is that of interfaces[0].endpoints.a already: no endpoint may appear twice, not even in two alternate settings",
  ]]);
});

function many(
  length: number,
  make: () => EndpointDefinition,
): Record<string, EndpointDefinition> {
  return Object.fromEntries(
    Array.from({ length }, (_, i) => [`e${i}`, make()]),
  );
}

Deno.test("a function has 30 endpoints, 15 in each direction", () => {
  intf({ class: 0xff, endpoints: many(15, bulkPair) }, []);
  intf({ class: 0xff, endpoints: many(16, bulkPair) }, [
    [
      ".endpoints.e15.in",
      "There are 32 endpoints, but FunctionFS takes 30 in one function: use fewer",
    ],
    [
      ".endpoints.e15.in",
      "There are 16 IN endpoints, but a device has 15 in one direction: use fewer",
    ],
    [
      ".endpoints.e15.out",
      "There are 16 OUT endpoints, but a device has 15 in one direction: use fewer",
    ],
  ]);
  intf({ class: 0xff, endpoints: many(15, bulkOut) }, []);
  intf({ class: 0xff, endpoints: many(16, bulkOut) }, [[
    ".endpoints.e15",
    "There are 16 OUT endpoints, but a device has 15 in one direction: use fewer",
  ]]);
});

Deno.test("bulk packets are those of the speed", () => {
  for (const maxPacketSize of [8, 16, 32, 64]) {
    endpoint(bulkIn({ full: { maxPacketSize } }), []);
  }
  endpoint(
    bulkIn({
      full: { maxPacketSize: 65 },
      high: { maxPacketSize: 511 },
      super: { maxPacketSize: 512 },
    }),
    [
      [
        ".full.maxPacketSize",
        "Packet size 65 is not possible for a bulk endpoint at full speed: use 8, 16, 32 or 64",
      ],
      [
        ".high.maxPacketSize",
        "Packet size 511 is not possible for a bulk endpoint at high speed: use 512",
      ],
      [
        ".super.maxPacketSize",
        "Packet size 512 is not possible for a bulk endpoint at super speed: use 1024",
      ],
    ],
  );
  endpoint({ kind: "in", transferType: "bulk", maxPacketSize: 64 }, [[
    ".maxPacketSize",
    "Bulk packet sizes differ between speeds and are derived: leave it out, or set full.maxPacketSize",
  ]]);
});

Deno.test("interrupt packets have 1 to 64 bytes at full speed and 1 to 1024 above", () => {
  endpoint(interruptIn({ maxPacketSize: 1024 }), []);
  endpoint(interruptIn({ maxPacketSize: 1025 }), [[
    ".maxPacketSize",
    "Packet size 1025 is not possible for an interrupt endpoint at any speed: use 1 to 1024",
  ]]);
  endpoint(
    interruptIn({
      full: { maxPacketSize: 64 },
      high: { maxPacketSize: 1024 },
      super: { maxPacketSize: 1 },
    }),
    [],
  );
  endpoint(
    interruptIn({
      full: { maxPacketSize: 65 },
      high: { maxPacketSize: 1025 },
      super: { maxPacketSize: 0 },
    }),
    [
      [
        ".full.maxPacketSize",
        "Packet size 65 is not possible for an interrupt endpoint at full speed: use 1 to 64",
      ],
      [
        ".high.maxPacketSize",
        "Packet size 1025 is not possible for an interrupt endpoint at high speed: use 1 to 1024",
      ],
      [
        ".super.maxPacketSize",
        "Packet size 0 is not possible for an interrupt endpoint at super speed: use 1 to 1024",
      ],
    ],
  );
});

Deno.test("isochronous packets have up to 1023 bytes at full speed and 1024 above", () => {
  endpoint(isochronousIn({ full: { maxPacketSize: 1023 } }), []);
  endpoint(isochronousIn({ full: { maxPacketSize: 1024 } }), [[
    ".full.maxPacketSize",
    "Packet size 1024 is not possible for an isochronous endpoint at full speed: use 1 to 1023",
  ]]);
});

Deno.test("an interval is a time above 0, given once", () => {
  endpoint(interruptIn({ intervalUs: 0.5 }), []);
  endpoint(interruptIn({ intervalMs: 0 }), [[
    ".intervalMs",
    "The interval is 0: give a number above 0",
  ]]);
  endpoint(interruptIn({ intervalUs: Infinity }), [[
    ".intervalUs",
    "The interval is Infinity: give a number above 0",
  ]]);
  endpoint(interruptIn({ intervalMs: 1, intervalUs: 1000 }), [[
    ".intervalUs",
    "The interval is given twice: leave out intervalMs or intervalUs",
  ]]);
  endpoint({ kind: "in", transferType: "bulk", intervalMs: 1 }, [[
    ".intervalMs",
    "A bulk endpoint has no interval: leave it out",
  ]]);
});

Deno.test("a raw interval is one that the speed knows", () => {
  endpoint(
    interruptIn({ full: { interval: 255 }, high: { interval: 16 } }),
    [],
  );
  endpoint(
    interruptIn({
      full: { interval: 256 },
      high: { interval: 17 },
      super: { interval: 0 },
    }),
    [
      [
        ".full.interval",
        "Interval 256 is not possible for an interrupt endpoint at full speed: use 1 to 255",
      ],
      [
        ".high.interval",
        "Interval 17 is not possible for an interrupt endpoint at high speed: use 1 to 16",
      ],
      [
        ".super.interval",
        "Interval 0 is not possible for an interrupt endpoint at super speed: use 1 to 16",
      ],
    ],
  );
  endpoint(isochronousIn({ full: { interval: 17 } }), [[
    ".full.interval",
    "Interval 17 is not possible for an isochronous endpoint at full speed: use 1 to 16",
  ]]);
  endpoint(bulkIn({ high: { interval: 255 } }), []);
  endpoint(bulkIn({ high: { interval: 256 } }), [[
    ".high.interval",
    "Interval 256 is not possible for a bulk endpoint at high speed: use 0 to 255",
  ]]);
});

Deno.test("several transactions in a microframe need large packets", () => {
  endpoint(isochronousIn({ high: { transactions: 3 } }), []);
  endpoint(isochronousIn({ high: { transactions: 4 } }), [[
    ".high.transactions",
    "Transactions is 4: give a whole number from 1 to 3",
  ]]);
  endpoint(
    isochronousIn({ high: { transactions: 2, maxPacketSize: 513 } }),
    [],
  );
  endpoint(isochronousIn({ high: { transactions: 2, maxPacketSize: 512 } }), [[
    ".high.transactions",
    "2 transactions in a microframe need packets of 513 to 1024 bytes, not 512: raise maxPacketSize or lower transactions",
  ]]);
  endpoint(interruptIn({ maxPacketSize: 682, high: { transactions: 3 } }), [[
    ".high.transactions",
    "3 transactions in a microframe need packets of 683 to 1024 bytes, not 682: raise maxPacketSize or lower transactions",
  ]]);
  endpoint({ kind: "in", transferType: "bulk", high: { transactions: 2 } }, [[
    ".high.transactions",
    "A bulk endpoint has no further transactions in a microframe: leave it out",
  ]]);
});

Deno.test("a burst has up to 16 packets, 3 for interrupt endpoints, of 1024 bytes", () => {
  endpoint(bulkIn({ super: { maxBurst: 15 } }), []);
  endpoint(bulkIn({ super: { maxBurst: 16 } }), [[
    ".super.maxBurst",
    "Burst 16 is not possible for this endpoint: use 0 to 15",
  ]]);
  endpoint(interruptIn({ maxPacketSize: 1024, super: { maxBurst: 2 } }), []);
  endpoint(interruptIn({ maxPacketSize: 1024, super: { maxBurst: 3 } }), [[
    ".super.maxBurst",
    "Burst 3 is not possible for this endpoint: use 0 to 2",
  ]]);
  endpoint(interruptIn({ super: { maxBurst: 1 } }), [[
    ".super.maxBurst",
    "A burst needs packets of 1024 bytes at super speed, not 64: set super.maxPacketSize to 1024",
  ]]);
});

Deno.test("streams are a power of two and belong to bulk endpoints", () => {
  endpoint(bulkIn({ super: { streams: 65536 } }), []);
  endpoint(bulkIn({ super: { streams: 2 } }), []);
  for (const streams of [1, 3, 131072]) {
    endpoint(bulkIn({ super: { streams } }), [[
      ".super.streams",
      `Streams is ${streams}: give 0 or a power of two from 2 to 65536`,
    ]]);
  }
  endpoint(interruptIn({ super: { streams: 2 } }), [[
    ".super.streams",
    "Only bulk endpoints have streams: leave it out",
  ]]);
});

Deno.test("mult is 0 to 2, needs a burst and belongs to isochronous endpoints", () => {
  endpoint(isochronousIn({ super: { maxBurst: 1, mult: 2 } }), []);
  endpoint(isochronousIn({ super: { maxBurst: 1, mult: 3 } }), [[
    ".super.mult",
    "Mult is 3: give a whole number from 0 to 2",
  ]]);
  endpoint(isochronousIn({ super: { mult: 1 } }), [[
    ".super.mult",
    "Mult 1 needs a burst: set maxBurst to 1 or more",
  ]]);
  endpoint(bulkIn({ super: { maxBurst: 1, mult: 1 } }), [[
    ".super.mult",
    "Only isochronous endpoints have a mult: leave it out",
  ]]);
});

Deno.test("bytes per interval fit into the packets of an interval", () => {
  endpoint(interruptIn({ super: { bytesPerInterval: 64 } }), []);
  endpoint(interruptIn({ super: { bytesPerInterval: 65 } }), [[
    ".super.bytesPerInterval",
    "Bytes per interval is 65, but packet size, burst and mult allow 0 to 64",
  ]]);
  endpoint(bulkIn({ super: { bytesPerInterval: 1 } }), [[
    ".super.bytesPerInterval",
    "A bulk endpoint has no bytes per interval: leave it out",
  ]]);
});

Deno.test("synchronization and usage belong to transfer types", () => {
  endpoint(isochronousIn({ synchronization: "adaptive" }), []);
  endpoint(isochronousIn({ synchronization: "sometimes" as "none" }), [[
    ".synchronization",
    'Synchronization "sometimes" is not known: use "none", "asynchronous", "adaptive" or "synchronous"',
  ]]);
  endpoint({
    kind: "in",
    transferType: "interrupt",
    synchronization: "none",
    usage: "data",
  }, [
    [
      ".synchronization",
      "Only isochronous endpoints have a synchronization, not interrupt ones: leave it out",
    ],
    [
      ".usage",
      'Usage "data" is not one of interrupt endpoints: use "periodic" or "notification"',
    ],
  ]);
  endpoint({ kind: "in", transferType: "bulk", usage: "data" }, [[
    ".usage",
    "A bulk endpoint has no usage: leave it out",
  ]]);
});

Deno.test("the two bytes of audio endpoints are bytes", () => {
  endpoint(isochronousOut({ audio: { refresh: 255, synchAddress: 0x81 } }), []);
  endpoint(isochronousOut({ audio: { refresh: 256, synchAddress: -1 } }), [
    [".audio.refresh", "Refresh is 256: give a whole number from 0 to 255"],
    [
      ".audio.synchAddress",
      "Synch address is -1: give a whole number from 0 to 255",
    ],
  ]);
});

Deno.test("both halves of a pair are validated", () => {
  endpoint(bulkPair({ out: { high: { maxPacketSize: 64 } } }), [[
    ".out.high.maxPacketSize",
    "Packet size 64 is not possible for a bulk endpoint at high speed: use 512",
  ]]);
});

Deno.test("functional descriptors stand below their class", () => {
  intf({ class: ClassCode.HID, descriptors: [hid({ reportLength: 1 })] }, []);
  intf({ class: 0xff, descriptors: [hid({ reportLength: 1 })] }, [[
    ".descriptors[0]",
    "A HID descriptor stands below an interface of class HID (0x03) only, not of class 0xff and subclass 0x00: change the class or remove it",
  ]]);
  intf({ class: 0xfe, subclass: 1, descriptors: [dfu()] }, []);
  intf({ class: 0xfe, descriptors: [dfu()] }, [[
    ".descriptors[0]",
    "A DFU functional descriptor stands below an interface of class 0xfe and subclass 0x01 only, not of class 0xfe and subclass 0x00: change the class or remove it",
  ]]);
  intf({ class: ClassCode.SMART_CARD, descriptors: [ccid()] }, []);
  intf({ class: ClassCode.HID, descriptors: [ccid()] }, [[
    ".descriptors[0]",
    "A smart card descriptor stands below an interface of class CCID (0x0b) only, not of class 0x03 and subclass 0x00: change the class or remove it",
  ]]);
});

Deno.test("the fields of functional descriptors have their sizes", () => {
  intf({
    class: ClassCode.HID,
    descriptors: [hid({ reportLength: 65536, countryCode: 256 })],
  }, [
    [
      ".descriptors[0].countryCode",
      "Country code is 256: give a whole number from 0 to 255",
    ],
    [
      ".descriptors[0].reportLength",
      "Report length is 65536: give a whole number from 0 to 65535",
    ],
  ]);
  intf({ class: ClassCode.HID, descriptors: [hid({ reportLength: 0 })] }, [[
    ".descriptors[0].reportLength",
    "The report descriptor has no bytes: give its length",
  ]]);
  intf({
    class: ClassCode.SMART_CARD,
    descriptors: [ccid({ features: 2 ** 32 })],
  }, [[
    ".descriptors[0].features",
    "Features is 4294967296: give a whole number from 0 to 4294967295",
  ]]);
  const dfuOf = (transferSize: number) => ({
    class: 0xfe,
    subclass: 1,
    descriptors: [dfu({ transferSize })],
  });
  intf(dfuOf(4096), []);
  intf(dfuOf(4097), [[
    ".descriptors[0].transferSize",
    "Transfer size 4097 is not possible: a control transfer to a function has 1 to 4096 bytes",
  ]]);
});

Deno.test("a report descriptor has the length that is announced", () => {
  const report = new Uint8Array(63);
  const of = (reportLength?: number) => ({
    class: ClassCode.HID,
    descriptors: [hid({ report, reportLength })],
  });
  intf(of(), []);
  intf(of(63), []);
  intf(of(64), [[
    ".descriptors[0].reportLength",
    "Report length is 64, but the report descriptor has 63 bytes: leave the length out",
  ]]);
});

Deno.test("raw() accepts the descriptors that FunctionFS accepts there", () => {
  const bytes = [9, 0x21, 0x11, 1, 0, 1, 0x22, 63, 0];
  intf({ class: ClassCode.HID, descriptors: [raw(bytes)] }, []);
  intf({
    class: ClassCode.HID,
    descriptors: [
      raw([12, ...bytes.slice(1), 0x22, 1, 0]),
      raw([9, 0x21]),
      raw([1]),
      raw([2, 256]),
      raw([7, 5, 0x81, 2, 64, 0, 0]),
    ],
  }, [
    [
      ".descriptors[0]",
      "A HID descriptor of 12 bytes is refused: announce one report descriptor only, which takes 9 bytes",
    ],
    [
      ".descriptors[1]",
      "The descriptor says it has 9 bytes, but has 2: correct its first byte",
    ],
    [
      ".descriptors[2]",
      "The descriptor has 1 bytes: give length and type first",
    ],
    [
      ".descriptors[3]",
      "The descriptor has a number that is not a byte: use 0 to 255",
    ],
    [
      ".descriptors[4]",
      "Descriptor type 0x05 is written by the compiler: declare it in endpoints",
    ],
  ]);
  intf({ class: 0x0b, descriptors: [raw(bytes)] }, [[
    ".descriptors[0]",
    "A functional descriptor of 9 bytes is refused below class 0x0b: it must have 54 bytes",
  ]]);
});

/** Asserts why FunctionFS refuses a descriptor type below an interface. */
function refusedType(
  type: number,
  message: string,
  above: Partial<InterfaceDefinition> = {},
): void {
  intf({ class: 0xff, ...above, descriptors: [raw([2, type])] }, [[
    ".descriptors[0]",
    `Descriptor type 0x${type.toString(16).padStart(2, "0")} ${message}`,
  ]]);
}

Deno.test("a refused descriptor type has its reason", () => {
  for (const type of [0x01, 0x02, 0x03, 0x06, 0x07, 0x0f, 0x10]) {
    refusedType(
      type,
      "belongs to the gadget, not to a function: set it in the gadget definition",
    );
  }
  for (const type of [0x08, 0x0a, 0x0c, 0x22, 0x41]) {
    refusedType(type, "is not one that FunctionFS can carry: leave it out");
  }
  refusedType(
    0x31,
    "is for SuperSpeed Plus, for which FunctionFS uses the super-speed descriptors: leave it out",
  );
  refusedType(
    0x21,
    "is accepted below interfaces of class HID (0x03), CCID (0x0b) and DFU (0xfe, subclass 0x01) only, not 0xfe",
    { class: 0xfe, subclass: 2 },
  );
});

Deno.test("for class-specific descriptors, the message names the kernel function", () => {
  for (
    const [code, subclass, name] of [
      [0x02, 0x02, `"acm"`],
      [0x02, 0x06, `"ecm"`],
      [0x02, 0x0d, `"ncm"`],
      [0x02, 0x0c, `"eem"`],
      [0x0a, 0x00, `"acm", "ecm" or "ncm"`],
      [0x01, 0x01, `"uac1" or "uac2"`],
      [0x01, 0x03, `"midi"`],
      [0x0e, 0x01, `"uvc"`],
      [
        0xff,
        0x00,
        `for this class ("acm", "ecm", "ncm", "uac1", "uac2", "uvc", "midi")`,
      ],
    ] as const
  ) {
    for (const type of [0x24, 0x25]) {
      refusedType(
        type,
        `is class specific and FunctionFS cannot carry it: use the kernel function ${name} instead`,
        { class: code, subclass },
      );
    }
  }
});

Deno.test("associations cover interfaces that exist, each once", () => {
  const interfaces = [{ class: 0xff }, { class: 0xff }, { class: 0xff }];
  const one = { class: 2, subclass: 2 };
  problems({
    interfaces,
    associations: [
      { ...one, firstInterface: 0, interfaceCount: 1 },
      { ...one, firstInterface: 1, interfaceCount: 2 },
    ],
  }, []);
  problems({
    interfaces,
    associations: [
      { ...one, firstInterface: 3, interfaceCount: 1 },
      { ...one, firstInterface: 1, interfaceCount: 3 },
      { ...one, firstInterface: 0, interfaceCount: 2 },
      { class: 256, firstInterface: 1, interfaceCount: 1 },
    ],
  }, [
    [
      "associations[0].firstInterface",
      "Interface 3 does not exist: the function has interfaces 0 to 2",
    ],
    [
      "associations[1].interfaceCount",
      "Interface count 3 is not possible: from interface 1 on there are 1 to 2",
    ],
    [
      "associations[3].class",
      "Class is 256: give a whole number from 0 to 255",
    ],
    [
      "associations[3]",
      "Interface 1 is in associations[2] already: an interface can be in one",
    ],
  ]);
});

Deno.test("rwProxy: true needs pairs", () => {
  const interfaces = (endpoints: Record<string, EndpointDefinition>) => [
    { class: 0xff, endpoints },
  ];
  problems({ rwProxy: true, interfaces: interfaces({ a: bulkPair() }) }, []);
  const mixed = interfaces({ a: bulkPair(), b: bulkIn() });
  problems({ rwProxy: "auto", interfaces: mixed }, []);
  problems({ rwProxy: true, interfaces: mixed }, [[
    "rwProxy",
    'Files for both directions need every endpoint in a pair, but interfaces[0].endpoints.b is in none: declare pairs, or set rwProxy to "auto"',
  ]]);
  problems({ rwProxy: true }, [[
    "rwProxy",
    'There is no pair to have a file for both directions: declare one, or set rwProxy to "auto"',
  ]]);
});

Deno.test("a configuration descriptor has 4096 bytes", () => {
  const interfaces = (rest: number) => [
    ...Array.from({ length: 21 }, () => ({
      class: ClassCode.SMART_CARD,
      descriptors: [ccid()],
      alternates: [{ descriptors: [ccid()] }, { descriptors: [ccid()] }],
    })),
    ...Array.from({ length: rest }, () => ({ class: 0xff })),
  ];
  // 9, and 21 times 3 times 63 bytes, leave 118 bytes.
  problems({ interfaces: interfaces(11) }, [], {
    configuration: { bytes: 19 },
  });
  problems({ speeds: ["full"], interfaces: interfaces(11) }, [[
    "interfaces",
    "The configuration descriptor has 4097 bytes at full speed, but the kernel takes 4096: use fewer interfaces, endpoints or descriptors",
  ]], { configuration: { bytes: 20 } });
});

Deno.test("a gadget has 254 strings, three of them its own", () => {
  const interfaces = Array.from({ length: 32 }, (_, number) => ({
    class: 0xff,
    description: `${number}`,
  }));
  problems({ interfaces }, [], { configuration: { strings: 222 } });
  problems({ interfaces }, [[
    "interfaces",
    "There are 32 different descriptions, but the gadget has string identifiers for 31: use fewer",
  ]], { configuration: { strings: 223 } });
});

Deno.test("features that an older kernel lacks are refused", () => {
  const kernel = { major: 6, minor: 1 };
  problems({
    rwProxy: true,
    interfaces: [
      {
        class: 0xfe,
        subclass: 1,
        descriptors: [dfu()],
        endpoints: { a: bulkPair() },
        alternates: [{}],
      },
    ],
  }, [
    [
      "interfaces[0].descriptors[0]",
      "Linux 6.1 refuses DFU functional descriptors: use Linux 6.12 or later, or leave it out",
    ],
    [
      "interfaces[0].alternates",
      "Linux 6.1 does not let the host select alternate settings: use Linux 6.8 or later, or one setting",
    ],
    [
      "rwProxy",
      'Linux 6.1 has no files for both directions: use Linux 7.3 or later, or set rwProxy to "auto"',
    ],
  ], { kernel });
  problems(
    {
      interfaces: [{
        class: 0xfe,
        subclass: 1,
        descriptors: [dfu()],
        alternates: [{}],
      }],
    },
    [],
    { kernel: { major: 6, minor: 12 } },
  );
});

Deno.test("a known controller must have the endpoints", () => {
  const udc = DUMMY_UDC;
  const pairs = (length: number) => ({
    interfaces: [{ class: 0xff, endpoints: many(length, bulkPair) }],
  });
  problems(pairs(4), [], { udc });
  problems(pairs(5), [
    [
      "interfaces[0].endpoints.e4.in",
      '"dummy_udc.0" gives this endpoint the address 0x81, which interfaces[0].endpoints.e0.in has already: use fewer endpoints in this direction',
    ],
    [
      "interfaces[0].endpoints.e4.out",
      '"dummy_udc.0" gives this endpoint the address 0x01, which interfaces[0].endpoints.e3.out has already: use fewer endpoints in this direction',
    ],
  ], { udc });
  problems({
    interfaces: [{ class: 0xff, endpoints: { tx: isochronousIn() } }],
  }, [[
    "interfaces[0].endpoints.tx",
    '"dummy_udc.0" has no isochronous IN endpoint left: use fewer, or declare it earlier',
  ]], { udc });
});

Deno.test("virtual addresses must be those of the controller, when it is known", () => {
  const definition = (out: number) => ({
    virtualAddresses: true,
    interfaces: [{
      class: 0xff,
      endpoints: { a: bulkPair({ out: { address: out } }) },
    }],
  });
  problems(definition(0x01), []);
  problems(definition(0x02), [], { udc: DUMMY_UDC });
  problems(definition(0x01), [[
    "interfaces[0].endpoints.a.out",
    '"dummy_udc.0" gives this endpoint the address 0x02, not 0x01, so the host cannot set the configuration: declare that address, or do without virtualAddresses',
  ]], { udc: DUMMY_UDC });
});

Deno.test("a function has descriptors for the speed of the controller", () => {
  const udc = { maximumSpeed: "high-speed" } as const;
  problems({}, [], { udc });
  problems({ speeds: ["full"] }, [[
    "speeds",
    "The controller runs at high-speed, for which the function has no descriptors, so a host finds no configuration: add the speed, or limit the gadget's max_speed",
  ]], { udc });
});
