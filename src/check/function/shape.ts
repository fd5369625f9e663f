/**
 * The shape of a function definition.
 *
 * @module
 */

import type { CcidDescriptor } from "../../definition/ccid.ts";
import type {
  AlternateDefinition,
  AssociationDefinition,
  FunctionDefinition,
  InterfaceDefinition,
  OtgDefinition,
} from "../../definition/function.ts";
import type {
  DfuDescriptor,
  HidDescriptor,
  RawDescriptor,
} from "../../definition/functional_descriptor.ts";
import { CCID_FIELDS } from "../../compile/functional_encoding.ts";
import type {
  CompatibleId,
  ExtendedProperty,
} from "../../definition/microsoft_os.ts";
import { isPlain, oneOf } from "../../arguments/rules.ts";
import {
  anything,
  boolean,
  type Fields,
  handler,
  kinds,
  list,
  map,
  number,
  record,
  type Shape,
  text,
  value,
} from "../shape.ts";
import { endpoint } from "./endpoint_shape.ts";

const texts = map(text, `{ "en-US": "Echo" }`);
const oneText = value({
  expected: "a string, or an object with a string for each language",
  accepts: (it) => typeof it === "string",
});

/** Text for all languages, or for each language. */
export const localized: Shape = (problems, it, path) =>
  (isPlain(it) ? texts : oneText)(problems, it, path);

const functional = kinds(
  {
    hid: record<HidDescriptor>(
      "a HID descriptor",
      {
        kind: anything,
        report: value({
          expected: "a Uint8Array",
          accepts: (it) => it instanceof Uint8Array,
        }),
        reportLength: number,
        bcdHid: number,
        countryCode: number,
      },
      "hid({ reportLength: 63 })",
    ),
    dfu: record<DfuDescriptor>(
      "a DFU descriptor",
      {
        kind: anything,
        canDownload: boolean,
        canUpload: boolean,
        manifestationTolerant: boolean,
        willDetach: boolean,
        detachTimeoutMs: number,
        transferSize: number,
        bcdDfu: number,
      },
      "dfu()",
    ),
    ccid: record<CcidDescriptor>(
      "a smart card descriptor",
      Object.fromEntries([
        ["kind", anything],
        ...CCID_FIELDS.map(([name]) => [name, number]),
      ]) as unknown as Fields<CcidDescriptor>,
      "ccid()",
    ),
    raw: record<RawDescriptor>(
      "a raw descriptor",
      { kind: anything, bytes: list(anything, "[9, 0x21]") },
      "raw([9, 0x21, 0x11, 0x01, 0, 1, 0x22, 63, 0])",
      ["bytes"],
    ),
  },
  (problems, path) =>
    problems.writeFails(
      "functional",
      path,
      "The descriptor is of no known kind: use hid(), dfu(), ccid() or raw()",
    ),
);

const SETTING: Fields<AlternateDefinition> = {
  class: number,
  subclass: number,
  protocol: number,
  description: localized,
  descriptors: list(functional, "[hid({ reportLength: 63 })]"),
  endpoints: map(endpoint, "{ link: bulkPair() }"),
};

const alternate = record<AlternateDefinition>(
  "an alternate setting",
  SETTING,
  "{ endpoints: { link: bulkPair() } }",
);

const oneInterface = record<InterfaceDefinition>(
  "an interface",
  { ...SETTING, alternates: list(alternate, "[{ protocol: 1 }]") },
  "{ class: 0xff }",
);

const association = record<AssociationDefinition>(
  "an association",
  {
    firstInterface: number,
    interfaceCount: number,
    class: number,
    subclass: number,
    protocol: number,
    description: localized,
  },
  "{ firstInterface: 0, interfaceCount: 2, class: 0x02 }",
);

const otg = record<OtgDefinition>(
  "the OTG abilities",
  { srp: boolean, hnp: boolean },
  "{ srp: true }",
);

const feature = kinds(
  {
    "compatible-id": record<CompatibleId>(
      "a compatible ID",
      {
        kind: anything,
        interface: number,
        compatibleId: text,
        subCompatibleId: text,
      },
      "winUsb()",
    ),
    property: record<ExtendedProperty>(
      "an extended property",
      {
        kind: anything,
        interface: number,
        type: text,
        name: text,
        value: value({
          expected: "a string, or an array of bytes",
          accepts: (it) => typeof it === "string" || Array.isArray(it),
        }),
      },
      `textProperty("Label", "Probe")`,
    ),
  },
  (problems, path) =>
    problems.writeFails(
      "os-kind",
      path,
      "The feature is neither a compatible ID nor a property: use winUsb(), compatibleId(), textProperty() or binaryProperty()",
    ),
);

const FIELDS: Fields<FunctionDefinition> = {
  name: anything,
  interfaces: (problems, it, path) => {
    if (Array.isArray(it) && it.length > 0) {
      return list(oneInterface, "[{ class: 0xff }]")(problems, it, path);
    }
    problems.writeFails(
      "interfaces",
      path,
      "A function needs at least one interface: add one, it may have no endpoints",
    );
    return false;
  },
  speeds: list(anything, `["full", "high"]`),
  languages: list(
    value({
      expected: `a tag such as "en-US", or a LANGID`,
      accepts: (it) => typeof it === "string" || typeof it === "number",
    }),
    `["en-US"]`,
  ),
  associations: list(
    association,
    "[{ firstInterface: 0, interfaceCount: 2, class: 0x02 }]",
  ),
  microsoftOs: list(feature, "[winUsb()]"),
  otg,
  allControlRecipients: boolean,
  config0Setup: boolean,
  rwProxy: value(oneOf("auto", true, false)),
  virtualAddresses: boolean,
  control: handler,
  serve: handler,
  standardControl: handler,
  onError: handler,
  onControl: handler,
};

const fields = record<FunctionDefinition>(
  "a function",
  FIELDS,
  `{ name: "echo", interfaces: [{ class: 0xff }] }`,
);

/** The shape of a function definition: plain data, or an instance of a class that has its fields. */
export const functionShape: Shape = (problems, it, path) => {
  if (typeof it !== "object" || it === null || Array.isArray(it)) {
    return fields(problems, it ?? null, path);
  }
  // Looks every known field up: an instance inherits it, or it is missing.
  return fields(problems, { ...(isPlain(it) ? it : {}), ...known(it) }, path);
};

function known(it: object): Record<string, unknown> {
  const names = Object.keys(FIELDS) as (keyof FunctionDefinition)[];
  const definition: Partial<FunctionDefinition> = it;
  return Object.fromEntries(names.map((name) => [name, definition[name]]));
}
