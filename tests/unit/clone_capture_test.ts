import { assertEquals, assertThrows } from "@std/assert";
import { devicesInCapture } from "@usb/gadget/inspect";
import { encodePcapng } from "../../src/testing/usbmon/pcapng.ts";

const DEVICE = [18, 1, 0, 2, 0, 0, 0, 8, 9, 0x12, 1, 0, 0, 1, 1, 0, 0, 1];
const CONFIGURATION = [
  ...[9, 2, 34, 0, 1, 1, 0, 0xa0, 50],
  ...[9, 4, 0, 0, 1, 3, 1, 1, 0],
  ...[9, 0x21, 0x11, 1, 0, 1, 0x22, 4, 0],
  ...[7, 5, 0x81, 3, 8, 0, 10],
];

let nextId = 1;

/** The records of a request and its answer, as usbmon has them. */
function exchange(
  address: number,
  setup: readonly number[],
  data: readonly number[],
  headerSize = 64,
): Uint8Array[] {
  const id = nextId++;
  const header = (type: string, more: readonly number[]) => {
    const bytes = new Uint8Array(headerSize);
    bytes[0] = id;
    bytes[8] = type.charCodeAt(0);
    bytes.set([2, 0x80, address, 3, 0], 9);
    bytes.set(more, 14);
    return bytes;
  };
  const submission = header("S", [0, "<".charCodeAt(0)]);
  submission.set(setup, 40);
  const completion = header("C", ["-".charCodeAt(0), 0]);
  return [submission, Uint8Array.of(...completion, ...data)];
}

const get = (type: number, index: number, language = 0, length = 255) => [
  ...[0x80, 6, index, type],
  ...[language & 0xff, language >> 8, length, 0],
];

const PACKETS = [
  // Before it has an address
  ...exchange(0, get(1, 0), DEVICE.slice(0, 8)),
  ...exchange(5, get(1, 0), DEVICE),
  ...exchange(5, get(2, 0), CONFIGURATION.slice(0, 9)),
  ...exchange(5, get(2, 0), CONFIGURATION),
  ...exchange(5, get(3, 0), [4, 3, 9, 4]),
  ...exchange(5, get(3, 1, 0x0409), [6, 3, 0x48, 0, 0x69, 0]),
  ...exchange(5, [0x81, 6, 0, 0x22, 0, 0, 4, 0], [5, 1, 9, 6]),
  // A class request of the same number
  ...exchange(5, [0xa1, 6, 0, 1, 0, 0, 18, 0], [18, 1, 2, 3]),
  // Another one, of which too little was read
  ...exchange(6, get(1, 0), DEVICE),
  ...exchange(6, get(2, 0), CONFIGURATION.slice(0, 9)),
];

function file(packets: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return encodePcapng(
    packets.map((bytes) => ({ bytes, fullSize: bytes.length, time: 0 })),
  );
}

const EXPECTED = [{
  bus: 3,
  address: 5,
  device: {
    descriptors: Uint8Array.of(...DEVICE, ...CONFIGURATION),
    strings: { 1: "Hi" },
    reports: { 0: Uint8Array.of(5, 1, 9, 6) },
  },
}];

Deno.test("a capture has the descriptors, strings and report descriptors of each device", () => {
  assertEquals(devicesInCapture(file(PACKETS)), EXPECTED);
});

Deno.test("captures of either byte order, with other blocks, are read", () => {
  const [, ...blocks] = split(file(PACKETS));
  // A section with options, an unknown block, and a packet of an interface that is not USB
  const other = bigEndian([
    [0x0a0d_0d0a, 0x1a2b_3c4d, 0x0001_0000, 0xffff_ffff, 0xffff_ffff],
    [0x0000_0001, 0x0001_0000, 0],
    [0x0000_0001, 0x00dc_0000, 0],
    [0x0000_0005, 0, 0],
    [0x0000_0006, 0, 0, 0, 4, 4, 0x1234_5678],
  ]);
  const packets = blocks.slice(1).map((block) => {
    const view = new DataView(block.buffer, block.byteOffset);
    const size = view.getUint32(20, true);
    const words = [6, 1, 0, 0, size, size];
    return packetBlock(words, block.subarray(28, 28 + size));
  });
  const bytes = Uint8Array.of(
    ...other,
    ...packets.flatMap((it) => [...it]),
  );
  assertEquals(devicesInCapture(bytes), EXPECTED);
});

Deno.test("a capture of link type 189 has shorter headers", () => {
  const packets = [
    ...exchange(5, get(1, 0), DEVICE, 48),
    ...exchange(5, get(2, 0), CONFIGURATION, 48),
  ];
  const bytes = file(packets);
  // The interface block follows the section, which has 28 bytes.
  new DataView(bytes.buffer).setUint16(28 + 8, 189, true);
  const [{ device }] = devicesInCapture(bytes);
  assertEquals(device.descriptors, EXPECTED[0].device.descriptors);
});

Deno.test("a file that is no capture, or is cut off, is refused", () => {
  const whole = file(PACKETS);
  assertThrows(
    () => devicesInCapture(new Uint8Array()),
    RangeError,
    "the pcapng block at byte 0 is missing",
  );
  assertThrows(
    () => devicesInCapture(new TextEncoder().encode("not a capture at all")),
    RangeError,
    "the pcapng block at byte 0 is not the head of a section",
  );
  assertThrows(
    () => devicesInCapture(whole.subarray(0, whole.length - 3)),
    RangeError,
    "is cut off",
  );
  assertThrows(
    () => devicesInCapture(whole.with(32, 0xff)),
    RangeError,
    "says that it has",
  );
});

function split(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = view.getUint32(at + 4, true);
    found.push(bytes.subarray(at, at + length));
    at += length;
  }
  return found;
}

/** Blocks of 32-bit words; their lengths are added. */
function bigEndian(blocks: readonly (readonly number[])[]): number[] {
  return blocks.flatMap(([type, ...words]) => {
    const length = 12 + 4 * words.length;
    return [type, length, ...words, length].flatMap((word) => [
      ...[word >>> 24, word >>> 16 & 0xff, word >>> 8 & 0xff, word & 0xff],
    ]);
  });
}

function packetBlock(words: readonly number[], data: Uint8Array): number[] {
  const padded = Math.ceil(data.length / 4) * 4;
  const body = new Uint8Array(padded);
  body.set(data);
  const view = new DataView(body.buffer);
  const dataWords = Array.from(
    { length: padded / 4 },
    (_, index) => view.getUint32(4 * index),
  );
  return bigEndian([[...words, ...dataWords]]);
}
