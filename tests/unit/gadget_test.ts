import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  bulkPair,
  externalFunction,
  type GadgetDefinition,
  type GadgetFunctions,
  kernelFunction,
  usbFunction,
} from "@usb/gadget";
import { sameValue } from "../../src/gadget/attribute_value.ts";
import { checkGadget } from "../../src/gadget/check_gadget.ts";
import { mountData } from "../../src/gadget/function_mount.ts";
import { instanceName } from "../../src/gadget/gadget_definition.ts";
import { interfaceOffsets } from "../../src/gadget/interface_offsets.ts";
import { modelGadget } from "../../src/gadget/tree_model.ts";

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
  assertThrows(
    () => interfaceOffsets(define([externalFunction("other"), grouped])),
    TypeError,
    'the function "grouped" has associations, and the number of interfaces before it is not known',
  );
  assertThrows(
    () =>
      interfaceOffsets(define([echo, grouped], {
        configurations: [{}, { functions: ["grouped"] }],
      })),
    TypeError,
    "must have the same number of interfaces before it in each configuration",
  );
});

Deno.test("checkGadget() refuses what the kernel would refuse or cut", () => {
  const refused: [Partial<GadgetDefinition>, string][] = [
    [{ vendorId: 0x10000 }, '"vendorId" must be an integer from 0 to 65535'],
    [{ maxPower: 901 }, '"maxPower" must be an integer from 0 to 900'],
    [{ functions: [] }, "it has no functions"],
    [{ functions: [echo, echo] }, 'two functions have the name "echo"'],
    [{ product: "x".repeat(127) }, '"product" has 127 bytes of UTF-8'],
    [{ product: "ä".repeat(64) }, '"product" has 128 bytes of UTF-8'],
    [{ product: "a\nb" }, '"product" has a NUL or a line break'],
    [
      { product: { "en-US": "a", "de-DE": "b", "fr-FR": "c" } },
      "its strings have 3 languages, 2 is the limit of Linux",
    ],
    [{ product: { xx: "a" } }, 'the language "xx" is not known'],
    [{ configurations: [] }, "it has no configurations"],
    [
      { configurations: [{ functions: ["nope"] }] },
      'names the function "nope", which the gadget has not got',
    ],
    [
      { configurations: [{ functions: ["echo", "echo"] }] },
      'names the function "echo" twice',
    ],
    [
      {
        functions: Array.from(
          { length: 17 },
          (_, index) => kernelFunction("acm", {}, { name: `tty${index}` }),
        ),
      },
      "configuration 1 has 34 interfaces, 32 is the limit of Linux",
    ],
    [
      {
        functions: [
          kernelFunction("hid", {
            report_desc: new Uint8Array(1),
            report_length: 1.5,
          }),
        ],
      },
      'attribute "report_length" of function "hid" must be',
    ],
    [
      { functions: [kernelFunction("ffs", {}, { name: "x" })] },
      'function "x" of type "ffs" is none of the kernel; use externalFunction()',
    ],
    [
      { functions: [kernelFunction("a/b", {}, { name: "b" })] },
      'the function type name "a/b"',
    ],
  ];
  for (const [change, message] of refused) {
    assertThrows(
      () => checkGadget({ ...define([echo]), ...change }, "g"),
      Error,
      message,
    );
  }
  checkGadget(define([echo, kernelFunction("ecm")]), "usb-gadget.1.0");
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

Deno.test("sameValue() knows what configfs makes of a value", () => {
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

Deno.test("instanceName() fits into what configfs keeps of a function", () => {
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
