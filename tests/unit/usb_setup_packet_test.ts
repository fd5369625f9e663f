import { decodeSetup, encodeSetup } from "@usb/gadget/inspect";
import { assertEquals, assertThrows } from "@std/assert";

Deno.test("decodeSetup() takes bmRequestType apart", () => {
  const types = ["standard", "class", "vendor", "reserved"];
  const recipients = ["device", "interface", "endpoint", "other", "reserved"];
  for (let requestType = 0; requestType < 256; requestType++) {
    const packet = decodeSetup(
      new Uint8Array([requestType, 0, 0, 0, 0, 0, 0, 0]),
    );
    assertEquals(packet.direction, requestType >= 128 ? "in" : "out");
    assertEquals(packet.type, types[(requestType & 0x60) >> 5]);
    assertEquals(
      packet.recipient,
      recipients[Math.min(requestType & 0x1f, 4)],
    );
  }
});

Deno.test("decodeSetup() reads little-endian fields and ignores what follows", () => {
  const bytes = new Uint8Array([
    0x41,
    9,
    0x34,
    0x12,
    0x78,
    0x56,
    0xff,
    0xff,
    4,
  ]);
  assertEquals(decodeSetup(bytes), {
    direction: "out",
    type: "vendor",
    recipient: "interface",
    requestType: 0x41,
    request: 9,
    value: 0x1234,
    index: 0x5678,
    length: 0xffff,
  });
});

Deno.test("decodeSetup() throws when bytes are missing", () => {
  assertThrows(
    () => decodeSetup(new Uint8Array(7)),
    RangeError,
    "Cannot decode setup packet: 7 of 8 bytes given",
  );
});

Deno.test("encodeSetup() gives back what decodeSetup() read", () => {
  for (let i = 0; i < 256; i++) {
    const bytes = new Uint8Array([i, 255 - i, i, 1, 2, i, i ^ 0x55, 3]);
    assertEquals(encodeSetup(decodeSetup(bytes)), bytes);
  }
});

Deno.test("encodeSetup() fills in a standard request to the device", () => {
  assertEquals(
    encodeSetup({ request: 6, direction: "in", value: 0x0100, length: 18 }),
    new Uint8Array([0x80, 6, 0, 1, 0, 0, 18, 0]),
  );
});

Deno.test("encodeSetup() throws when a number does not fit", () => {
  assertThrows(
    () => encodeSetup({ request: 256 }),
    RangeError,
    "Cannot encode setup packet: request is 256, give a whole number from 0 to 255",
  );
  assertThrows(
    () => encodeSetup({ request: 1, length: 65536 }),
    RangeError,
    "Cannot encode setup packet: length is 65536, give a whole number from 0 to 65535",
  );
});
