import {
  bulkPair,
  DefinitionError,
  externalFunction,
  Gadget,
  type GadgetDefinition,
  type GadgetFunction,
  kernelFunction,
  type UsbFunction,
  usbFunction,
  winUsb,
} from "@usb/gadget";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { checkGadget } from "../../src/check/gadget/gadget.ts";
import { landingPageWarning } from "../../src/gadget/udc/capabilities.ts";
import { modelGadget } from "../../src/gadget/configfs/tree.ts";
import { spoil } from "../support/descriptors/invalid_values.ts";
import { Random } from "../support/data/random.ts";

const RUNS = 5_000;
const interfaces = [{
  class: 0xff,
  endpoints: { link: bulkPair() },
}] as const;
const echo = usbFunction({ name: "echo", interfaces });
const tool = usbFunction({
  name: "tool",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
  microsoftOs: [winUsb()],
});
const ids = { vendorId: 0x1209, productId: 1 };

/** The problems of a gadget: where, and what. */
function problems(
  definition: unknown,
  name = "g",
): [path: string, message: string][] {
  try {
    checkGadget(definition as GadgetDefinition, name);
    return [];
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    return error.problems.map(({ path, message }) => [path, message]);
  }
}

/** The problems of a gadget that is right apart from this. */
function problemsOf(rest: Partial<GadgetDefinition>) {
  return problems({ ...ids, functions: [echo], ...rest });
}

Deno.test("nonsense in place of any part of a gadget is refused with a path, or is ignored", () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const complete: GadgetDefinition = {
    ...ids,
    deviceVersion: 0x0100,
    usbVersion: 0x0200,
    class: 0,
    subclass: 0,
    protocol: 0,
    manufacturer: "Example",
    product: { "en-US": "Echo", "de-DE": "Echo" },
    serialNumber: "1",
    maxPower: 100,
    selfPowered: true,
    remoteWakeup: false,
    maxSpeed: "high-speed",
    microsoftOs: { vendorCode: 3, signature: "MSFT100", configuration: 0 },
    webUsb: { landingPage: "https://example.com", vendorCode: 2, version: 256 },
    functions: [
      { name: "plain", interfaces },
      tool,
      kernelFunction("ecm", { host_addr: "02:00:00:00:00:01" }, {
        links: { a: "b" },
      }),
      externalFunction("other", { interfaces: 1 }),
    ],
    configurations: [{
      description: "All",
      functions: ["plain", "tool", "ecm", "other"],
      maxPower: 100,
      selfPowered: true,
      remoteWakeup: true,
    }],
  };
  assertEquals(problems(complete), []);
  let refused = 0;
  for (let i = 0; i < RUNS; i++) {
    const random = new Random((seed + i) >>> 0);
    const definition = spoil(random, complete);
    try {
      checkGadget(definition as GadgetDefinition, "g");
      modelGadget(definition as GadgetDefinition, "g");
    } catch (error) {
      refused++;
      // A check of a single value has no path yet, but says "gadget".
      const isOurs = error instanceof DefinitionError ||
        /^Cannot make gadget: /.test((error as Error).message);
      assert(isOurs, `seed ${seed + i}: ${(error as Error).stack}`);
    }
  }
  assert(refused > RUNS / 2, `${refused} refused`);
});

Deno.test("unknown fields of a gadget are refused, and the nearest ones named", () => {
  const cases: [object, string, string][] = [
    [
      { idVendor: 1 },
      "idVendor",
      'There is no field "idVendor" in a gadget: did you mean "vendorId"?',
    ],
    [
      { serial: "1" },
      "serial",
      'There is no field "serial" in a gadget: did you mean "serialNumber"?',
    ],
    [
      { webUsb: { landingpage: "https://example.com" } },
      "webUsb.landingpage",
      'There is no field "landingpage" in the WebUSB options: did you mean "landingPage"?',
    ],
    [
      { microsoftOs: { vendor: 1 } },
      "microsoftOs.vendor",
      'There is no field "vendor" in the Microsoft OS options: did you mean "vendorCode"?',
    ],
    [
      { configurations: [{ function: ["echo"] }] },
      "configurations[0].function",
      'There is no field "function" in a configuration: did you mean "functions"?',
    ],
    [
      { functions: [{ name: "f", interfaces: [{ class: 1, endpoint: {} }] }] },
      "functions[0].interfaces[0].endpoint",
      'There is no field "endpoint" in an interface: did you mean "endpoints"?',
    ],
    [
      { functions: [{ ...kernelFunction("acm"), attribute: {} }] },
      "functions[0].attribute",
      'There is no field "attribute" in a kernel function: did you mean "attributes"?',
    ],
    [
      { functions: [{ ...externalFunction("f"), interface: 1 }] },
      "functions[0].interface",
      'There is no field "interface" in a function of another process: did you mean "interfaces"?',
    ],
  ];
  for (const [rest, path, message] of cases) {
    assertEquals(problemsOf(rest), [[path, message]]);
  }
});

Deno.test("TypeScript sees unknown fields of a gadget", () => {
  // deno-fmt-ignore
  const wrong = [
    // @ts-expect-error productId
    () => Gadget.start({ ...ids, functions: [echo], product_: "Echo" }),
    // @ts-expect-error landingPage
    () => Gadget.start({ ...ids, functions: [echo], webUsb: { page: "" } }),
    // @ts-expect-error functions
    () => Gadget.start({ ...ids, functions: [echo], configurations: [{ function: [] }] }),
    // @ts-expect-error endpoints
    () => Gadget.start({ ...ids, functions: [{ name: "f", interfaces: [{ class: 1, endpoint: {} }] }] }),
    // @ts-expect-error endpoints
    () => start({ ...ids, functions: [{ name: "f", interfaces: [{ class: 1, endpoint: {} }] }] }),
    // @ts-expect-error udc
    () => Gadget.start({ ...ids, functions: [echo] }, { udcc: "x" }),
  ];
  assertEquals(wrong.length, 6);
  const right = () =>
    start({
      ...ids,
      functions: [{ name: "f", interfaces }, kernelFunction("acm"), echo],
    }).then(({ functions }) => [
      functions.f.endpoints.link,
      functions.echo.endpoints.link,
    ]);
  assertEquals(typeof right, "function");
});

/** What is generic over its functions passes them on. */
function start<const F extends readonly GadgetFunction[]>(
  definition: GadgetDefinition<F>,
): Promise<Gadget<F>> {
  return Gadget.start(definition);
}

Deno.test("parts of a gadget of the wrong shape are named", () => {
  const cases: [unknown, string][] = [
    [null, ""],
    [ids, "functions"],
    [{ ...ids, functions: {} }, "functions"],
    [{ ...ids, functions: [{ kind: "external" }] }, "functions[0].name"],
    [{ ...ids, functions: [null] }, "functions[0]"],
    [{ ...ids, functions: [{ kind: "kernal" }] }, "functions[0]"],
    [{ ...ids, functions: [{ name: "f" }] }, "functions[0].interfaces"],
    [{ ...ids, functions: [echo], webUsb: "x" }, "webUsb"],
    [{ ...ids, functions: [echo], microsoftOs: 1 }, "microsoftOs"],
    [{ ...ids, functions: [echo], product: 7 }, "product"],
    [{ ...ids, functions: [echo], serialNumber: {} }, "serialNumber"],
    [{ ...ids, functions: [echo], configurations: {} }, "configurations"],
    [
      { ...ids, functions: [echo], configurations: [null] },
      "configurations[0]",
    ],
  ];
  for (const [definition, path] of cases) {
    assertEquals(problems(definition).map(([it]) => it), [path]);
  }
});

Deno.test("Microsoft OS features need a gadget that announces them", () => {
  const [[path, message]] = problemsOf({ functions: [tool] });
  assertEquals(path, "microsoftOs");
  assertEquals(
    message,
    'Function "tool" has Microsoft OS features, but the gadget does not announce any, so Windows asks for none: set it to true, or to false to do without',
  );
  const rndis = kernelFunction("rndis", {
    "os_desc/interface.rndis/compatible_id": "RNDIS",
  });
  assertEquals(problemsOf({ functions: [rndis] })[0][0], "microsoftOs");
  for (const microsoftOs of [true, false, {}]) {
    assertEquals(problemsOf({ functions: [tool, rndis], microsoftOs }), []);
  }
  const rest = {
    functions: [echo, tool],
    configurations: [{ functions: ["echo"] }, { functions: ["tool"] }],
  };
  assertEquals(problemsOf({ ...rest, microsoftOs: { configuration: 1 } }), []);
  assertEquals(problemsOf({ ...rest, microsoftOs: true }), [[
    "functions[1]",
    'Function "tool" has Microsoft OS features, but is not in configuration 1, the one that Windows asks about: change "microsoftOs.configuration", or add the function there',
  ]]);
});

Deno.test("a landing page is a URL that fits, with a request of its own", () => {
  const page = (landingPage: string) => problemsOf({ webUsb: { landingPage } });
  for (
    const wrong of [
      "example.com",
      "//example.com",
      "localhost:80",
      "https://",
      "https:example.com",
    ]
  ) {
    assertEquals(page(wrong), [[
      "webUsb.landingPage",
      `The page "${wrong}" is no URL, so browsers ignore it: begin it with "https://"`,
    ]]);
  }
  for (const scheme of ["https://", "http://", "HTTPS://"]) {
    assertEquals(page(scheme + "a".repeat(252)), []);
  }
  for (
    const [scheme, length] of [["http://", 253], ["wss://a.de/", 242]] as const
  ) {
    const bytes = scheme === "http://" ? length : scheme.length + length;
    assertEquals(page(scheme + "a".repeat(length)), [[
      "webUsb.landingPage",
      `The page has ${bytes} bytes after its scheme, but a URL descriptor has room for 252: shorten it`,
    ]]);
  }
  const vendorCode = 7;
  const same = { microsoftOs: { vendorCode }, webUsb: { vendorCode } };
  assertEquals(problemsOf(same).map(([path]) => path), ["webUsb.vendorCode"]);
  assertEquals(problemsOf({ ...same, microsoftOs: false }), []);
});

Deno.test("a MAC address is well-formed, and that of a single device", () => {
  for (const name of ["dev_addr", "host_addr"]) {
    const of = (address: string) =>
      problemsOf({ functions: [kernelFunction("ncm", { [name]: address })] });
    assertEquals(of("02:00:00:00:00:0A"), []);
    for (
      const wrong of [
        "banana",
        "",
        "02:00:00:00:00",
        "020000000001",
        "02:00:00:00:00:01:07",
      ]
    ) {
      assertEquals(of(wrong), [[
        `functions[0].attributes["${name}"]`,
        `The MAC address is "${wrong}", of which the kernel makes another one: write it as "02:00:00:00:00:01"`,
      ]]);
    }
    for (const wrong of ["03:00:00:00:00:01", "00:00:00:00:00:00"]) {
      assertEquals(
        of(wrong)[0][1].includes("not one of a single device"),
        true,
      );
    }
  }
});

Deno.test("the class of RNDIS is a number of two digits", () => {
  const of = (value: unknown) =>
    problemsOf({
      functions: [kernelFunction("rndis", { class: value as number })],
    }).map(([path]) => path);
  assertEquals(of(0xef), []);
  for (const wrong of [256, -1, "banana"]) {
    assertEquals(of(wrong), ['functions[0].attributes["class"]']);
  }
});

Deno.test("values that are true or false for the kernel are checked", () => {
  const of = (value: unknown) =>
    problemsOf({
      functions: [
        kernelFunction("mass_storage", { "lun.0/ro": value as boolean }),
      ],
    }).map(([path]) => path);
  for (const right of [true, false, 0, 1, "y", "on"]) {
    assertEquals(of(right), []);
  }
  for (const wrong of ["12abc", "0xzz", 2, "", "never"]) {
    assertEquals(of(wrong), ['functions[0].attributes["lun.0/ro"]']);
  }
});

Deno.test("names leave room for the suffixes of their files", () => {
  const name = (length: number) => "g".repeat(length);
  const gadget = { ...ids, functions: [echo] };
  assertEquals(problems(gadget, name(249)), []);
  for (const length of [250, 255]) {
    assertEquals(problems(gadget, name(length)), [[
      "name",
      `The gadget's name has ${length} characters, and there is room for 249: shorten it`,
    ]]);
  }
  assertThrows(() => checkGadget(gadget, name(256)));
  const external = (length: number) =>
    problemsOf({ functions: [externalFunction(name(length))] });
  assertEquals(external(243), []);
  assertEquals(external(244)[0][0], "functions[0].name");
});

Deno.test("a function can be an instance of a class, with methods and fields of its own", () => {
  class Tool implements UsbFunction {
    readonly name = "tool";
    readonly interfaces = interfaces;
    readonly layout = "de-DE";
    type() {}
  }
  assertEquals(problemsOf({ functions: [new Tool()] }), []);
});

Deno.test("a landing page that Chromium ignores causes a warning", () => {
  const of = (maximumSpeed: string, landingPage?: string) =>
    landingPageWarning("g", {
      ...ids,
      functions: [echo],
      webUsb: { landingPage },
    }, { name: "a.usb", maximumSpeed });
  const page = "https://example.com";
  assertEquals(
    of("high-speed", page),
    'Gadget "g": Chromium ignores the landing page on UDC "a.usb" (high-speed), because Linux reports USB 2.01 there and Chromium needs 2.10: use a super-speed controller, or leave "webUsb" out; pages can open the device without it',
  );
  for (const speed of ["super-speed", "super-speed-plus"]) {
    assertEquals(of(speed, page), undefined);
  }
  assertEquals(of("high-speed"), undefined);
});
