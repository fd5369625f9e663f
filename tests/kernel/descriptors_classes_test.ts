/**
 * Everything in a definition besides interfaces and endpoints, as the host
 * reads it: over usbfs, with `lsusb -v`, and with the requests of Windows.
 *
 * @module
 */
// VM: any speed
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bulkIn,
  bulkPair,
  ccid,
  ClassCode,
  DefinitionError,
  deviceInterfaceGuid,
  dfu,
  type FunctionalDescriptor,
  type FunctionDefinition,
  Gadget,
  hid,
  interruptIn,
  textProperty,
  type UsbFunction,
  usbFunction,
  winUsb,
} from "@usb/gadget";
import {
  type DecodedConfiguration,
  decodeDescriptors,
  type InterfaceNode,
} from "@usb/gadget/inspect";
import {
  readCompatibleIds,
  readLanguages,
  readOsString,
  readProperties,
  readString,
  utf16,
} from "../support/descriptors/requests.ts";
import { testKernel } from "../support/run/kernel_version.ts";
import { lsusb } from "../support/host/lsusb.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const { maxSpeed } = gadgetSpeed();
const kernel = testKernel();
const ENGLISH = 0x0409;
const GERMAN = 0x0407;

let serial = 0;

/** Starts a gadget and opens it as host. */
async function start(...functions: UsbFunction[]) {
  const match = { ...ids, serialNumber: `classes ${++serial}` };
  const gadget = await Gadget.start({
    ...match,
    maxSpeed,
    microsoftOs: { vendorCode: 0x20 },
    functions,
  });
  try {
    await Promise.all(
      functions.map(({ name }) => gadget.functions[name].enabled()),
    );
    const device = await UsbfsDevice.find(match);
    const bytes = device.descriptors().subarray(18);
    return {
      device,
      configuration: decodeDescriptors(bytes),
      lines: await lsusb(device.info),
      async [Symbol.asyncDispose]() {
        await device.close();
        await gadget.stop();
      },
    };
  } catch (error) {
    await gadget.stop();
    throw error;
  }
}

function one(
  interfaces: FunctionDefinition["interfaces"],
  options: Partial<FunctionDefinition> = {},
): UsbFunction {
  return usbFunction({ name: "test", interfaces, ...options });
}

function interfacesOf({ descriptors }: DecodedConfiguration): InterfaceNode[] {
  return descriptors.filter((it) => it.kind === "interface");
}

/** The functional descriptors of the first interface. */
function functionalOf(it: DecodedConfiguration): FunctionalDescriptor[] {
  return interfacesOf(it)[0].descriptors.flatMap((it) =>
    it.kind === "functional" ? [it.descriptor] : []
  );
}

/**
 * Asserts that the lines occur in this order. A line may continue with the name of a number, which depends on the
 * version of lsusb.
 */
function assertLines(lines: readonly string[], ...expected: string[]): void {
  let at = 0;
  for (const each of expected) {
    const found = lines.slice(at)
      .findIndex((line) => line === each || line.startsWith(`${each} `));
    assert(found >= 0, `"${each}" is missing in\n${lines.join("\n")}`);
    at += found + 1;
  }
}

/** Two bytes of data, without report IDs. */
const REPORT = Uint8Array.from([
  ...[0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x15, 0x00, 0x26, 0xff, 0x00],
  ...[0x75, 0x08, 0x95, 0x02, 0x09, 0x01, 0x81, 0x02, 0xc0],
]);

Deno.test("the host reads a HID descriptor", async () => {
  const definition = hid({ report: REPORT, countryCode: 33 });
  await using host = await start(one([{
    class: ClassCode.HID,
    descriptors: [definition],
    endpoints: { events: interruptIn({ maxPacketSize: 8, intervalMs: 4 }) },
  }]));
  const { report: _, ...seen } = definition;
  assertEquals(functionalOf(host.configuration), [seen]);
  assertLines(
    host.lines,
    "bInterfaceClass 3",
    "HID Device Descriptor:",
    "bcdHID 1.11",
    "bCountryCode 33",
    "bDescriptorType 34",
    `wDescriptorLength ${REPORT.length}`,
  );
});

Deno.test("the host reads a DFU functional descriptor, from Linux 6.12 on", async () => {
  const definition = dfu({
    canUpload: true,
    detachTimeoutMs: 500,
    transferSize: 2048,
  });
  const update = one([{
    class: ClassCode.APPLICATION_SPECIFIC,
    subclass: 1,
    protocol: 2,
    descriptors: [definition],
  }]);
  if (kernel.major === 6 && kernel.minor < 12) {
    const error = await assertRejects(() => start(update), DefinitionError);
    assertEquals(
      error.message,
      `Cannot define function "test": interfaces[0].descriptors[0]: Linux 6.${kernel.minor} refuses DFU functional descriptors: use Linux 6.12 or later, or leave it out`,
    );
    return;
  }
  await using host = await start(update);
  assertEquals(functionalOf(host.configuration), [definition]);
  assertLines(
    host.lines,
    "bInterfaceSubClass 1",
    "Device Firmware Upgrade Interface Descriptor:",
    "bmAttributes 3",
    "Upload Supported",
    "Download Supported",
    "wDetachTimeout 500 milliseconds",
    "wTransferSize 2048 bytes",
    "bcdDFUVersion 1.10",
  );
});

Deno.test("the host reads a smart card descriptor", async () => {
  const definition = ccid({ maxSlotIndex: 1, pinSupport: 3 });
  await using host = await start(one([{
    class: ClassCode.SMART_CARD,
    descriptors: [definition],
    endpoints: { messages: bulkPair(), slots: interruptIn() },
  }]));
  assertEquals(functionalOf(host.configuration), [definition]);
  assertLines(
    host.lines,
    "bInterfaceClass 11",
    "ChipCard Interface Descriptor:",
    "bVoltageSupport 7",
    "dwDefaultClock 4000",
    "dwMaxIFSD 254",
    "dwMaxCCIDMsgLen 271",
    "bPINSupport 3",
  );
});

Deno.test("the host reads an association in the second function of a gadget", async () => {
  const first = usbFunction({
    name: "first",
    interfaces: [
      { class: 0xff, endpoints: { link: bulkPair() } },
      { class: 0xff },
    ],
  });
  const second = usbFunction({
    name: "second",
    interfaces: [
      { class: 0xff, description: "Zero" },
      { class: 0xff, subclass: 1, description: "One" },
      { class: 0xff, subclass: 2, endpoints: { data: bulkIn() } },
    ],
    associations: [{
      firstInterface: 1,
      interfaceCount: 2,
      class: 0xef,
      subclass: 5,
      description: "Both",
    }],
  });
  await using host = await start(first, second);
  const association = host.configuration.descriptors
    .find((it) => it.kind === "association");
  assert(association !== undefined);
  const { firstInterface, interfaceCount, string } = association;
  assertEquals([firstInterface, interfaceCount], [3, 2]);
  assertEquals(await readString(host.device, string, ENGLISH), "Both");
  assertEquals(
    interfacesOf(host.configuration).map((
      { number, subclass },
    ) => [number, subclass]),
    [[0, 0], [1, 0], [2, 0], [3, 1], [4, 2]],
  );
  // It directly precedes its first interface.
  const index = host.configuration.descriptors.indexOf(association);
  assertEquals(
    host.configuration.descriptors[index + 1],
    interfacesOf(host.configuration)[3],
  );
  assertLines(
    host.lines,
    "Interface Association:",
    "bFirstInterface 3",
    "bInterfaceCount 2",
    "bFunctionClass 239",
    `iFunction ${string} Both`,
    "bInterfaceNumber 3",
    "bInterfaceNumber 4",
  );
});

Deno.test("the host reads strings in two languages", async () => {
  const description = { "en-US": "Counter", "de-DE": "Zähler" };
  await using host = await start(one([
    { class: 0xff, description },
    { class: 0xff, description: "Echo 數" },
  ], { languages: ["en-US", "de-DE"] }));
  const languages = await readLanguages(host.device);
  assertEquals(languages.toSorted(), [GERMAN, ENGLISH]);
  const [counter, echo] = interfacesOf(host.configuration).map((it) =>
    it.string
  );
  const { device } = host;
  assertEquals(await readString(device, counter, ENGLISH), "Counter");
  assertEquals(await readString(device, counter, GERMAN), "Zähler");
  assertEquals(await readString(device, echo, ENGLISH), "Echo 數");
  assertEquals(await readString(device, echo, GERMAN), "Echo 數");
});

Deno.test("the host reads WinUSB compatible IDs and a DeviceInterfaceGUID", async () => {
  const GUID = "{88bae032-5a81-49f0-bc3d-a4ff138216d6}";
  const first = usbFunction({ name: "first", interfaces: [{ class: 0xff }] });
  const second = usbFunction({
    name: "second",
    interfaces: [{ class: 0xff }, { class: 0xff }],
    microsoftOs: [
      winUsb({ interface: 1 }),
      deviceInterfaceGuid(GUID, { interface: 1 }),
      textProperty("Label", "Probe", { interface: 1, type: "expand-string" }),
    ],
  });
  await using host = await start(first, second);
  const { device } = host;
  const { signature, vendorCode } = await readOsString(device);
  assertEquals([signature, vendorCode], ["MSFT100", 0x20]);
  const sections = await readCompatibleIds(device, vendorCode);
  assertEquals(sections.find((it) => it.interface === 2), {
    interface: 2,
    compatibleId: "WINUSB",
    subCompatibleId: "",
  });
  assertEquals(
    sections.filter((it) => it.compatibleId !== "").length,
    1,
  );
  const properties = await readProperties(device, vendorCode, 2);
  assertEquals(
    properties.map(({ type, name, data }) => ({
      type,
      name,
      data: utf16(data),
    })).toSorted((a, b) => a.type - b.type),
    [
      { type: 1, name: "DeviceInterfaceGUID", data: GUID },
      { type: 2, name: "Label", data: "Probe" },
    ],
  );
  assertEquals(await readProperties(device, vendorCode, 0), []);
});

Deno.test("the host sees virtual addresses that match the controller", async () => {
  await using host = await start(one([{
    class: 0xff,
    endpoints: { data: bulkIn({ address: 0x81 }) },
  }], { virtualAddresses: true }));
  assertEquals(interfacesOf(host.configuration)[0].endpoints[0].address, 0x81);
});

Deno.test("the host selects alternate settings, from Linux 6.8 on", async () => {
  await using host = await start(one([{
    class: 0xff,
    alternates: [{ subclass: 1, endpoints: { data: bulkIn() } }, {}],
  }]));
  const { device } = host;
  await device.claimInterface(0);
  for (const setting of [1, 2, 0]) {
    const selected = device.setInterface(0, setting);
    if (setting === 0 || kernel.major > 6 || kernel.minor >= 8) await selected;
    else await assertRejects(() => selected);
  }
});

Deno.test("the host sees the name and HID descriptor of an interface in its alternate settings", async () => {
  const keyboard = hid({ reportLength: 63 });
  await using host = await start(one([{
    class: ClassCode.HID,
    description: "Keys",
    descriptors: [keyboard],
    endpoints: { keys: interruptIn() },
    alternates: [{}, { description: "", descriptors: [] }],
  }]));
  const settings = interfacesOf(host.configuration);
  assertEquals(settings.map((it) => it.alternate), [0, 1, 2]);
  assertEquals(settings.map((it) => it.string === settings[0].string), [
    true,
    true,
    false,
  ]);
  assertEquals(settings[2].string, 0);
  assertEquals(
    settings.map((it) => it.descriptors.map(({ kind }) => kind)),
    [["functional"], ["functional"], []],
  );
  assertEquals(settings[1].descriptors, settings[0].descriptors);
});
