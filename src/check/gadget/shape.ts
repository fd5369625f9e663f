/**
 * The shape of a gadget's definition, with the ranges of its values.
 *
 * @module
 */
import { functionShape } from "../function/shape.ts";
import { functionProblems } from "../usb_function.ts";
import type { UsbFunction } from "../../definition/function.ts";
import { ProblemList } from "../problem.ts";
import {
  anything,
  boolean,
  kinds,
  list,
  map,
  number,
  record,
  type Shape,
  text,
} from "../shape.ts";
import type {
  ConfigurationDefinition,
  GadgetDefinition,
  MicrosoftOsOptions,
  WebUsbOptions,
} from "../../definition/gadget.ts";
import type {
  ExternalFunction,
  KernelFunction,
} from "../../definition/kernel_function.ts";
import { MAX_PAGE_BYTES } from "./host.ts";
import { line, localizedLine, upTo, version } from "./values.ts";

const kernel = record<KernelFunction>(
  "a kernel function",
  {
    kind: anything,
    type: text,
    name: text,
    attributes: map(anything, `{ host_addr: "02:00:00:00:00:01" }`),
    links: map(text, `{ "streaming/class/fs/h": "streaming/header/h" }`),
    interfaces: number,
  },
  `kernelFunction("ecm")`,
  ["type", "name", "attributes", "links"],
);

const external = record<ExternalFunction>(
  "a function of another process",
  {
    kind: anything,
    name: text,
    interfaces: upTo(32, "The number of interfaces"),
  },
  `externalFunction("mtp")`,
  ["name"],
);

const oneFunction: Shape = (problems, it, path) => {
  if (typeof it === "object" && it !== null && "kind" in it) {
    return kinds({ kernel, external }, unknownKind)(problems, it, path);
  }
  problems.include(functionProblems(it as UsbFunction), path);
  return functionShape(new ProblemList(), it, path);
};

function unknownKind(problems: ProblemList, path: string): void {
  problems.writeFails(
    "function-kind",
    path,
    "The function is of no known kind: use usbFunction(), kernelFunction() or externalFunction()",
  );
}

/** How the device, or one configuration of it, is powered. */
const POWER = {
  // A host grants 900 mA at super speed, and 500 mA below.
  maxPower: upTo(900, "The current in mA"),
  selfPowered: boolean,
  remoteWakeup: boolean,
};

const microsoftOs = record<MicrosoftOsOptions>(
  "the Microsoft OS options",
  {
    vendorCode: upTo(0xff, "bMS_VendorCode"),
    signature: line(7),
    configuration: number,
  },
  "{ vendorCode: 0x20 }",
);

const webUsb = record<WebUsbOptions>(
  "the WebUSB options",
  {
    landingPage: line(MAX_PAGE_BYTES),
    vendorCode: upTo(0xff, "bVendorCode"),
    version: upTo(0xffff, "bcdVersion"),
  },
  `{ landingPage: "https://example.com" }`,
);

const configuration = record<ConfigurationDefinition>(
  "a configuration",
  {
    description: localizedLine,
    functions: list(text, `["echo"]`),
    ...POWER,
  },
  `{ functions: ["echo"] }`,
);

const fields = record<GadgetDefinition>(
  "a gadget",
  {
    vendorId: number,
    productId: number,
    deviceVersion: version("bcdDevice"),
    usbVersion: version("bcdUSB"),
    class: upTo(0xff, "bDeviceClass"),
    subclass: upTo(0xff, "bDeviceSubClass"),
    protocol: upTo(0xff, "bDeviceProtocol"),
    manufacturer: localizedLine,
    product: localizedLine,
    serialNumber: line(),
    ...POWER,
    maxSpeed: text,
    microsoftOs: (problems, it, path) =>
      typeof it === "boolean" || microsoftOs(problems, it, path),
    webUsb,
    functions: list(oneFunction, "[usbFunction(...)]"),
    configurations: list(configuration, `[{ functions: ["echo"] }]`),
  },
  "{ vendorId: 0x1209, productId: 0x0001, functions: [usbFunction(...)] }",
  ["functions"],
);

/** Checks the parts of a gadget's definition, each by itself; see {@linkcode Shape}. */
export const gadgetShape: Shape = (problems, it, path) =>
  fields(problems, it ?? null, path);
