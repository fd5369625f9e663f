/**
 * The shape of a gadget's definition.
 *
 * @module
 */
import { functionShape, localized } from "../function/shape.ts";
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
  { kind: anything, name: text, interfaces: number },
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
  problems.write(
    "function-kind",
    path,
    "The function is of no known kind: use usbFunction(), kernelFunction() or externalFunction()",
  );
}

const microsoftOs = record<MicrosoftOsOptions>(
  "the Microsoft OS options",
  { vendorCode: number, signature: text, configuration: number },
  "{ vendorCode: 0x20 }",
);

const configuration = record<ConfigurationDefinition>(
  "a configuration",
  {
    description: localized,
    functions: list(text, `["echo"]`),
    maxPower: number,
    selfPowered: boolean,
    remoteWakeup: boolean,
  },
  `{ functions: ["echo"] }`,
);

/** Says whether a value has the shape of a gadget's definition; see {@linkcode Shape}. */
export const gadgetShape: Shape = (problems, it, path) =>
  fields(problems, it ?? null, path);

const fields = record<GadgetDefinition>(
  "a gadget",
  {
    vendorId: number,
    productId: number,
    deviceVersion: number,
    usbVersion: number,
    class: number,
    subclass: number,
    protocol: number,
    manufacturer: localized,
    product: localized,
    serialNumber: text,
    maxPower: number,
    selfPowered: boolean,
    remoteWakeup: boolean,
    maxSpeed: text,
    microsoftOs: (problems, it, path) =>
      typeof it === "boolean" || microsoftOs(problems, it, path),
    webUsb: record<WebUsbOptions>(
      "the WebUSB options",
      { landingPage: text, vendorCode: number, version: number },
      `{ landingPage: "https://example.com" }`,
    ),
    functions: list(oneFunction, "[usbFunction(...)]"),
    configurations: list(configuration, `[{ functions: ["echo"] }]`),
  },
  "{ vendorId: 0x1209, productId: 0x0001, functions: [usbFunction(...)] }",
  ["functions"],
);
