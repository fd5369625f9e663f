/**
 * Trees as text.
 *
 * @module
 */

import { className } from "../usb/class_code.ts";
import type { TransferType } from "../usb/endpoint_attributes.ts";
import { languageTag } from "../usb/language.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../usb/speed.ts";
import type { FunctionalDescriptor } from "../definition/functional_descriptor.ts";
import { decodeInterval } from "../usb/interval.ts";
import { PROPERTY_TYPES } from "../compile/microsoft_os_encoding.ts";
import { hex } from "../arguments/show.ts";
import type {
  ConfigurationTree,
  DescriptorNode,
  EndpointNode,
  FunctionBlockTree,
  InterfaceNode,
  OsFeatureNode,
} from "./tree.ts";

/** What the bytes do not say about themselves. */
export interface FormatOptions {
  /** The speed at which a configuration was read: says what its intervals mean. */
  readonly speed?: FunctionSpeed;
  /** The strings of a configuration, by index. A function block brings its own. */
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
 * Writes a tree as text for people, one descriptor a line.
 *
 * @param tree What {@linkcode decodeDescriptors} or {@linkcode decodeFunctionBlock} returned.
 * @param options The speed and the strings of a configuration.
 * @returns Lines without a line break at the end.
 *
 * @example Usage
 * ```ts
 * import { decodeDescriptors, formatTree } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const tree = decodeDescriptors(
 *   new Uint8Array([
 *     ...[9, 2, 25, 0, 1, 1, 0, 0x80, 50],
 *     ...[9, 4, 0, 0, 1, 0xff, 0, 0, 4],
 *     ...[7, 5, 0x81, 2, 0, 2, 0],
 *   ]),
 * );
 * assertEquals(
 *   formatTree(tree, { speed: "high", strings: { 4: "Echo" } }),
 *   [
 *     "Configuration 1: 1 interface, 25 bytes, bus powered",
 *     '  Interface 0: vendor specific (0xff, 0x00, 0x00) "Echo"',
 *     "    Endpoint 0x81: IN bulk, 512 bytes",
 *   ].join("\n"),
 * );
 * ```
 */
export function formatTree(
  tree: ConfigurationTree | FunctionBlockTree,
  options: FormatOptions = {},
): string {
  const lines = tree.kind === "configuration"
    ? configurationLines(tree, options)
    : blockLines(tree);
  return lines.join("\n");
}

function configurationLines(
  tree: ConfigurationTree,
  options: FormatOptions,
): string[] {
  const { value, interfaceCount, totalLength, selfPowered, remoteWakeup } =
    tree;
  const parts = [
    plural(interfaceCount, "interface"),
    `${totalLength} bytes`,
    selfPowered ? "self powered" : "bus powered",
    ...(remoteWakeup ? ["remote wakeup"] : []),
  ];
  const name = options.strings?.[tree.string];
  return [
    `Configuration ${value}: ${parts.join(", ")}${quoted(name)}`,
    ...nodeLines(tree.descriptors, options).map(indent),
  ];
}

function blockLines(tree: FunctionBlockTree): string[] {
  const names = FLAG_NAMES.filter((_, bit) => tree.flags & 1 << bit);
  const unknown = tree.flags >>> FLAG_NAMES.length;
  if (unknown) names.push(hex((unknown << FLAG_NAMES.length) >>> 0));
  const strings = Object.fromEntries(
    tree.languages[0]?.strings.map((it, index) => [index + 1, it]) ?? [],
  );
  const lines = [
    `FunctionFS block, version ${tree.version}: ${names.join(", ")}`,
  ];
  if (tree.eventfd !== undefined) {
    lines.push(`  Event file descriptor ${tree.eventfd}`);
  }
  for (const speed of FUNCTION_SPEEDS) {
    const nodes = tree.speeds[speed];
    if (nodes === undefined) continue;
    lines.push(`  ${speed.charAt(0).toUpperCase()}${speed.slice(1)} speed`);
    // Not by a spread into a call: a block can have millions of descriptors.
    for (const line of nodeLines(nodes, { speed, strings })) {
      lines.push(indent(indent(line)));
    }
  }
  for (const line of tree.microsoftOs.flatMap(featureLines)) {
    lines.push(indent(line));
  }
  for (const { language, strings } of tree.languages) {
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
      case "interface":
        return interfaceLines(node, options);
      case "association": {
        const { firstInterface: first, interfaceCount: count } = node;
        const range = count === 1
          ? `${first}`
          : `${first} to ${first + count - 1}`;
        return [
          `Association of ${
            count === 1 ? "interface" : "interfaces"
          } ${range}: ${classText(node)}${
            quoted(options.strings?.[node.string])
          }`,
        ];
      }
      case "otg":
        return [`OTG: SRP ${yesNo(node.srp)}, HNP ${yesNo(node.hnp)}`];
      case "endpoint":
        return endpointLines(node, options);
      case "functional":
        return [functionalText(node.descriptor)];
      case "unknown":
        return [`Descriptor ${hex(node.type)}: ${bytesText(node.bytes)}`];
    }
  });
}

function interfaceLines(node: InterfaceNode, options: FormatOptions): string[] {
  const alternate = node.alternate > 0 ? ` alternate ${node.alternate}` : "";
  return [
    `Interface ${node.number}${alternate}: ${classText(node)}${
      quoted(options.strings?.[node.string])
    }`,
    ...nodeLines(node.descriptors, options).map(indent),
    ...nodeLines(node.endpoints, options).map(indent),
  ];
}

function endpointLines(
  node: EndpointNode,
  { speed }: FormatOptions,
): string[] {
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
  return [`Endpoint ${hex(node.address)}: ${parts.join(", ")}`];
}

function intervalText(
  { transferType, interval }: EndpointNode,
  speed: FunctionSpeed | undefined,
): string | undefined {
  if (transferType === "bulk" || transferType === "control") return undefined;
  const type: TransferType = transferType;
  const time = speed && decodeInterval(interval, type, speed);
  if (time === undefined) return `interval ${interval}`;
  return time % 1000 === 0 ? `every ${time / 1000} ms` : `every ${time} µs`;
}

function functionalText(descriptor: FunctionalDescriptor): string {
  switch (descriptor.kind) {
    case "hid":
      return `HID ${
        bcd(descriptor.bcdHid)
      }: report descriptor of ${descriptor.reportLength} bytes`;
    case "dfu": {
      const abilities = [
        ...(descriptor.canDownload ? ["download"] : []),
        ...(descriptor.canUpload ? ["upload"] : []),
        ...(descriptor.manifestationTolerant ? ["manifestation tolerant"] : []),
        ...(descriptor.willDetach ? ["will detach"] : []),
      ];
      return `DFU ${bcd(descriptor.bcdDfu)}: ${
        [...abilities, `${descriptor.transferSize} bytes a transfer`].join(", ")
      }`;
    }
    case "ccid":
      return `CCID ${bcd(descriptor.bcdCcid)}: ${
        plural(descriptor.maxSlotIndex + 1, "slot")
      }, messages of ${descriptor.maxMessageLength} bytes`;
    case "raw":
      return `Descriptor ${hex(descriptor.bytes[1])}: ${
        bytesText(descriptor.bytes)
      }`;
  }
}

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(PROPERTY_TYPES).map(([name, type]) => [type, name]),
);

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function featureLines(feature: OsFeatureNode): string[] {
  const ids = feature.compatibleIds.map((it) =>
    `Microsoft OS compatible ID of interface ${it.interface}: ${it.compatibleId}${
      it.subCompatibleId ? ` ${it.subCompatibleId}` : ""
    }`
  );
  const properties = feature.properties.map(({ type, name, value }) => {
    const typeName = TYPE_NAMES.get(type) ?? `type ${type}`;
    const text = type === PROPERTY_TYPES.binary || !TYPE_NAMES.has(type)
      ? bytesText(value)
      : JSON.stringify(
        decoder.decode(new Uint8Array(value)).replace(/\0$/, ""),
      );
    return `Microsoft OS property of interface ${feature.interface}: ${name} (${typeName}) ${text}`;
  });
  return [...ids, ...properties];
}

function classText(
  node: {
    readonly class: number;
    readonly subclass: number;
    readonly protocol: number;
  },
): string {
  return `${className(node.class)} (${hex(node.class)}, ${
    hex(node.subclass)
  }, ${hex(node.protocol)})`;
}

function bytesText(bytes: readonly number[]): string {
  return bytes.map((it) => it.toString(16).padStart(2, "0")).join(" ");
}

/** Binary-coded decimal: 0x0111 is 1.11. */
function bcd(version: number): string {
  return `${(version >> 8).toString(16)}.${
    (version & 0xff).toString(16).padStart(2, "0")
  }`;
}

function quoted(text: string | undefined): string {
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
