/**
 * A gadget is read as a host reads any device, and another one is made of what was read.
 *
 * @module
 */
// VM: any speed, newest kernel
import { assert, assertEquals } from "@std/assert";
import {
  bulkPair,
  ClassCode,
  Gadget,
  type GadgetDefinition,
  hid,
  interruptIn,
  type UsbFunction,
  usbFunction,
} from "@usb/gadget";
import {
  definitionFromDevice,
  type DeviceDescriptors,
  devicesInCapture,
  parseLsusb,
} from "@usb/gadget/inspect";
import { exists, readFile } from "../../ffi/file.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import { BusRecord } from "../../src/testing/usbmon/record.ts";
import { readLanguages, readString } from "../support/descriptors/requests.ts";
import { lsusb } from "../support/host/lsusb.ts";
import "../support/run/aio_libraries.ts";
import { shell } from "../support/machine/shell.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const { maxSpeed } = gadgetSpeed();
const ids = { vendorId: 0x1209, productId: 0x0001, serialNumber: "clone" };
const ENGLISH = 0x0409;
const GERMAN = 0x0407;
const GET_DESCRIPTOR = 6;
/** Of the gadget, of its configuration, and of its functions. */
const STRING_COUNT = 8;

/** Two bytes of data, without report IDs. */
const REPORT = Uint8Array.from([
  ...[0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x15, 0x00, 0x26, 0xff, 0x00],
  ...[0x75, 0x08, 0x95, 0x02, 0x09, 0x01, 0x81, 0x02, 0xc0],
]);

/** An association, alternate settings, HID, and an interface of the storage class without a driver. */
const functions: UsbFunction[] = [
  usbFunction({
    name: "modem",
    associations: [{
      firstInterface: 0,
      interfaceCount: 2,
      class: 0xff,
      subclass: 1,
      protocol: 2,
      description: { "en-US": "Modem", "de-DE": "Modem (deutsch)" },
    }],
    interfaces: [
      {
        class: 0xff,
        subclass: 1,
        protocol: 2,
        endpoints: {
          events: interruptIn({ maxPacketSize: 10, intervalMs: 4 }),
        },
      },
      {
        class: 0xff,
        subclass: 3,
        description: { "en-US": "Data", "de-DE": "Daten" },
        alternates: [{
          protocol: 7,
          endpoints: { data: bulkPair({ super: { maxBurst: 2 } }) },
        }, { description: "" }],
      },
    ],
  }),
  usbFunction({
    name: "rest",
    interfaces: [
      {
        class: ClassCode.HID,
        description: "Knobs",
        descriptors: [hid({ report: REPORT, countryCode: 33 })],
        endpoints: { keys: interruptIn({ maxPacketSize: 8, intervalMs: 10 }) },
      },
      {
        class: ClassCode.MASS_STORAGE,
        subclass: 6,
        protocol: 0xff,
        description: "Disk",
        endpoints: { link: bulkPair({ first: "out" }) },
      },
    ],
  }),
];

const original: GadgetDefinition = {
  ...ids,
  deviceVersion: 0x0219,
  class: 0xef,
  subclass: 2,
  protocol: 1,
  manufacturer: "ACME",
  product: { "en-US": "Composite", "de-DE": "Gemischt" },
  maxSpeed,
  functions,
  configurations: [{
    description: "Everything",
    maxPower: 96,
    selfPowered: true,
    remoteWakeup: true,
  }],
};

/** What a host knows of a device. */
interface Seen extends DeviceDescriptors {
  readonly languages: readonly number[];
}

/** Starts a gadget and reads it; `look` does more with it. */
async function withGadget<T>(
  definition: GadgetDefinition,
  look: (device: UsbfsDevice) => Promise<T>,
): Promise<T> {
  const gadget = await Gadget.start(definition, { name: "clone" });
  try {
    await Promise.all(
      Object.values(gadget.functions).map((it) =>
        "enabled" in it ? it.enabled() : undefined
      ),
    );
    await using device = await UsbfsDevice.find(ids);
    return await look(device);
  } finally {
    await gadget.stop();
  }
}

/** Reads a string, which need not be in all languages. */
async function textIn(
  device: UsbfsDevice,
  index: number,
  language: number,
): Promise<string | undefined> {
  try {
    return await readString(device, index, language);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return undefined;
    throw error;
  }
}

/** Reads all that a clone takes. */
async function see(device: UsbfsDevice): Promise<Seen> {
  const languages = await readLanguages(device);
  const strings: Record<number, Record<string, string>> = {};
  for (let index = 1; index <= STRING_COUNT; index++) {
    strings[index] = { "en-US": await readString(device, index, ENGLISH) };
    const german = await textIn(device, index, GERMAN);
    if (german !== undefined) strings[index]["de-DE"] = german;
  }
  const bos = `${device.info.sysfsPath}/bos_descriptors`;
  return {
    descriptors: device.descriptors(),
    speed: maxSpeed,
    strings,
    languages,
    reports: { 2: REPORT },
    ...(exists(bos) ? { bos: readFile(bos) } : {}),
  };
}

Deno.test("a clone has the descriptors and the strings of its original, byte by byte", async () => {
  const { languages, ...device } = await withGadget(original, see);
  const { definition, problems } = definitionFromDevice(device);
  assertEquals(problems.filter((it) => it.rule !== "bos"), []);
  assertEquals(
    definition.functions.map((it) => it.name),
    ["interfaces0-1", "interface2", "interface3"],
  );
  const { languages: clonesLanguages, ...clone } = await withGadget(
    definition,
    see,
  );
  assertEquals(clone, device);
  assertEquals(clonesLanguages, languages);
});

Deno.test("the clone of what lsusb prints has the same descriptors", async () => {
  const [original_, printed] = await withGadget(
    original,
    async (device) =>
      [device.descriptors(), (await lsusb(device.info)).join("\n")] as const,
  );
  const [{ device, incomplete, title }] = parseLsusb(printed);
  assert(title.includes("1209:0001"), title);
  assertEquals(device.descriptors, original_);
  // The bytes per interval of the two interrupt endpoints
  assertEquals(incomplete.length, maxSpeed === "super-speed" ? 2 : 0);
  const { definition } = definitionFromDevice({ ...device, speed: maxSpeed });
  const clone = await withGadget(
    definition,
    (it) => Promise.resolve(it.descriptors()),
  );
  assertEquals(clone, original_);
});

Deno.test("a capture of what a host reads has the descriptors, the strings and the report descriptor", async () => {
  await shell("modprobe usbmon");
  const [file, device, name] = await withGadget(original, async (it) => {
    const { address, busNumber } = it.info;
    const addresses = new Set([address]);
    const record = { busNumber, addresses, names: new Map<number, string>() };
    await using bus = new BusRecord(record);
    const read = (
      value: number,
      length: number,
      requestType = 0x80,
      index = 0,
    ) =>
      it.controlIn({
        requestType,
        request: GET_DESCRIPTOR,
        value,
        index,
        length,
      });
    await read(0x0100, 18);
    await read(0x0200, 9);
    await read(0x0200, 4096);
    await read(0x2200, REPORT.length, 0x81, 2);
    const seen = await see(it);
    await bus.stop();
    return [bus.toPcapng(), seen, { bus: busNumber, address }] as const;
  });
  const [captured, ...others] = devicesInCapture(file);
  assertEquals(others, []);
  assertEquals({ bus: captured.bus, address: captured.address }, name);
  assertEquals(captured.device.descriptors, device.descriptors);
  // A text that is in English only has no language.
  const strings = Object.entries(device.strings ?? {}).map(([index, text]) => [
    index,
    typeof text === "object" && !("de-DE" in text) ? text["en-US"] : text,
  ]);
  assertEquals(captured.device.strings, Object.fromEntries(strings));
  assertEquals(captured.device.reports, { 2: REPORT });
});
