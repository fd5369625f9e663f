/**
 * Decoded descriptors as text.
 *
 * @module
 */

import { className } from "../usb/class_code.ts";
import { languageTag } from "../usb/language.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../usb/speed.ts";
import type { FunctionalDescriptor } from "../definition/functional_descriptor.ts";
import { decodeInterval } from "../usb/interval.ts";
import { hex } from "../arguments/show.ts";
import { propertyText, propertyTypeName } from "./decode_block.ts";
import type {
  AssociationNode,
  DecodedConfiguration,
  DecodedFunctionBlock,
  DescriptorNode,
  EndpointNode,
  InterfaceNode,
  OsFeatureNode,
} from "./descriptor_nodes.ts";

/**
 * Options of {@linkcode formatDescriptors}, for a configuration. A function block contains both.
 *
 * @category Inspect
 */
export interface FormatOptions {
  /** The speed at which the configuration was read. Without it, intervals are numbers without a unit. */
  readonly speed?: FunctionSpeed;
  /** The strings, by index. */
  readonly strings?: Readonly<Record<number, string>>;
}

const FLAG_NAMES: readonly string[] = [
  "HAS_FS_DESC",
  "HAS_HS_DESC",
  "HAS_SS_DESC",
  "HAS_MS_OS_DESC",
  "VIRTUAL_ADDR",
  "EVENTFD",
  "ALL_CTRL_RECIP",
  "CONFIG0_SETUP",
  "RW_PROXY_EPS",
];

/**
 * Formats the result of {@linkcode decodeDescriptors} or {@linkcode decodeFunctionBlock} for people, one descriptor a
 * line. The last line has no line break.
 *
 * @example Usage
 * ```ts
 * import { decodeDescriptors, formatDescriptors } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * const configuration = decodeDescriptors(
 *   new Uint8Array([
 *     ...[9, 2, 25, 0, 1, 1, 0, 0x80, 50],
 *     ...[9, 4, 0, 0, 1, 0xff, 0, 0, 4],
 *     ...[7, 5, 0x81, 2, 0, 2, 0],
 *   ]),
 * );
 * assertEquals(
 *   formatDescriptors(configuration, { speed: "high", strings: { 4: "Echo" } }),
 *   [
 *     "Configuration 1: 1 interface, 25 bytes, bus powered",
 *     '  Interface 0: vendor specific (0xff, 0x00, 0x00) "Echo"',
 *     "    Endpoint 0x81: IN bulk, 512 bytes",
 *   ].join("\n"),
 * );
 * ```
 *
 * @category Inspect
 */
export function formatDescriptors(
  descriptors: DecodedConfiguration | DecodedFunctionBlock,
  options: FormatOptions = {},
): string {
  const lines = descriptors.kind === "configuration"
    ? configurationLines(descriptors, options)
    : blockLines(descriptors);
  return lines.join("\n");
}

function configurationLines(
  configuration: DecodedConfiguration,
  options: FormatOptions,
): string[] {
  const { value, interfaceCount, totalLength, string } = configuration;
  const parts = [
    plural(interfaceCount, "interface"),
    `${totalLength} bytes`,
    configuration.selfPowered ? "self powered" : "bus powered",
    ...(configuration.remoteWakeup ? ["remote wakeup"] : []),
  ];
  return [
    `Configuration ${value}: ${parts.join(", ")}${quoted(string, options)}`,
    ...nodeLines(configuration.descriptors, options).map(indent),
  ];
}

function blockLines(block: DecodedFunctionBlock): string[] {
  const names = FLAG_NAMES.filter((_, bit) => block.flags & 1 << bit);
  const unknown = block.flags >>> FLAG_NAMES.length;
  if (unknown) names.push(hex((unknown << FLAG_NAMES.length) >>> 0));
  const strings = Object.fromEntries(
    block.languages[0]?.strings.map((it, index) => [index + 1, it]) ?? [],
  );
  const lines = [
    `FunctionFS block, version ${block.version}: ${names.join(", ")}`,
  ];
  if (block.eventfd !== undefined) {
    lines.push(`  Event file descriptor ${block.eventfd}`);
  }
  for (const speed of FUNCTION_SPEEDS) {
    const nodes = block.speeds[speed];
    if (nodes === undefined) continue;
    lines.push(`  ${speed.charAt(0).toUpperCase()}${speed.slice(1)} speed`);
    // No spread into a call: a block can have millions of descriptors.
    for (const line of nodeLines(nodes, { speed, strings })) {
      lines.push(indent(indent(line)));
    }
  }
  for (const line of block.microsoftOs.flatMap(featureLines)) {
    lines.push(indent(line));
  }
  for (const { language, strings } of block.languages) {
    lines.push(`  Strings in ${languageTag(language)}`);
    strings.forEach((it, index) =>
      lines.push(`    ${index + 1}: ${JSON.stringify(it)}`)
    );
  }
  return lines;
}

function nodeLines(
  nodes: readonly DescriptorNode[],
  options: FormatOptions,
): string[] {
  return nodes.flatMap((node) => {
    switch (node.kind) {
      case "interface": {
        const { number, alternate } = node;
        const setting = alternate > 0 ? ` alternate ${alternate}` : "";
        return [
          `Interface ${number}${setting}: ${classText(node, options)}`,
          ...nodeLines(node.descriptors, options).map(indent),
          ...nodeLines(node.endpoints, options).map(indent),
        ];
      }
      case "association": {
        const { firstInterface: first, interfaceCount: count } = node;
        const interfaces = count === 1
          ? `interface ${first}`
          : `interfaces ${first} to ${first + count - 1}`;
        return [`Association of ${interfaces}: ${classText(node, options)}`];
      }
      case "otg":
        return [`OTG: SRP ${yesNo(node.srp)}, HNP ${yesNo(node.hnp)}`];
      case "endpoint":
        return [endpointText(node, options)];
      case "functional":
        return [functionalText(node.descriptor)];
      case "unknown":
        return [bytesText(node.bytes)];
    }
  });
}

function endpointText(node: EndpointNode, { speed }: FormatOptions): string {
  const size = `${node.maxPacketSize} bytes`;
  const parts = [
    `${node.direction.toUpperCase()} ${node.transferType}`,
    node.transactions > 1 ? `${node.transactions} times ${size}` : size,
  ];
  const interval = intervalText(node, speed);
  if (interval) parts.push(interval);
  const { synchronization = "none", usage, companion } = node;
  if (synchronization !== "none") parts.push(synchronization);
  if (usage && usage !== "data" && usage !== "periodic") parts.push(usage);
  if (companion) {
    const { maxBurst, streams, mult, bytesPerInterval } = companion;
    if (maxBurst > 0) parts.push(`burst of ${maxBurst + 1}`);
    if (mult > 0) parts.push(`mult ${mult}`);
    if (streams > 0) parts.push(`${streams} streams`);
    if (bytesPerInterval > 0) {
      parts.push(`${bytesPerInterval} bytes per interval`);
    }
  }
  return `Endpoint ${hex(node.address)}: ${parts.join(", ")}`;
}

function intervalText(
  { transferType, interval }: EndpointNode,
  speed: FunctionSpeed | undefined,
): string | undefined {
  if (transferType === "bulk" || transferType === "control") return undefined;
  const time = speed && decodeInterval(interval, transferType, speed);
  if (time === undefined) return `interval ${interval}`;
  return time % 1000 === 0 ? `every ${time / 1000} ms` : `every ${time} µs`;
}

function functionalText(descriptor: FunctionalDescriptor): string {
  switch (descriptor.kind) {
    case "hid": {
      const { bcdHid, reportLength } = descriptor;
      return `HID ${bcd(bcdHid)}: report descriptor of ${reportLength} bytes`;
    }
    case "dfu": {
      const abilities = [
        ...(descriptor.canDownload ? ["download"] : []),
        ...(descriptor.canUpload ? ["upload"] : []),
        ...(descriptor.manifestationTolerant ? ["manifestation tolerant"] : []),
        ...(descriptor.willDetach ? ["will detach"] : []),
        `${descriptor.transferSize} bytes a transfer`,
      ];
      return `DFU ${bcd(descriptor.bcdDfu)}: ${abilities.join(", ")}`;
    }
    case "ccid": {
      const { bcdCcid, maxSlotIndex, maxMessageLength } = descriptor;
      const slots = plural(maxSlotIndex + 1, "slot");
      return `CCID ${
        bcd(bcdCcid)
      }: ${slots}, messages of ${maxMessageLength} bytes`;
    }
    case "raw":
      return bytesText(descriptor.bytes);
  }
}

function featureLines(feature: OsFeatureNode): string[] {
  const ids = feature.compatibleIds.map((it) =>
    `Microsoft OS compatible ID of interface ${it.interface}: ${it.compatibleId}${
      it.subCompatibleId ? ` ${it.subCompatibleId}` : ""
    }`
  );
  const properties = feature.properties.map(({ type, name, value }) => {
    const typeName = propertyTypeName(type);
    const text = typeName === undefined || typeName === "binary"
      ? hexText(value)
      : JSON.stringify(propertyText(value));
    return `Microsoft OS property of interface ${feature.interface}: ${name} (${
      typeName ?? `type ${type}`
    }) ${text}`;
  });
  return [...ids, ...properties];
}

/** The class and the name of an interface or an association. */
function classText(
  node: InterfaceNode | AssociationNode,
  options: FormatOptions,
): string {
  const { class: code, subclass, protocol, string } = node;
  const codes = [code, subclass, protocol].map((it) => hex(it)).join(", ");
  return `${className(code)} (${codes})${quoted(string, options)}`;
}

/** A descriptor of which only the type is known. */
function bytesText(bytes: readonly number[]): string {
  return `Descriptor ${hex(bytes[1])}: ${hexText(bytes)}`;
}

function hexText(bytes: readonly number[]): string {
  return bytes.map((it) => it.toString(16).padStart(2, "0")).join(" ");
}

/** Binary-coded decimal: 0x0111 is 1.11. */
function bcd(version: number): string {
  return `${(version >> 8).toString(16)}.${hexText([version & 0xff])}`;
}

/** A string in quotes, after a space, if it is known. */
function quoted(index: number, { strings }: FormatOptions): string {
  const text = strings?.[index];
  return text === undefined ? "" : ` ${JSON.stringify(text)}`;
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}

function indent(line: string): string {
  return `  ${line}`;
}
