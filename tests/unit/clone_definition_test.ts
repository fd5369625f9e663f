import { assertEquals, assertThrows } from "@std/assert";
import {
  definitionFromDevice,
  type DeviceDescriptors,
  DUMMY_UDC,
} from "@usb/gadget/inspect";

const INTERFACE = [9, 4, 0, 0, 0, 0xff, 0, 0, 0];
const BULK_IN = [7, 5, 0x81, 2, 64, 0, 0];

function device(fields: Record<number, number> = {}): number[] {
  const bytes = [18, 1, 0, 2, 0, 0, 0, 64, 9, 0x12, 1, 0, 0, 1, 0, 0, 0, 1];
  for (const [at, value] of Object.entries(fields)) bytes[Number(at)] = value;
  return bytes;
}

/** A configuration with its lengths. */
function configuration(
  descriptors: readonly (readonly number[])[],
  fields: Record<number, number> = {},
): number[] {
  const count = new Set(
    descriptors.filter((it) => it[1] === 4).map((it) => it[2]),
  ).size;
  const rest = descriptors.flat();
  const total = 9 + rest.length;
  const bytes = [9, 2, total & 0xff, total >> 8, count, 1, 0, 0x80, 50];
  for (const [at, value] of Object.entries(fields)) bytes[Number(at)] = value;
  return [...bytes, ...rest];
}

function clone(
  descriptors: readonly (readonly number[])[],
  more: Partial<DeviceDescriptors> = {},
) {
  return definitionFromDevice({
    descriptors: Uint8Array.from([...device(), ...configuration(descriptors)]),
    ...more,
  });
}

function summary({ problems }: ReturnType<typeof definitionFromDevice>) {
  return problems.map((it) => `${it.effect} ${it.rule}: ${it.place}`);
}

Deno.test("a device with nothing special becomes a definition without problems", () => {
  const { definition, problems } = clone([
    INTERFACE.with(4, 1),
    BULK_IN,
  ]);
  assertEquals(problems, []);
  assertEquals(definition, {
    vendorId: 0x1209,
    productId: 1,
    deviceVersion: 0x0100,
    class: 0,
    subclass: 0,
    protocol: 0,
    maxSpeed: "full-speed",
    functions: [{
      name: "interface0",
      speeds: ["full"],
      interfaces: [{
        class: 0xff,
        subclass: 0,
        protocol: 0,
        descriptors: [],
        endpoints: {
          ep81: {
            kind: "in",
            transferType: "bulk",
            address: 0x81,
            full: { maxPacketSize: 64, interval: 0 },
          },
        },
        alternates: [],
      }],
    }],
    configurations: [{
      maxPower: 100,
      selfPowered: false,
      remoteWakeup: false,
      functions: ["interface0"],
    }],
  });
});

Deno.test("an association is one function, each other interface its own, in the order of their numbers", () => {
  const result = clone([
    INTERFACE.with(2, 3),
    INTERFACE,
    [8, 11, 1, 2, 0xff, 0, 0, 0],
    INTERFACE.with(2, 1),
    INTERFACE.with(2, 2),
  ]);
  assertEquals(
    result.definition.functions.map((it) => it.name),
    ["interface0", "interfaces1-2", "interface3"],
  );
  assertEquals(summary(result), [
    "changed order: configuration 1, interface 3",
  ]);
});

Deno.test("numbers with gaps are reported with those that the kernel gives", () => {
  const result = clone([
    INTERFACE.with(2, 1),
    INTERFACE.with(2, 1).with(3, 4),
    [8, 11, 5, 3, 0xff, 0, 0, 0],
    INTERFACE.with(2, 5),
    INTERFACE.with(2, 7),
  ]);
  assertEquals(summary(result), [
    "changed interface-number: configuration 1, interface 1",
    "changed interface-number: configuration 1, interface 1, alternate setting 4",
    "changed alternates: configuration 1, interface 1, alternate setting 4",
    "changed interface-number: configuration 1, association of interface 5",
    "changed association: configuration 1, association of interface 5",
    "changed interface-number: configuration 1, interface 5",
    "changed interface-number: configuration 1, interface 7",
  ]);
  assertEquals(
    result.problems[0].message,
    "bInterfaceNumber is 0x00 in place of 0x01: the kernel numbers interfaces without gaps",
  );
});

Deno.test("an endpoint of an alternate setting with a used address gets a free one", () => {
  const result = clone([
    INTERFACE.with(4, 1),
    BULK_IN,
    INTERFACE.with(3, 1).with(4, 2),
    BULK_IN,
    BULK_IN.with(2, 0x82),
    INTERFACE.with(3, 3),
    INTERFACE.with(3, 4).with(4, 1),
    BULK_IN,
  ]);
  const [{ interfaces: [{ alternates = [] }] }] = result.definition.functions;
  assertEquals(
    alternates.map((it) => Object.keys(it.endpoints ?? {})),
    [["ep81_1_3", "ep82"], []],
  );
  assertEquals(summary(result), [
    "changed repeated-address: configuration 1, interface 0, alternate setting 1, endpoint 0x81",
    "changed alternates: configuration 1, interface 0, alternate setting 3",
    "left-out alternates: configuration 1, interface 0, alternate setting 4",
  ]);
});

Deno.test("what FunctionFS refuses is left out, with the reason", () => {
  const result = clone([
    [4, 0x24, 1, 2],
    INTERFACE.with(4, 4).with(5, 3),
    [9, 0x21, 0x11, 1, 0, 1, 0x22, 10, 0],
    [5, 0x24, 0, 1, 2],
    BULK_IN,
    [3, 0x25, 1],
    BULK_IN.with(2, 0x82).with(3, 0),
    BULK_IN.with(2, 0x83).with(3, 3).with(5, 0x08).with(4, 8),
    BULK_IN.with(2, 0x84).with(4, 65),
  ], { speed: "full-speed", reports: { 0: new Uint8Array(10) } });
  assertEquals(summary(result), [
    "left-out descriptor-type: configuration 1, descriptor 0x24",
    "changed endpoint-count: configuration 1, interface 0",
    "left-out descriptor-type: configuration 1, interface 0, descriptor 0x24",
    "left-out descriptor-type: configuration 1, interface 0, descriptor 0x25",
    "left-out endpoint: configuration 1, interface 0, endpoint 0x82",
    "left-out endpoint: configuration 1, interface 0, endpoint 0x83",
    "left-out packet-size: configuration 1, interface 0, endpoint 0x84",
  ]);
  assertEquals(
    result.problems.map((it) => it.message).slice(4, 6),
    [
      "The endpoint is a control endpoint",
      "The endpoint has transactions at full speed",
    ],
  );
});

Deno.test("a HID descriptor behind its endpoint moves before it, and its report must have the announced length", () => {
  const descriptors = [
    INTERFACE.with(4, 1).with(5, 3),
    BULK_IN.with(3, 3).with(6, 10),
    [9, 0x21, 0x11, 1, 0, 1, 0x22, 10, 0],
  ];
  const report = new Uint8Array(10);
  const result = clone(descriptors, { reports: { 0: report } });
  assertEquals(summary(result), [
    "changed order: configuration 1, interface 0, endpoint 0x81",
  ]);
  const [hid] = result.definition.functions[0].interfaces[0].descriptors ?? [];
  assertEquals(hid.kind === "hid" && hid.report, report);
  const other = clone(descriptors, { reports: { 0: new Uint8Array(9) } });
  assertEquals(
    other.problems.at(-1)?.message.slice(0, 27),
    "The given one has 9 bytes, ",
  );
  assertEquals(other.problems.at(-1)?.rule, "report");
});

Deno.test("configurations share the functions that are the same", () => {
  const result = definitionFromDevice({
    descriptors: Uint8Array.from([
      ...device({ 17: 2 }),
      ...configuration([INTERFACE, INTERFACE.with(2, 1)]),
      ...configuration(
        [INTERFACE, INTERFACE.with(2, 1).with(5, 0xfe)],
        { 5: 7, 7: 0xf0, 8: 255 },
      ),
    ]),
  });
  assertEquals(
    result.definition.configurations?.map((it) => it.functions),
    [["interface0", "interface1"], [
      "interface0",
      "configuration2-interface1",
    ]],
  );
  assertEquals(result.definition.configurations?.[1].maxPower, 500);
  assertEquals(summary(result), [
    "changed configurations: configuration 7",
    "changed reserved-bits: configuration 7",
    "changed max-power: configuration 7",
  ]);
});

Deno.test("strings that are missing or refused are reported with the field", () => {
  const result = definitionFromDevice({
    descriptors: Uint8Array.from([
      ...device({ 14: 1, 15: 2, 16: 3 }),
      ...configuration([INTERFACE.with(8, 4), INTERFACE.with(2, 1).with(8, 5)]),
    ]),
    strings: {
      1: "a\nb",
      2: { "en-US": "Box", "de-DE": "Kasten" },
      3: { "en-US": "1", "de-DE": "2" },
      5: "",
    },
  });
  assertEquals(summary(result), [
    "changed language: device, iSerialNumber",
    "left-out string: configuration 1, interface 0, iInterface",
    "left-out string: configuration 1, interface 1, iInterface",
    "left-out string: manufacturer",
  ]);
  const { manufacturer, product, serialNumber } = result.definition;
  assertEquals(manufacturer, undefined);
  assertEquals(product, { "en-US": "Box", "de-DE": "Kasten" });
  assertEquals(serialNumber, "1");
});

Deno.test("a low-speed device becomes one of full speed", () => {
  const result = clone([INTERFACE], { speed: "low-speed" });
  assertEquals(result.definition.maxSpeed, "full-speed");
  assertEquals(summary(result), ["changed speed: device"]);
});

Deno.test("the speed is the slowest one with such endpoints, unless it is given", () => {
  const speedOf = (...endpoint: number[]) =>
    clone([INTERFACE.with(4, 1), endpoint]).definition.maxSpeed;
  assertEquals(speedOf(7, 5, 0x81, 2, 64, 0, 0), "full-speed");
  assertEquals(speedOf(7, 5, 0x81, 2, 0, 2, 0), "high-speed");
  assertEquals(speedOf(7, 5, 0x01, 2, 0, 2, 255), "high-speed");
  assertEquals(speedOf(7, 5, 0x81, 3, 0, 4, 4), "high-speed");
  assertEquals(
    speedOf(7, 5, 0x81, 2, 0, 4, 0, 6, 0x30, 0, 0, 0, 0),
    "super-speed",
  );
  const { maxSpeed } =
    clone([INTERFACE], { speed: "super-speed-plus" }).definition;
  assertEquals(maxSpeed, "super-speed-plus");
});

Deno.test("BOS: WebUSB is taken over, what the kernel lacks is left out", () => {
  const platform = (uuid: string, ...rest: number[]) => [
    20 + rest.length,
    ...[0x10, 5, 0],
    ...Uint8Array.fromHex(uuid),
    ...rest,
  ];
  const capabilities = [
    [7, 0x10, 2, 6, 0, 0, 0],
    platform("38b60834a909a0478bfda0768815b665", 0, 1, 0x21, 1),
    platform("df60ddd88945c74c9cd2659d9e648a9f", 0, 0, 3, 6, 0, 0, 0x20, 0),
    [20, 0x10, 4, 0, ...new Array(16).fill(1)],
  ].flat();
  const bos = Uint8Array.of(
    ...[5, 15, 5 + capabilities.length, 0, 4],
    ...capabilities,
  );
  const result = clone([INTERFACE], { bos });
  assertEquals(result.definition.webUsb, { version: 0x0100, vendorCode: 0x21 });
  assertEquals(summary(result), [
    "changed bos: BOS, capability 0x02",
    "left-out landing-page: BOS, capability 0x05",
    "left-out bos: BOS, capability 0x05",
    "left-out bos: BOS, capability 0x04",
  ]);
});

Deno.test("what the kernel or the controller cannot do is refused, with all functions together", () => {
  const isochronous = [7, 5, 0x81, 1, 64, 0, 1];
  const descriptors = Uint8Array.from([
    ...device(),
    ...configuration([
      INTERFACE,
      INTERFACE.with(3, 1).with(4, 1),
      isochronous,
      INTERFACE.with(2, 1),
    ]),
  ]);
  const options = { kernel: { major: 6, minor: 1 }, udc: DUMMY_UDC };
  const result = definitionFromDevice({ descriptors }, options);
  assertEquals(summary(result), [
    "refused kernel: configuration 1, interfaces[0].alternates",
    "refused udc-endpoints: configuration 1, interfaces[0].alternates[0].endpoints.ep81",
  ]);
  assertEquals(result.definition.functions.length, 2);
});

Deno.test("bytes that are no descriptors of a device are refused", () => {
  const make = (...bytes: number[]) =>
    definitionFromDevice({ descriptors: Uint8Array.from(bytes) });
  assertThrows(() => make(), RangeError, "a device descriptor of 18 bytes");
  assertThrows(() => make(...device()), RangeError, "a configuration next");
  assertThrows(
    () => make(...device(), ...INTERFACE),
    RangeError,
    "a configuration next",
  );
  assertThrows(
    () => make(...device(), 9, 2, 25),
    RangeError,
    "descriptor at byte 18 has length 9, but 3 bytes are left",
  );
  assertThrows(
    () => definitionFromDevice({ descriptors: "12 01" as never }),
    TypeError,
    '"descriptors" must be a Uint8Array',
  );
  assertThrows(
    () => clone([INTERFACE], { speed: "high" as never }),
    TypeError,
    '"speed" must be "low-speed" or',
  );
});
