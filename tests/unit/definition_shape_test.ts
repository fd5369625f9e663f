import {
  binaryProperty,
  bulkIn,
  bulkPair,
  ccid,
  ClassCode,
  DefinitionError,
  deviceInterfaceGuid,
  dfu,
  externalFunction,
  type FunctionDefinition,
  hid,
  type InterfaceDefinition,
  interruptIn,
  kernelFunction,
  raw,
  textProperty,
  usbFunction,
  winUsb,
} from "@usb/gadget";
import { compileFunction, validateFunction } from "@usb/gadget/inspect";
import type { EndpointRecord } from "../../src/definition/endpoint.ts";
import type { KnownFields } from "../../src/definition/function.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { arbitraryDefinition } from "../support/descriptors/arbitrary.ts";
import { spoil } from "../support/descriptors/invalid_values.ts";
import { Random } from "../support/data/random.ts";

const RUNS = 5_000;

/** Defines what no type lets through. */
function define(definition: unknown): unknown {
  return usbFunction(definition as FunctionDefinition);
}

/** The problems of a definition: where, and what. */
function problems(definition: unknown): [string, string][] {
  const error = assertThrows(() => define(definition), DefinitionError);
  return error.problems.map(({ path, message }) => [path, message]);
}

/** A definition with everything that one can have. */
function complete(random: Random): FunctionDefinition {
  const definition = arbitraryDefinition(random);
  return {
    languages: ["en-US", "de-DE"],
    speeds: ["full", "high", "super"],
    associations: [{ firstInterface: 0, interfaceCount: 1, class: 2 }],
    microsoftOs: [winUsb(), binaryProperty("A", [1])],
    otg: { srp: true },
    rwProxy: "auto",
    virtualAddresses: false,
    control: () => undefined,
    ...definition,
  };
}

Deno.test("nonsense in place of any part of a definition is refused with a path, or makes no difference", () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  let refused = 0;
  for (let i = 0; i < RUNS; i++) {
    const random = new Random((seed + i) >>> 0);
    const definition = spoil(random, complete(random));
    try {
      compileFunction(define(definition) as FunctionDefinition);
    } catch (error) {
      if (!(error instanceof DefinitionError)) {
        throw new Error(`Wrong error for seed ${seed + i}`, { cause: error });
      }
      refused++;
      for (const { path, message } of error.problems) {
        const isWhole = typeof definition !== "object" || path !== "" ||
          definition === null || Array.isArray(definition);
        assert(isWhole && message.length > 10, `seed ${seed + i}: ${error}`);
      }
    }
  }
  assert(refused > RUNS / 2, `${refused} refused`);
});

Deno.test("an unknown field is refused, and the nearest one named", () => {
  const endpoints = { link: bulkPair() };
  const cases: [unknown, string, string][] = [
    [
      { interfaces: [{ class: 0xff, endpoint: endpoints }] },
      "interfaces[0].endpoint",
      'There is no field "endpoint" in an interface: did you mean "endpoints"?',
    ],
    [
      { interfaces: [{ bInterfaceClass: 3, class: 3 }] },
      "interfaces[0].bInterfaceClass",
      'There is no field "bInterfaceClass" in an interface: did you mean "class"?',
    ],
    [
      { interfaces: [{ class: 3, alternates: [{ protcol: 3 }] }] },
      "interfaces[0].alternates[0].protcol",
      'There is no field "protcol" in an alternate setting: did you mean "protocol"?',
    ],
    [
      {
        interfaces: [{
          class: 3,
          endpoints: { tx: { ...bulkIn(), hihg: { interval: 1 } } },
        }],
      },
      "interfaces[0].endpoints.tx.hihg",
      'There is no field "hihg" in an endpoint: did you mean "high"?',
    ],
    [
      {
        interfaces: [{
          class: 3,
          endpoints: { tx: { ...bulkIn(), super: { max_burst: 1 } } },
        }],
      },
      "interfaces[0].endpoints.tx.super.max_burst",
      'There is no field "max_burst" in the settings of super speed: did you mean "maxBurst"?',
    ],
    [
      { interfaces: [{ class: 3 }], maxPower: 100 },
      "maxPower",
      'There is no field "maxPower" in a function: remove it, or use "name", "interfaces", "speeds", "languages", "associations", "microsoftOs", "otg", "allControlRecipients", "config0Setup", "rwProxy", "virtualAddresses", "control", "serve", "standardControl", "onError", "onControl"',
    ],
    [
      { interfaces: [{ class: 3 }], otg: { hpn: true } },
      "otg.hpn",
      'There is no field "hpn" in the OTG abilities: did you mean "hnp"?',
    ],
    [
      { interfaces: [{ class: 3 }], microsoftOs: [{ ...winUsb(), id: "A" }] },
      "microsoftOs[0].id",
      'There is no field "id" in a compatible ID: remove it, or use "kind", "interface", "compatibleId", "subCompatibleId"',
    ],
  ];
  for (const [definition, path, message] of cases) {
    assertEquals(problems({ name: "f", ...definition as object }), [
      [path, message],
    ]);
  }
});

Deno.test("unknown fields are named beside everything else that is wrong", () => {
  assertEquals(
    problems({
      name: "a/b",
      interfaces: [{ class: 300, endpoint: {} }],
      control_: 1,
    }).map(([path]) => path),
    ["name", "interfaces[0].endpoint", "control_", "interfaces[0].class"],
  );
});

Deno.test("a field without a value is as good as none", () => {
  define({
    name: "f",
    interfaces: [{ class: 0xff, unknown: undefined, endpoints: undefined }],
    control: undefined,
  });
});

Deno.test("an error for a wrong shape names the shape that belongs there", () => {
  const cases: [unknown, string, string][] = [
    [
      null,
      "",
      'The definition is null: give an object, such as { name: "echo", interfaces: [{ class: 0xff }] }',
    ],
    [
      { interfaces: [null] },
      "interfaces[0]",
      "The value is null: give an object, such as { class: 0xff }",
    ],
    [
      { interfaces: [{ class: 1 }], languages: "en-US" },
      "languages",
      'Languages is "en-US": give an array, such as ["en-US"]',
    ],
    [
      { interfaces: [{ class: 1 }], associations: {} },
      "associations",
      "Associations is an object: give an array, such as [{ firstInterface: 0, interfaceCount: 2, class: 0x02 }]",
    ],
    [
      { interfaces: [{ class: 1, endpoints: [bulkIn()] }] },
      "interfaces[0].endpoints",
      "Endpoints is an array: give an object, such as { link: bulkPair() }",
    ],
    [
      { interfaces: [{ class: "0xff" }] },
      "interfaces[0].class",
      'Class is "0xff": give a number',
    ],
    [
      { interfaces: [{ class: 3, descriptors: [{ kind: "raw" }] }] },
      "interfaces[0].descriptors[0].bytes",
      "Bytes is missing in a raw descriptor: give it, as in raw([9, 0x21, 0x11, 0x01, 0, 1, 0x22, 63, 0])",
    ],
    [
      { interfaces: [{ class: 1 }], control: "stall" },
      "control",
      'Control is "stall": give a function',
    ],
    [
      {
        interfaces: [{
          class: 3,
          descriptors: [{ ...hid({ reportLength: 1 }), report: [1] }],
        }],
      },
      "interfaces[0].descriptors[0].report",
      "Report is an array: give a Uint8Array",
    ],
    [
      { interfaces: new Map() },
      "interfaces",
      "A function needs at least one interface: add one, it may have no endpoints",
    ],
    [
      { interfaces: [{ class: 1, endpoints: new Map() }] },
      "interfaces[0].endpoints",
      "Endpoints is a Map: give an object, such as { link: bulkPair() }",
    ],
  ];
  for (const [definition, path, message] of cases) {
    const given = definition && { name: "f", ...definition as object };
    assertEquals(problems(given), [[path, message]]);
  }
});

Deno.test("usbFunction() copies all bytes of a definition", () => {
  const report = Uint8Array.of(5, 1);
  const bytes = [9, 0x21, 0x11, 1, 0, 1, 0x22, 2, 0];
  const property = [1, 2];
  const definition = usbFunction({
    name: "f",
    interfaces: [
      { class: ClassCode.HID, descriptors: [hid({ report })] },
      { class: ClassCode.HID, descriptors: [{ kind: "raw", bytes }] },
    ],
    microsoftOs: [{ ...binaryProperty("A", []), value: property }],
  });
  const before = structuredClone(definition);
  report[0] = bytes[2] = property[0] = 99;
  assertEquals(structuredClone(definition), before);
});

Deno.test("builders refuse options that nothing reads", () => {
  const one = usbFunction({ name: "one", interfaces: [{ class: 0xff }] });
  // deno-fmt-ignore
  const cases: [() => unknown, string][] = [
    // @ts-expect-error report
    [() => hid({ reprot: new Uint8Array(1) }), 'Cannot describe HID interface: there is no option "reprot": did you mean "report"?'],
    // @ts-expect-error null
    [() => hid(null), "Cannot describe HID interface: the options must be an object, is null"],
    // @ts-expect-error canUpload
    [() => dfu({ upload: true }), 'Cannot describe DFU interface: there is no option "upload": did you mean "canUpload"?'],
    // @ts-expect-error maxSlotIndex
    [() => ccid({ slots: 2 }), 'Cannot describe smart card reader: there is no option "slots": did you mean "maxBusySlots"?'],
    // @ts-expect-error interface
    [() => winUsb({ iface: 1 }), 'Cannot declare compatible ID: there is no option "iface": remove it, or use "interface", "subCompatibleId"'],
    // @ts-expect-error interface
    [() => textProperty("A", "b", { interfaces: 1 }), 'Cannot declare property: there is no option "interfaces": did you mean "interface"?'],
    // @ts-expect-error interface
    [() => binaryProperty("A", [], { interfaces: 1 }), 'Cannot declare property: there is no option "interfaces": did you mean "interface"?'],
    // @ts-expect-error interface
    [() => deviceInterfaceGuid("{}", { type: "link" }), 'Cannot declare GUID: there is no option "type": remove it, or use "interface"'],
    // @ts-expect-error interfaces
    [() => externalFunction("mtp", { interface: 1 }), 'Cannot describe function "mtp": there is no option "interface": did you mean "interfaces"?'],
    // @ts-expect-error links
    [() => kernelFunction("acm", {}, { link: {} }), 'Cannot describe kernel function "acm": there is no option "link": did you mean "links"?'],
    // @ts-expect-error interfaceOffset
    [() => compileFunction(one, { interfaceOfset: 1 }), 'Cannot compile function "one": there is no option "interfaceOfset": did you mean "interfaceOffset"?'],
    // @ts-expect-error kernel
    [() => validateFunction(one, { kernels: [] }), 'Cannot validate function "one": there is no option "kernels": did you mean "kernel"?'],
    // @ts-expect-error attributes
    [() => kernelFunction("acm", "x"), 'Cannot describe kernel function "acm": its attributes are "x", give an object'],
  ];
  for (const [call, message] of cases) {
    assertThrows(call, TypeError, message);
  }
});

Deno.test("options of a pair of endpoints are validated", () => {
  const problemsOf = (options: unknown) =>
    problems({
      name: "f",
      interfaces: [{ class: 1, endpoints: { x: bulkPair(options as object) } }],
    }).map(([path]) => path);
  const at = "interfaces[0].endpoints.x";
  assertEquals(problemsOf({ in: 5 }), [`${at}.in`]);
  assertEquals(problemsOf({ hihg: {} }), [`${at}.in.hihg`, `${at}.out.hihg`]);
  assertEquals(problemsOf({ high: 5, in: { high: {} } }), [`${at}.out.high`]);
  assertEquals(problemsOf({ high: {}, in: { high: 5 } }), [`${at}.in.high`]);
});

Deno.test("kernelFunction() copies bytes", () => {
  const report_desc = Uint8Array.of(5, 1);
  const keyboard = kernelFunction("hid", { report_desc, report_length: 8 });
  report_desc[0] = 99;
  assertEquals(keyboard.attributes.report_desc, Uint8Array.of(5, 1));
});

Deno.test("a definition with a field named __proto__ gets no other prototype", () => {
  const trap = JSON.parse('{"class":255,"__proto__":{"subclass":7}}');
  const found = problems({ name: "f", interfaces: [trap] });
  assertEquals(found.map(([path]) => path), ["interfaces[0].__proto__"]);
});

Deno.test("TypeScript sees unknown fields of a definition", () => {
  const link = bulkPair();
  // deno-fmt-ignore
  const wrong = [
    // @ts-expect-error endpoints
    () => usbFunction({ name: "f", interfaces: [{ class: 1, endpoint: { link } }] }),
    // @ts-expect-error interfaces
    () => usbFunction({ name: "f", interfaces: [{ class: 1 }], iface: 1 }),
    // @ts-expect-error protocol
    () => usbFunction({ name: "f", interfaces: [{ class: 1, alternates: [{ proto: 1 }] }] }),
    // @ts-expect-error interfaceCount
    () => usbFunction({ name: "f", interfaces: [{ class: 1 }], associations: [{ firstInterface: 0, interfaceCount: 1, class: 1, count: 1 }] }),
    // @ts-expect-error hnp
    () => usbFunction({ name: "f", interfaces: [{ class: 1 }], otg: { hpn: true } }),
    // @ts-expect-error compatibleId
    () => usbFunction({ name: "f", interfaces: [{ class: 1 }], microsoftOs: [{ ...winUsb(), id: 1 }] }),
    // @ts-expect-error a known field of the wrong type
    () => usbFunction({ name: "f", interfaces: [{ class: "1" }] }),
    // @ts-expect-error interfaces
    () => forward([{ class: 1, endpoint: { link } }]),
    // @ts-expect-error high
    () => withEndpoints({ link: bulkPair({ hihg: { interval: 1 } }) }),
  ];
  for (const each of wrong) assertThrows(each, DefinitionError);
});

Deno.test("what TypeScript infers of a definition has its endpoints, in generic code too", () => {
  const definition = usbFunction({
    name: "f",
    interfaces: [{
      class: ClassCode.HID,
      description: { "en-US": "a", "de-DE": "b" },
      descriptors: [hid({ reportLength: 1 }), raw(HID)],
      endpoints: { link: bulkPair() },
      alternates: [{
        endpoints: { keys: interruptIn({ super: { maxBurst: 0 } }) },
      }],
    }],
  });
  const one = forward([{ class: 1, endpoints: { link: bulkPair() } }]);
  const kinds: ["pair", "in", "pair", "pair"] = [
    definition.interfaces[0].endpoints.link.kind,
    definition.interfaces[0].alternates[0].endpoints.keys.kind,
    one.interfaces[0].endpoints.link.kind,
    withEndpoints({ link: bulkPair() }).interfaces[0].endpoints.link.kind,
  ];
  assertEquals(kinds, ["pair", "in", "pair", "pair"]);
  const wide: FunctionDefinition = definition;
  assertEquals(usbFunction(wide).name, "f");
});

const HID = [9, 0x21, 0x11, 1, 0, 1, 0x22, 1, 0];

function forward<const I extends readonly InterfaceDefinition[]>(
  interfaces: I & KnownFields<I>,
) {
  return usbFunction<"f", I>({ name: "f", interfaces });
}

function withEndpoints<const E extends EndpointRecord>(endpoints: E) {
  return usbFunction({ name: "f", interfaces: [{ class: 1, endpoints }] });
}
