/**
 * A host sees what a definition says.
 *
 * @module
 */
// VM: any speed, any architecture
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { Gadget, kernelFunction } from "@usb/gadget";
import {
  readLanguages,
  readOsString,
  readString,
} from "../support/descriptors/requests.ts";
import { testKernel } from "../support/run/kernel_version.ts";
import { link } from "../support/gadgets/link_function.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";

const { maxSpeed, sysfsSpeed } = gadgetSpeed();
const ids = { vendorId: 0x1209, productId: 0x0007 };
const ENGLISH = 0x0409;
const JAPANESE = 0x0411;
const { major, minor } = testKernel();
const hasWebUsb = major > 6 || minor >= 3;

const GET_DESCRIPTOR = 6;
const BOS = 15;
/** WebUSB GET_URL. */
const GET_URL = 2;

Deno.test("the host sees identity, strings and configurations as they were defined", async () => {
  await using gadget = await Gadget.start({
    ...ids,
    deviceVersion: 0x0342,
    class: 0xef,
    subclass: 0x02,
    protocol: 0x01,
    manufacturer: "ä".repeat(63),
    product: { "en-US": "Keys", "ja-JP": "鍵" },
    serialNumber: "S-1",
    maxPower: 200,
    remoteWakeup: true,
    maxSpeed,
    functions: [link("one"), kernelFunction("acm"), link("two")],
    configurations: [
      { description: { "en-US": "All", "ja-JP": "全部" } },
      {
        description: "Turned round",
        functions: ["two", "acm"],
        selfPowered: true,
        remoteWakeup: false,
        maxPower: 100,
      },
    ],
  });
  await gadget.functions.one.enabled();
  await using host = await UsbfsDevice.find({ ...ids, serialNumber: "S-1" });
  assertEquals(host.info.speed, sysfsSpeed);
  const bytes = host.descriptors();
  // bDeviceClass, bDeviceSubClass, bDeviceProtocol; bcdDevice.
  assertEquals([...bytes.subarray(4, 7)], [0xef, 2, 1]);
  assertEquals([...bytes.subarray(12, 14)], [0x42, 0x03]);
  const [manufacturer, product, serialNumber] = bytes.subarray(14, 17);
  assertEquals(await readLanguages(host), [ENGLISH, JAPANESE]);
  const text = (index: number, language = ENGLISH) =>
    readString(host, index, language);
  assertEquals(await text(manufacturer), "ä".repeat(63));
  assertEquals(await text(product), "Keys");
  assertEquals(await text(product, JAPANESE), "鍵");
  assertEquals(await text(serialNumber, JAPANESE), "S-1");

  // The classes of the interfaces, in their order.
  const configurations = splitConfigurations(bytes.subarray(18));
  const unit = maxSpeed === "super-speed" ? 8 : 2;
  assertEquals(
    configurations.map((it) => ({
      value: it[5],
      attributes: it[7].toString(16),
      maxPower: it[8] * unit,
      interfaces: interfaceClasses(it),
    })),
    [
      {
        value: 1,
        attributes: "a0",
        maxPower: 200,
        interfaces: ["ff", "02", "0a", "ff"],
      },
      {
        value: 2,
        attributes: "c0",
        maxPower: maxSpeed === "super-speed" ? 96 : 100,
        interfaces: ["ff", "02", "0a"],
      },
    ],
  );
  assertEquals(await text(configurations[0][6]), "All");
  assertEquals(await text(configurations[0][6], JAPANESE), "全部");
  assertEquals(await text(configurations[1][6]), "Turned round");
});

Deno.test("the host reads Microsoft's signature and WebUSB's page", async () => {
  await using gadget = await Gadget.start({
    ...ids,
    maxSpeed,
    functions: [link("one")],
    microsoftOs: { vendorCode: 0x31, signature: "MSFT100" },
    ...(hasWebUsb
      ? {
        webUsb: {
          vendorCode: 0x32,
          landingPage: "https://example.com/a?b=c",
        },
      }
      : {}),
  });
  await gadget.functions.one.enabled();
  await using host = await UsbfsDevice.find(ids);
  // Chromium asks for the page from 2.10 on.
  const [, , low, high] = host.descriptors();
  assert((high << 8 | low) >= 0x0210);
  assertEquals(await readOsString(host), {
    signature: "MSFT100",
    vendorCode: 0x31,
  });
  if (!hasWebUsb) return;
  const bos = await host.controlIn({
    requestType: 0x80,
    request: GET_DESCRIPTOR,
    value: BOS << 8,
    index: 0,
    length: 255,
  });
  // bcdVersion 1.00, bVendorCode, iLandingPage 1
  const capability = findWebUsbCapability(bos);
  assertEquals(capability, [0x00, 0x01, 0x32, 1]);
  const url = await host.controlIn({
    requestType: 0xc0,
    request: 0x32,
    value: 1,
    index: GET_URL,
    length: 255,
  });
  const [length, type, scheme] = url;
  assertEquals([length, type, scheme], [url.length, 3, 1]); // https
  assertEquals(
    new TextDecoder().decode(url.subarray(3)),
    "example.com/a?b=c",
  );
});

/** Cuts at each wTotalLength. */
function splitConfigurations(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at + 2] | bytes[at + 3] << 8;
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

function interfaceClasses(configuration: Uint8Array): string[] {
  const INTERFACE = 4;
  const classes: string[] = [];
  for (let at = 0; at < configuration.length; at += configuration[at]) {
    const [, type, , alternateSetting, , code] = configuration.subarray(at);
    if (type !== INTERFACE || alternateSetting !== 0) continue;
    classes.push(code.toString(16).padStart(2, "0"));
  }
  return classes;
}

/** What follows the UUID 3408b638-09a9-47a0-8bfd-a0768815b665. */
function findWebUsbCapability(bos: Uint8Array): number[] {
  const UUID = "38b60834a909a0478bfda0768815b665";
  for (let at = 5; at < bos.length; at += bos[at]) {
    const uuid = bos.subarray(at + 4, at + 20).toHex();
    if (uuid === UUID) return [...bos.subarray(at + 20, at + 24)];
  }
  throw new Error(`Cannot find WebUSB in ${bos.toHex()}`);
}
