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
  AudioEndpointSettings,
  EndpointSettings,
  HighSpeedSettings,
  InEndpointDefinition,
  PairEndpointDefinition,
  SpeedSettings,
  SuperSpeedSettings,
} from "../../definition/endpoint.ts";
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
import type { ProblemList } from "../problem.ts";
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

const texts = map(text, `{ "en-US": "Echo" }`);
const oneText = value({
  expected: "a string, or an object with a string for each language",
  accepts: (it) => typeof it === "string",
});

/** Text for all languages, or for each language. */
export const localized: Shape = (problems, it, path) =>
  (isPlain(it) ? texts : oneText)(problems, it, path);

const SPEED: Fields<SpeedSettings> = {
  maxPacketSize: number,
  interval: number,
};

const full = record<SpeedSettings>(
  "the settings of a speed",
  SPEED,
  "{ maxPacketSize: 64 }",
);

const high = record<HighSpeedSettings>(
  "the settings of high speed",
  { ...SPEED, transactions: number },
  "{ interval: 4 }",
);

const superSpeed = record<SuperSpeedSettings>(
  "the settings of super speed",
  {
    ...SPEED,
    maxBurst: number,
    streams: number,
    mult: number,
    bytesPerInterval: number,
  },
  "{ maxBurst: 3 }",
);

const audio = record<AudioEndpointSettings>(
  "the audio settings of an endpoint",
  { refresh: number, synchAddress: number },
  "{ refresh: 0 }",
);

const SETTINGS: Fields<EndpointSettings> = {
  intervalMs: number,
  intervalUs: number,
  maxPacketSize: number,
  address: number,
  synchronization: anything,
  usage: anything,
  audio,
  full,
  high,
  super: superSpeed,
};

const single = record<InEndpointDefinition>(
  "an endpoint",
  { kind: anything, transferType: anything, ...SETTINGS },
  "bulkIn()",
);

const half = record<EndpointSettings>(
  "an endpoint of a pair",
  SETTINGS,
  "{ address: 0x81 }",
);

const pair = record<PairEndpointDefinition>(
  "a pair of endpoints",
  {
    kind: anything,
    transferType: anything,
    first: value(oneOf("in", "out")),
    in: half,
    out: half,
  },
  "bulkPair()",
);

const TRANSFER_TYPES: readonly unknown[] = ["bulk", "interrupt", "isochronous"];

const anyEndpoint = kinds({ in: single, out: single, pair }, unknownEndpoint);

const endpoint: Shape = (problems, it, path) => {
  if (!isPlain(it) || TRANSFER_TYPES.includes(it.transferType)) {
    return anyEndpoint(problems, it, path);
  }
  unknownEndpoint(problems, path);
  return false;
};

function unknownEndpoint(problems: ProblemList, path: string): void {
  problems.write(
    "endpoint",
    path,
    "The endpoint is of no known kind: use bulkIn(), bulkOut(), bulkPair() or another endpoint builder",
  );
}

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
    ),
  },
  (problems, path) =>
    problems.write(
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
    problems.write(
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
    problems.write(
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
