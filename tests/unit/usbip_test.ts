/**
 * USB/IP before the kernel has a connection: messages, addresses, and what is
 * refused without a network.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals, assertThrows } from "@std/assert";
import type { Gadget } from "@usb/gadget";
import { shareOverNetwork } from "@usb/gadget/usbip";
import { parseAddress } from "../../src/usbip/socket.ts";
import {
  decodeBusId,
  decodeRequest,
  encodeImport,
  encodeList,
  Status,
} from "../../src/usbip/protocol.ts";

const device = {
  busId: "usbip-vudc.0",
  number: 2,
  speed: "high-speed",
  descriptor: Uint8Array.fromHex("12010002ef0201400912010002010102030" + "1"),
};

Deno.test("a list has 312 bytes for each device, as clients read it", () => {
  assertEquals(encodeList([]).toHex(), "0111000500000000" + "00000000");
  const list = encodeList([device, { ...device, speed: "full-speed" }]);
  assertEquals(list.length, 12 + 2 * 312);
  assertEquals(list.subarray(0, 12).toHex(), "0111000500000000" + "00000002");
  const [first, second] = [12, 12 + 312].map((at) =>
    list.subarray(at, at + 312)
  );
  assertEquals(decodeBusId(first), "/sys/class/udc/usbip-vudc.0");
  assertEquals(decodeBusId(first.subarray(256)), "usbip-vudc.0");
  assertEquals(
    first.subarray(288).toHex(),
    // bus, device, speed; vendor, product, release; class; 1 configuration
    "00000001" + "00000002" + "00000003" + "1209" + "0001" + "0102" +
      "ef0201" + "00" + "01" + "00",
  );
  assertEquals(second.subarray(296, 300).toHex(), "00000002");
});

Deno.test("an import is answered with the device, or a status", () => {
  const answer = encodeImport(device);
  assertEquals(answer.length, 8 + 312);
  assertEquals(answer.subarray(0, 8).toHex(), "0111000300000000");
  assertEquals(encodeImport(Status.BUSY).toHex(), "0111000300000002");
});

Deno.test("a request of another version is none", () => {
  const request = (hex: string) => decodeRequest(Uint8Array.fromHex(hex));
  assertEquals(request("0111800500000000"), 0x8005);
  assertEquals(request("0106800500000000"), undefined);
});

Deno.test("addresses are IPv4 and IPv6, and names are none", () => {
  const hex = (text: string) => {
    const bytes = parseAddress(text);
    return bytes && Uint8Array.from(bytes).toHex();
  };
  assertEquals(hex("127.0.0.1"), "7f000001");
  assertEquals(hex("::1"), "00".repeat(15) + "01");
  assertEquals(hex("::"), "00".repeat(16));
  assertEquals(hex("2001:db8::7"), "20010db8" + "00".repeat(11) + "07");
  assertEquals(hex("::ffff:192.0.2.1"), "00".repeat(10) + "ffffc0000201");
  assertEquals(
    hex("1:2:3:4:5:6:7:8"),
    "00010002000300040005000600070008",
  );
  for (const text of ["localhost", "1.2.3.256", "1.2.3", "", ":::", "x::1"]) {
    assertEquals(hex(text), undefined, text);
  }
});

Deno.test("shareOverNetwork() refuses what would share with everyone, or nothing", () => {
  for (const address of ["0.0.0.0", "::"]) {
    assertThrows(
      () => shareOverNetwork([], { address }),
      TypeError,
      `Cannot share gadgets: "${address}" stands for all addresses of this machine, and USB/IP has no password: give one address, or allAddresses: true`,
    );
  }
  assertThrows(
    () => shareOverNetwork([], { address: "localhost" }),
    TypeError,
    '"address" must be an IP address, is "localhost"',
  );
  const udc = { name: "dummy_udc.0", controllerDriver: "dummy_udc" };
  assertThrows(
    () => shareOverNetwork([{ name: "x", udc } as Gadget]),
    TypeError,
    'Cannot share gadgets: "dummy_udc.0" is no controller for USB/IP: load the kernel\'s module usbip-vudc, and start the gadget with { udc: "usbip-vudc.0" }',
  );
});

Deno.test("shareOverNetwork() refuses arguments of another type", () => {
  // deno-lint-ignore no-explicit-any -- the types are wrong on purpose
  const share = shareOverNetwork as any;
  const wrong: [unknown[], string][] = [
    [["usbip-vudc.0"], "the devices must be an array"],
    [[[1]], "the devices must be an array of gadgets or names of controllers"],
    [[[], { port: 65536 }], '"port" must be an integer from 0 to 65535'],
    [[[], { port: "3240" }], '"port" must be an integer'],
    [[[], { adress: "::1" }], 'there is no option "adress"'],
    [[[], { authenticate: true }], '"authenticate" must be a function'],
    [[[], { allAddresses: 1 }], '"allAddresses" must be'],
  ];
  for (const [args, message] of wrong) {
    assertThrows(() => share(...args), TypeError, message);
  }
  assertThrows(
    () => shareOverNetwork(["nowhere.0"]),
    Deno.errors.NotFound,
    "there is no such controller",
  );
});

Deno.test("a free port is chosen, and one that is taken is refused", async () => {
  await using shared = shareOverNetwork([], { port: 0 });
  const { address, port } = shared;
  assertEquals(address, "127.0.0.1");
  assertThrows(
    () => shareOverNetwork([], { port }),
    Deno.errors.AddrInUse,
    `listen at 127.0.0.1, port ${port}`,
  );
  await shared.close();
});
