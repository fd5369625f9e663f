import { assertEquals, assertThrows } from "@std/assert";
import { parseLsusb } from "@usb/gadget/inspect";

const DEVICE = `
Bus 003 Device 007: ID 1209:0001 Generic Example
Negotiated speed: Full Speed (12Mbps)
Device Descriptor:
  bLength                18
  bDescriptorType         1
  bcdUSB               2.00
  bDeviceClass          239 Miscellaneous Device
  bDeviceSubClass         2 [unknown]
  bDeviceProtocol         1 Interface Association
  bMaxPacketSize0        64
  idVendor           0x1209 Generic
  idProduct          0x0001 Example
  bcdDevice           12.1a
  iManufacturer           1 ACME (Anvils)
  iProduct                2 (error)
  iSerial                 0
  bNumConfigurations      1`;

const DEVICE_BYTES = "120100 02ef0201 40091201001a1201020001".replaceAll(
  " ",
  "",
);

function configuration(total: number, ...parts: string[]): string {
  return [
    DEVICE,
    "Configuration Descriptor:",
    "bLength 9",
    "bDescriptorType 2",
    `wTotalLength 0x00${total.toString(16).padStart(2, "0")}`,
    "bNumInterfaces 1",
    "bConfigurationValue 1",
    "iConfiguration 0",
    "bmAttributes 0xe0",
    "  Self Powered",
    "  Remote Wakeup",
    "MaxPower 98mA",
    ...parts,
  ].join("\n");
}

function setting(code: string, subclass = 0, endpoints = 0): string {
  return `Interface Descriptor:
    bLength 9
    bDescriptorType 4
    bInterfaceNumber 0
    bAlternateSetting 0
    bNumEndpoints ${endpoints}
    bInterfaceClass ${code}
    bInterfaceSubClass ${subclass}
    bInterfaceProtocol 0
    iInterface 5 Probe`;
}

/** The bytes behind the device, the configuration and the interface. */
function bytesBehind(text: string): string {
  const [{ device: { descriptors }, incomplete }] = parseLsusb(text);
  assertEquals(incomplete, []);
  return descriptors.subarray(36).toHex();
}

Deno.test("device, configuration and interface are read with their strings, with or without indentation", () => {
  const [{ title, device }] = parseLsusb(configuration(18, setting("255")));
  assertEquals(title, "Bus 003 Device 007: ID 1209:0001 Generic Example");
  assertEquals(device.speed, "full-speed");
  assertEquals(device.strings, { 1: "ACME (Anvils)", 5: "Probe" });
  assertEquals(
    device.descriptors.toHex(),
    DEVICE_BYTES + "0902120001" + "0100e031" + "090400000" + "0ff000005",
  );
});

Deno.test("class descriptors of HID, DFU and card readers are read", () => {
  const hid = `HID Device Descriptor:
    bLength 9
    bDescriptorType 33
    bcdHID 1.11
    bCountryCode 33 US
    bNumDescriptors 1
    bDescriptorType 34 Report
    wDescriptorLength 273
    Report Descriptors:
      ** UNAVAILABLE **`;
  assertEquals(
    bytesBehind(configuration(27, setting("3 HID"), hid)),
    "092111012101221101",
  );
  const dfu = `Device Firmware Upgrade Interface Descriptor:
    bLength 9
    bDescriptorType 33
    bmAttributes 11
      Will Detach
    wDetachTimeout 255 milliseconds
    wTransferSize 2048 bytes
    bcdDFUVersion 1.1a`;
  assertEquals(
    bytesBehind(configuration(27, setting("254", 1), dfu)),
    "09210bff0000081a01",
  );
  const ccid = `ChipCard Interface Descriptor:
    bLength 54
    bDescriptorType 33
    bcdCCID 1.10  (Warning: Only accurate for version 1.0)
    nMaxSlotIndex 0
    bVoltageSupport 7 5.0V 3.0V 1.8V
    dwProtocols 3 T=0 T=1
    dwDefaultClock 4800
    dwMaxiumumClock 48000000
    bNumClockSupported 0
    dwDataRate 12903 bps
    dwMaxDataRate 825807 bps
    bNumDataRatesSupp. 53
    dwMaxIFSD 254
    dwSyncProtocols 00000000
    dwMechanical 00000000
    dwFeatures 000404BA
      Auto voltage selection
    dwMaxCCIDMsgLen 520
    bClassGetResponse echo
    bClassEnvelope a0
    wlcdLayout none
    bPINSupport 0
    bMaxCCIDBusySlots 1`;
  assertEquals(
    bytesBehind(configuration(72, setting("11"), ccid)),
    "36211001000703000000c0120000006cdc020067320000cf990c0035fe000000" +
      "0000000000000000ba04040008020000ffa00000" + "0001",
  );
});

Deno.test("functional descriptors of CDC, which lsusb prints without lengths, and unknown ones are read", () => {
  const cdc = `CDC Header:
    bcdCDC 1.10
    CDC Union:
    bMasterInterface 0
    bSlaveInterface 1
    CDC Ethernet:
    iMacAddress 3 (??)
    bmEthernetStatistics 0x0031500f
    wMaxSegmentSize 1518
    wNumberMCFilters 0x8000
    bNumberPowerFilters 0
    ** UNRECOGNIZED:  05 24 7f 01 02`;
  assertEquals(
    bytesBehind(configuration(46, setting("2", 6), cdc)),
    "0524001001" + "0524060001" + "0d240f030f503100ee05008000" + "05247f0102",
  );
});

Deno.test("endpoints are read with their companions, whose bytes per interval are assumed", () => {
  const text = configuration(
    44,
    setting("255", 0, 2),
    `Endpoint Descriptor:
      bLength 7
      bDescriptorType 5
      bEndpointAddress 0x81 EP 1 IN
      bmAttributes 2
        Transfer Type Bulk
      wMaxPacketSize 0x0400 1x 1024 bytes
      bInterval 0
      bMaxBurst 15
      MaxStreams 16
    Endpoint Descriptor:
      bLength 7
      bDescriptorType 5
      bEndpointAddress 0x82 EP 2 IN
      bmAttributes 3
      wMaxPacketSize 0x0010 1x 16 bytes
      bInterval 8
      bMaxBurst 0`,
  ).replace("bcdUSB               2.00", "bcdUSB 3.20")
    .replace("MaxPower 98mA", "MaxPower 896mA")
    .replace("Full Speed (12Mbps)", "SuperSpeed (5Gbps)");
  const [{ device, incomplete }] = parseLsusb(text);
  assertEquals(device.speed, "super-speed");
  assertEquals(device.descriptors[18 + 8], 112);
  assertEquals(
    device.descriptors.subarray(36).toHex(),
    "07058102000400" + "06300f040000" + "07058203100008" + "063000001000",
  );
  assertEquals(incomplete.length, 1);
});

Deno.test("BOS is kept apart; hubs, qualifiers and statuses are left out", () => {
  const [{ device, incomplete }] = parseLsusb(configuration(
    18,
    setting("255"),
    `Hub Descriptor:
      bLength 9
      bDescriptorType 41
      nNbrPorts 4
    Device Qualifier (for other device speed):
      bLength 10
      bDescriptorType 6
      bcdUSB 2.00
    Binary Object Store Descriptor:
      bLength 5
      bDescriptorType 15
      wTotalLength 0x0016
      bNumDeviceCaps 2
      USB 2.0 Extension Device Capability:
        bLength 7
        bDescriptorType 16
        bDevCapabilityType 2
        bmAttributes 0x00000006
      SuperSpeed USB Device Capability:
        bLength 10
        bDescriptorType 16
        bDevCapabilityType 3
        bmAttributes 0x00
        wSpeedsSupported 0x000e
        bFunctionalitySupport 1
        bU1DevExitLat 10 micro seconds
        bU2DevExitLat 2047 micro seconds
    Device Status:     0x0001
      Self Powered`,
  ));
  assertEquals(incomplete, []);
  assertEquals(device.descriptors.length, 36);
  assertEquals(
    device.bos?.toHex(),
    "050f160002" + "07100206000000" + "0a1003000e00010aff07",
  );
});

Deno.test("what the text lacks is named, and filled with zeros", () => {
  const [{ device, incomplete }] = parseLsusb(configuration(
    40,
    setting("1", 2),
    "AudioStreaming Interface Descriptor:\nbLength 7\nbDescriptorType 36\nbDescriptorSubtype 1 (AS_GENERAL)",
  ));
  assertEquals(device.descriptors.subarray(36).toHex(), "07240100000000");
  assertEquals(incomplete, [
    "Descriptor 0x24 at byte 36 has 7 bytes, and the text shows 3",
    "The configuration at byte 18 has 40 bytes, and the text shows 25",
  ]);
});

Deno.test("each device of a text is found, other text has none", () => {
  const two = parseLsusb(`${DEVICE}\n${DEVICE.replace("007", "008")}`);
  assertEquals(two.map((it) => it.title.slice(8, 18)), [
    "Device 007",
    "Device 008",
  ]);
  assertEquals(parseLsusb("usage: lsusb"), []);
  assertThrows(() => parseLsusb(1 as never), TypeError, "must be a string");
});
