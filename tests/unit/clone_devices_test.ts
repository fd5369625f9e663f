import { assert, assertEquals } from "@std/assert";
import { type UsbFunction, usbFunction } from "@usb/gadget";
import {
  compileFunction,
  decodeFunctionBlock,
  definitionFromDevice,
  type DeviceClone,
} from "@usb/gadget/inspect";
import {
  type DumpedDescriptor,
  type DumpedDevice,
  readDeviceDumps,
} from "../support/descriptors/device_dumps.ts";

const dumps = await readDeviceDumps();
const INTERFACE = 4;
const ASSOCIATION = 11;

/** Which byte of a descriptor is the index of a string. */
const STRING_AT: Readonly<Record<number, number>> = {
  [INTERFACE]: 8,
  [ASSOCIATION]: 7,
};

Deno.test("descriptors of at least 30 real devices are known, of different classes", () => {
  assert(dumps.length >= 30, `${dumps.length}`);
  const classes = new Set(
    dumps.flatMap((it) => it.descriptors).filter((it) =>
      it.bytes[1] === INTERFACE
    ).map((it) => it.bytes[5]),
  );
  // Audio, communications, HID, camera, printer, storage, data, smart card, video, radio, DFU, vendor
  for (const code of [1, 2, 3, 6, 7, 8, 10, 11, 14, 0xe0, 0xfe, 0xff]) {
    assert(classes.has(code), `class ${code}`);
  }
});

for (const dump of dumps) {
  Deno.test(`the clone of ${dump.name} has its bytes, or says what it has in place of them`, () => {
    const clone = definitionFromDevice(dump.device);
    assertEquals(reported(clone, dump), expected(dump));
    const { functions, configurations = [] } = clone.definition;
    const compiled = [
      deviceDescriptor(clone, dump),
      ...configurations.flatMap((each, index) => [
        configurationDescriptor(clone, dump, index),
        ...joined(
          functions.filter((it) => each.functions?.includes(it.name)),
          dump,
        ),
      ]),
    ];
    const kept = dump.descriptors.filter((it) => !isLeftOut(it));
    const isOrdered = kept.every((it) =>
      !it.problems.includes("changed order")
    );
    const inOrder = (list: string[]) => isOrdered ? list : list.toSorted();
    assertEquals(
      inOrder(compiled.map(hexText)),
      inOrder(kept.map((it) => hexText(withCloneText(it, dump)))),
    );
    // The package accepts it as it is.
    for (const each of functions) usbFunction(each);
  });
}

/** The problems of a clone, by the offset of the descriptor. */
function reported({ problems }: DeviceClone, { descriptors }: DumpedDevice) {
  return descriptors.map(({ offset }) => [
    offset,
    ...problems.filter((it) => it.offset === offset)
      .map((it) => `${it.effect} ${it.rule}`),
  ]);
}

function expected({ descriptors }: DumpedDevice) {
  return descriptors.map((it) => [
    it.offset,
    ...it.problems.filter((it) => it !== WITH_SETTING),
  ]);
}

const WITH_SETTING = "with the setting";

function isLeftOut({ bytes, problems }: DumpedDescriptor): boolean {
  const [, type] = bytes;
  return problems.some((it) =>
    it === WITH_SETTING ||
    it.startsWith("left-out") && !/string|report/.test(it) && type > 2
  );
}

/** The bytes of the clone. Strings that are missing have index 0, and equal ones share an index. */
function withCloneText(
  { bytes, clone, problems }: DumpedDescriptor,
  { device: { strings } }: DumpedDevice,
): readonly number[] {
  const at = STRING_AT[bytes[1]];
  if (at === undefined || bytes[at] === 0) return clone;
  if (problems.includes("left-out string")) return clone.with(at, 0);
  return clone.with(at, indexOf(strings, strings[bytes[at]]));
}

/** The first index of a text. */
function indexOf(
  strings: DumpedDevice["device"]["strings"],
  text: unknown,
): number {
  const [index] = Object.entries(strings).find(([, it]) => it === text) ?? [];
  return Number(index);
}

/** The device descriptor that the kernel writes for a definition, but for what is not in there. */
function deviceDescriptor(
  { definition }: DeviceClone,
  { descriptors: [{ bytes }], device: { strings } }: DumpedDevice,
): number[] {
  const { vendorId, productId, deviceVersion = 0 } = definition;
  const { manufacturer, product, serialNumber } = definition;
  assertEquals(manufacturer, strings[bytes[14]]);
  assertEquals(product, strings[bytes[15]]);
  assertEquals(serialNumber, strings[bytes[16]]);
  return [
    ...bytes.slice(0, 4),
    ...[definition.class, definition.subclass, definition.protocol]
      .map((it) => it ?? 0),
    bytes[7],
    ...[vendorId, productId, deviceVersion].flatMap((it) => [
      it & 0xff,
      it >> 8,
    ]),
    ...bytes.slice(14, 17),
    definition.configurations?.length ?? 1,
  ];
}

function configurationDescriptor(
  { definition }: DeviceClone,
  { descriptors, device: { speed, strings } }: DumpedDevice,
  index: number,
): number[] {
  const configuration = definition.configurations?.[index];
  const { functions = [], maxPower = 0 } = configuration ?? {};
  const { bytes } = descriptors.filter((it) => it.bytes[1] === 2)[index];
  assertEquals(configuration?.description, strings[bytes[6]]);
  const interfaces = definition.functions
    .filter((it) => functions.includes(it.name))
    .reduce((sum, it) => sum + it.interfaces.length, 0);
  const unit = speed.startsWith("super-speed") ? 8 : 2;
  return [
    ...bytes.slice(0, 4),
    interfaces,
    index + 1,
    bytes[6],
    0x80 | (configuration?.selfPowered ? 0x40 : 0) |
    (configuration?.remoteWakeup ? 0x20 : 0),
    maxPower / unit,
  ];
}

/** The descriptors of functions as the host reads them, with the string indexes of the device. */
function joined(
  functions: readonly UsbFunction[],
  { device: { strings } }: DumpedDevice,
): number[][] {
  let interfaceOffset = 0;
  return functions.flatMap((each) => {
    const block = compileFunction(each, { interfaceOffset });
    const { languages } = decodeFunctionBlock(block.descriptors, block.strings);
    const descriptors = split(block.descriptors.subarray(16));
    for (const bytes of descriptors) {
      const at = STRING_AT[bytes[1]];
      if (at !== undefined && bytes[at] > 0) {
        bytes[at] = indexOf(strings, languages[0].strings[bytes[at] - 1]);
      }
      // The kernel adds it.
      if (bytes[1] === INTERFACE) bytes[2] += interfaceOffset;
    }
    interfaceOffset += each.interfaces.length;
    return descriptors;
  });
}

function split(bytes: Uint8Array): number[][] {
  const found: number[][] = [];
  for (let at = 0; at < bytes.length; at += bytes[at]) {
    found.push([...bytes.subarray(at, at + bytes[at])]);
  }
  return found;
}

function hexText(bytes: readonly number[]): string {
  return bytes.map((it) => it.toString(16).padStart(2, "0")).join(" ");
}
