import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  bulkPair,
  DefinitionError,
  externalFunction,
  type GadgetDefinition,
  kernelFunction,
  usbFunction,
} from "@usb/gadget";
import type { GadgetFunctions } from "../../src/gadget/gadget.ts";
import { hardwareFirst, type Udc } from "../../src/gadget/udc/udc.ts";
import type { KernelHandles } from "../../src/gadget/kernel/handle.ts";
import { sameValue } from "../../src/gadget/configfs/value.ts";
import { checkGadget } from "../../src/check/gadget/gadget.ts";
import { mountData } from "../../src/functionfs/mount.ts";
import { instanceName } from "../../src/definition/gadget_names.ts";
import { interfaceOffsets } from "../../src/check/gadget/interfaces.ts";
import { modelGadget } from "../../src/gadget/configfs/tree.ts";

const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});
const grouped = usbFunction({
  name: "grouped",
  interfaces: [{ class: 2 }, { class: 10, endpoints: { link: bulkPair() } }],
  associations: [{ firstInterface: 0, interfaceCount: 2, class: 2 }],
});
const ids = { vendorId: 0x1209, productId: 1 };

function define(
  functions: GadgetDefinition["functions"],
  rest: Partial<GadgetDefinition> = {},
): GadgetDefinition {
  return { ...ids, functions, ...rest };
}

Deno.test("functions of a gadget are typed, also between those of the kernel", () => {
  const functions = [
    kernelFunction("ecm"),
    echo,
    externalFunction("other"),
    grouped,
  ] as const;
  type Names = keyof GadgetFunctions<typeof functions>;
  const names: Record<Names, true> = { echo: true, grouped: true };
  type Link = GadgetFunctions<typeof functions>["echo"]["endpoints"]["link"];
  const direction = (link: Link) => link.readable;
  assertEquals(Object.keys(names).length, 2);
  assertEquals(typeof direction, "function");
});

Deno.test("handles of the kernel's functions have what their types have", () => {
  const functions = [
    kernelFunction("ecm", {}, { name: "net" }),
    echo,
    kernelFunction("acm"),
  ] as const;
  const check = (kernel: KernelHandles<typeof functions>) => {
    const texts: string[] = [kernel.net.ifname, kernel.acm.tty];
    // @ts-expect-error Ethernet has no terminal
    texts.push(kernel.net.tty);
    // @ts-expect-error it is not served by the kernel
    return [...texts, kernel.echo];
  };
  assertEquals(typeof check, "function");
});

Deno.test("controllers of hardware come before virtual ones", () => {
  const drivers = ["dummy_udc", "dwc3", "usbip-vudc", "dwc2"];
  const udcs = drivers.map((controllerDriver) => ({ controllerDriver }) as Udc);
  assertEquals(
    hardwareFirst(udcs).map((it) => it.controllerDriver),
    ["dwc3", "dwc2", "dummy_udc", "usbip-vudc"],
  );
});

Deno.test("interfaceOffsets() counts the interfaces before each function", () => {
  const all = define([
    kernelFunction("ecm"),
    kernelFunction("uac2", { c_chmask: 0 }),
    externalFunction("other", { interfaces: 3 }),
    grouped,
    echo,
  ]);
  assertEquals([...interfaceOffsets(all)], [
    ["ecm", 0],
    ["uac2", 2],
    ["other", 4],
    ["grouped", 7],
    ["echo", 9],
  ]);
});

/** What checkGadget() finds, as lines of a path and a message. */
function problems(definition: GadgetDefinition, name = "g"): string[] {
  try {
    checkGadget(definition, name);
    return [];
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

Deno.test("checkGadget() refuses what the kernel would refuse or cut", () => {
  const hid = (report_length: number) =>
    kernelFunction("hid", { report_desc: new Uint8Array(1), report_length });
  const refused: [Partial<GadgetDefinition>, string][] = [
    [
      { vendorId: 0x10000 },
      "vendorId: idVendor is 65536: give a whole number from 0 to 65535",
    ],
    [
      { vendorId: undefined },
      "vendorId: idVendor is undefined: give a whole number from 0 to 65535",
    ],
    [
      { deviceVersion: 0x010a },
      "deviceVersion: bcdDevice is 0x010a, and the kernel takes decimal digits only: use the digits 0 to 9, as in 0x0102 for 1.02",
    ],
    [
      { maxPower: 901 },
      "maxPower: The current in mA is 901: give a whole number from 0 to 900",
    ],
    [
      { selfPowered: "no" as unknown as boolean },
      'selfPowered: Self powered is "no": give a boolean',
    ],
    [{ functions: [] }, "functions: There are no functions: give one at least"],
    [
      { functions: [echo, echo] },
      'functions[1].name: The name "echo" is used twice: give each function its own',
    ],
    [
      { product: "x".repeat(127) },
      "product: The text takes 127 bytes in UTF-8, but the kernel takes 126 at most: shorten it",
    ],
    [
      { product: "ä".repeat(64) },
      "product: The text takes 128 bytes in UTF-8, but the kernel takes 126 at most: shorten it",
    ],
    [
      { product: "a\nb" },
      "product: The text has a line break, which ends a value in configfs: remove it",
    ],
    [
      { product: { "en-US": "a", "de-DE": "b", "fr-FR": "c" } },
      ": The strings have 3 languages, and Linux takes 2: use fewer",
    ],
    [
      { product: { xx: "a" } },
      'product["xx"]: Language "xx" has no known LANGID: use a tag such as "en-US", or the LANGID, 1 to 65535',
    ],
    [
      { product: { "0x0009": "a" } },
      'product["0x0009"]: configfs refuses the LANGID 0x0009: use one with a sublanguage (bits 10 to 15) and a primary language from 0x01 to 0x61, or 0xff',
    ],
    [
      { product: { "en-US": "a", "EN-us": "b" } },
      'product["EN-us"]: Language en-US is given twice: give it once',
    ],
    [
      { configurations: [] },
      "configurations: There are no configurations: give one at least, or leave them out for one with all functions",
    ],
    [
      { configurations: [{ functions: [] }] },
      "configurations[0].functions: The configuration has no functions: name one at least, or leave them out for all",
    ],
    [
      { configurations: [{ functions: ["nope"] }] },
      'configurations[0].functions[0]: The gadget has no function "nope": use "echo"',
    ],
    [
      { configurations: [{ functions: ["echo", "echo"] }] },
      'configurations[0].functions[1]: The function "echo" is named twice: name it once',
    ],
    [
      {
        functions: Array.from(
          { length: 17 },
          (_, index) => kernelFunction("acm", {}, { name: `tty${index}` }),
        ),
      },
      "functions: There are 34 interfaces, and Linux takes 32 in a configuration: use fewer functions",
    ],
    [
      { functions: [hid(1.5)] },
      'functions[0].attributes["report_length"]: The value is 1.5: give a text, a whole number, a boolean or a Uint8Array',
    ],
    [
      { functions: [kernelFunction("ffs", {}, { name: "x" })] },
      'functions[0].type: The type "ffs" is FunctionFS, which another process serves: use externalFunction()',
    ],
    [
      { functions: [kernelFunction("a/b", {}, { name: "b" })] },
      'functions[0].type: The function\'s type is "a/b": use letters, digits, "_", "-" and ".", and do not begin with "-" or "."',
    ],
    [
      { functions: [externalFunction("other"), grouped] },
      'functions[1]: The function "grouped" has associations, and the number of interfaces before it is not known: give it as "interfaces" of the functions before it',
    ],
    [
      {
        functions: [echo, grouped],
        configurations: [{}, { functions: ["grouped"] }],
      },
      'functions[1]: The function "grouped" has associations, and not the same number of interfaces before it in each configuration: put the same functions before it',
    ],
    [
      {
        functions: [
          kernelFunction("mass_storage", {
            "lun.0/inquiry_string": "ä".repeat(15),
          }),
        ],
      },
      'functions[0].attributes["lun.0/inquiry_string"]: The text takes 30 bytes in UTF-8, but the kernel takes 28 at most: shorten it',
    ],
  ];
  for (const [change, problem] of refused) {
    assertEquals(problems({ ...define([echo]), ...change }), [problem]);
  }
  const fine = define([echo, kernelFunction("ecm")]);
  assertEquals(problems(fine, "usb-gadget.1.0"), []);
});

Deno.test("checkGadget() reports everything that is wrong at once, each with its remedy", () => {
  const wrong = {
    vendorId: 99999,
    productId: -3,
    maxPower: 9999,
    product: { "en-US": "a".repeat(127), xx: "b" },
    functions: [
      { ...echo, name: "a b" },
      kernelFunction("ncm", { qmult: 0.5, "../x": 1 } as { qmult: number }),
    ],
    configurations: [{ functions: ["nope"], maxPower: 901 }],
  };
  const found = problems(wrong, "..");
  assertEquals(
    found.map((line) => line.split(": ")[0]),
    [
      "name",
      "maxPower",
      'product["en-US"]',
      'product["xx"]',
      "configurations[0].maxPower",
      "vendorId",
      "productId",
      "functions[0].name",
      'functions[1].attributes["qmult"]',
      'functions[1].attributes["../x"]',
      "configurations[0].functions[0]",
    ],
  );
  for (const line of found) {
    assertMatch(line, /: (give|use|shorten) [^:]+$/);
  }
  assertThrows(
    () => checkGadget({ ...wrong, functions: [echo] }, "g"),
    DefinitionError,
    'Cannot define gadget "g", 7 problems:\n  maxPower: The current in mA is 9999',
  );
});

Deno.test("a lone surrogate is refused in every text", () => {
  const lone = "a\ud800b";
  const message =
    "The text has half of a surrogate pair, which is no character: remove it";
  const places: [string, Partial<GadgetDefinition>][] = [
    ["manufacturer", { manufacturer: lone }],
    ["product", { product: lone }],
    ['product["ja-JP"]', { product: { "en-US": "a", "ja-JP": lone } }],
    ["serialNumber", { serialNumber: lone }],
    ["microsoftOs.signature", { microsoftOs: { signature: lone } }],
    ["webUsb.landingPage", { webUsb: { landingPage: lone } }],
    [
      "configurations[0].description",
      { configurations: [{ description: lone }] },
    ],
    [
      'functions[0].attributes["pnp_string"]',
      { functions: [kernelFunction("printer", { pnp_string: lone })] },
    ],
    [
      'functions[0].attributes["lun.0/file"]',
      { functions: [kernelFunction("mass_storage", { "lun.0/file": lone })] },
    ],
  ];
  for (const [path, change] of places) {
    assertEquals(problems({ ...define([echo]), ...change }), [
      `${path}: ${message}`,
    ]);
  }
});

Deno.test("modelGadget() puts each text into each language", () => {
  const model = modelGadget(
    define([echo], {
      product: { "en-US": "Echo", "ja-JP": "エコー" },
      manufacturer: "Example",
      serialNumber: "1",
    }),
    "g",
  );
  assertEquals(
    [...model.strings].map(([language, nodes]) => [
      language,
      ...nodes.map((it) => it.value),
    ]),
    [["0x409", "Example", "Echo", "1"], ["0x411", "Example", "エコー", "1"]],
  );
});

Deno.test("sameValue() recognizes values as configfs shows them", () => {
  const same = (
    actual: string,
    path: string,
    value: string | number | boolean,
    hex = false,
  ) => sameValue(new TextEncoder().encode(actual), { path, value, hex });
  assert(same("0x1209\n", "idVendor", 0x1209));
  assert(same("02\n", "class", 2, true));
  assert(same("ef\n", "class", 0xef, true));
  assert(!same("10\n", "class", 10, true));
  assert(same("1\n", "use", true));
  assert(same("02:00:00:00:00:0a\n\0", "host_addr", "02:00:00:00:00:0A"));
  assert(same("usb0\n", "ifname", "usb%d"));
  assert(same("(unnamed net_device)\n", "ifname", "usb%d"));
  assert(!same("eth0\n", "ifname", "usb%d"));
  assert(same("\n", "product", ""));
  assert(!same("Echo\n", "product", "echo"));
});

Deno.test("instanceName() fits into the length limit of configfs", () => {
  assertEquals(instanceName("usb-gadget.1.0", "echo"), "usb-gadget.1.0-echo");
  const name = (gadget: string, length: number) =>
    instanceName(gadget, "f".repeat(length));
  const long = "usb-gadget.4194304.12";
  assertEquals(name(long, 13), `${long}-${"f".repeat(13)}`);
  // ffs.INSTANCE and a NUL have 40 bytes.
  for (const length of [14, 35, 255]) {
    assertEquals(name(long, length).length, length === 14 ? 22 : 35);
    assert(name(long, length) !== name("usb-gadget.4194304.13", length));
    assert(name(long, length) !== name(long, length + 1));
  }
});

Deno.test("mountData() writes options as FunctionFS reads them", () => {
  assertEquals(mountData({}), "");
  assertEquals(
    mountData({
      noDisconnect: true,
      mode: 0o770,
      rmode: 0o550,
      fmode: 0o660,
      uid: 5,
      gid: 6,
    }),
    "no_disconnect=1,mode=0770,rmode=0550,fmode=0660,uid=5,gid=6",
  );
  assertEquals(mountData({ noDisconnect: false }), "no_disconnect=0");
  assertThrows(() => mountData({ mode: 0o1000 }), RangeError, '"mode"');
  assertThrows(() => mountData({ uid: -1 }), RangeError, '"uid"');
});
