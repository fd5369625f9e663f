/**
 * The event files of a gadget on its host: a device has one for each of its
 * application collections.
 *
 * The module evdev makes them: `// VM: --modules usbhid,hid-generic,evdev`.
 *
 * @module
 */
import { exists, list, readTextFile, realPath } from "../../../ffi/file.ts";
import { pause, unlessGone } from "../../../src/testing/usbfs/sysfs.ts";
import { codeName, typeName } from "./input_codes.ts";

const CLASS = "/sys/class/input";
const POLL_MS = 10;
const TIMEOUT_MS = 180_000;

/** What an event file is, by what it can report. */
export type InputKind =
  | "keyboard"
  | "mouse"
  | "tablet"
  | "joystick"
  | "consumer control"
  | "system control";

/** Selects an event file. */
export interface InputMatch {
  readonly vendorId: number;
  readonly productId: number;
  readonly kind: InputKind;
  /** Any interface of the device matches if it is undefined. */
  readonly interfaceNumber?: number;
}

/** An event file. */
export interface InputNode {
  /** Such as `/dev/input/event3`. */
  readonly path: string;
  /** The name of the device, to which the kernel may add what it is. */
  readonly name: string;
  readonly vendorId: number;
  readonly productId: number;
  /** Undefined if it is not a USB device. */
  readonly interfaceNumber?: number;
  readonly kind?: InputKind;
  /** The types and codes that it can report or take: `"EV_REP"`, `"KEY_A"`, `"LED_CAPSL"`. */
  readonly capabilities: ReadonlySet<string>;
}

/** Lists the event files. */
export function listInputNodes(): InputNode[] {
  const names = unlessGone(() => list(CLASS)) ?? [];
  return names.map(({ name }) => name).filter((name) => /^event\d/.test(name))
    .flatMap((name) => unlessGone(() => readNode(name)) ?? []);
}

/**
 * Waits until exactly one event file matches: after a gadget was bound again,
 * the old one exists for a moment.
 */
export async function waitForInputNode(match: InputMatch): Promise<InputNode> {
  const end = performance.now() + TIMEOUT_MS;
  for (;;) {
    const all = listInputNodes();
    const nodes = all.filter((node) => matches(node, match));
    if (nodes.length === 1 && exists(nodes[0].path)) return nodes[0];
    if (performance.now() > end) {
      throw new Error(
        `Cannot find one ${match.kind} of ${
          ids(match)
        } in ${TIMEOUT_MS} ms: there is ${
          all.map(describe).join(", ") || "no input device"
        }`,
      );
    }
    await pause(POLL_MS);
  }
}

/** What a device is that has these capabilities. */
export function kindOf(
  capabilities: ReadonlySet<string>,
): InputKind | undefined {
  const has = (...codes: string[]) =>
    codes.some((code) => capabilities.has(code));
  if (has("KEY_A")) return "keyboard";
  if (has("REL_X") && has("BTN_LEFT")) return "mouse";
  if (has("BTN_TRIGGER", "BTN_SOUTH")) return "joystick";
  if (has("ABS_X") && has("BTN_LEFT", "BTN_TOUCH", "BTN_TOOL_PEN")) {
    return "tablet";
  }
  if (has("KEY_VOLUMEUP", "KEY_PLAYPAUSE")) return "consumer control";
  if (has("KEY_POWER", "KEY_SLEEP")) return "system control";
  return undefined;
}

/** Reads a bitmap as sysfs prints it: words of 64 bits, the highest first. */
export function parseBitmap(text: string): number[] {
  const words = text.trim().split(" ").reverse();
  return words.flatMap((word, index) => {
    const bits = BigInt(`0x${word}`);
    return Array.from({ length: 64 }, (_, bit) => bit)
      .filter((bit) => bits >> BigInt(bit) & 1n)
      .map((bit) => 64 * index + bit);
  });
}

function readNode(name: string): InputNode {
  const device = `${CLASS}/${name}/device`;
  const read = (file: string) => readTextFile(`${device}/${file}`);
  const capabilities = new Set<string>();
  for (const type of parseBitmap(read("capabilities/ev")).map(typeName)) {
    capabilities.add(type);
    const file = type.replace(/^EV_/, "").toLowerCase();
    // Of the others the kernel has no codes.
    if (!/^(key|rel|abs|msc|led|snd|ff|sw)$/.test(file)) continue;
    for (const code of parseBitmap(read(`capabilities/${file}`))) {
      capabilities.add(codeName(type, code));
    }
  }
  // .../1-1/1-1:1.0/0003:1209:0001.0001/input/input3/event3
  const path = realPath(`${CLASS}/${name}`);
  const usb = /\/[\d.-]+:\d+\.(\d+)\/[^:/]+:/.exec(path)?.[1];
  return {
    path: `/dev/input/${name}`,
    name: read("name"),
    vendorId: parseInt(read("id/vendor"), 16),
    productId: parseInt(read("id/product"), 16),
    ...(usb === undefined ? {} : { interfaceNumber: Number(usb) }),
    kind: kindOf(capabilities),
    capabilities,
  };
}

function matches(node: InputNode, match: InputMatch): boolean {
  return node.vendorId === match.vendorId &&
    node.productId === match.productId && node.kind === match.kind &&
    (match.interfaceNumber === undefined ||
      node.interfaceNumber === match.interfaceNumber);
}

function ids(
  { vendorId, productId }: Pick<InputNode, "vendorId" | "productId">,
) {
  return [vendorId, productId].map((id) => id.toString(16).padStart(4, "0"))
    .join(":");
}

function describe(node: InputNode): string {
  return `${node.path} "${node.name}" (${ids(node)}, ${node.kind})`;
}
