/**
 * Datasets: what is written is read, and what is cut off is refused.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  DataType,
  ObjectFormat,
} from "../../src/classes/mtp/protocol/codes.ts";
import {
  DatasetReader,
  DatasetWriter,
  MAX_STRING,
  type Value,
} from "../../src/classes/mtp/protocol/dataset.ts";
import { decodeDate, encodeDate } from "../../src/classes/mtp/protocol/date.ts";
import { formatOf, FORMATS } from "../../src/classes/mtp/protocol/formats.ts";
import {
  decodeObjectInfo,
  encodeObjectInfo,
  type ObjectInfo,
} from "../../src/classes/mtp/protocol/object_info.ts";
import {
  ResponseError,
  responseTo,
} from "../../src/classes/mtp/protocol/response.ts";
import { LongDataset } from "../../src/classes/mtp/responder/long_dataset.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";

const {
  INT8,
  UINT8,
  INT16,
  UINT16,
  INT32,
  UINT32,
  INT64,
  UINT64,
  INT128,
  UINT128,
  AUINT8,
  AUINT16,
  AUINT32,
  STR,
} = DataType;

const NUMBERS = [INT8, UINT8, INT16, UINT16, INT32, UINT32];
const BIG_NUMBERS = [INT64, UINT64, INT128, UINT128];
const ARRAYS = [AUINT8, AUINT16, AUINT32];

/** Bits of a number. */
function bitsOf(type: number): number {
  return 8 << ((type - 1) >> 1);
}

function randomValue(random: Random, type: number): Value {
  if (type === STR) {
    const length = random.chance(0.2) ? MAX_STRING : random.int(0, 20);
    const units = Array.from({ length }, () => random.int(1, 0xffff));
    return String.fromCharCode(...units);
  }
  if (ARRAYS.includes(type as never)) {
    const length = random.chance(0.1) ? 200 : random.int(0, 5);
    const element = type & 0xfff;
    return Array.from(
      { length },
      () => Number(randomValue(random, element)),
    );
  }
  const bits = bitsOf(type);
  let value = 0n;
  for (let at = 0; at < bits; at += 8) {
    value = value << 8n | BigInt(random.pick([0, 1, 0x7f, 0x80, 0xff]));
  }
  const number = type % 2 === 1 ? BigInt.asIntN(bits, value) : value;
  return bits > 32 ? number : Number(number);
}

/** Checks that no beginning of a dataset is read as a whole one. */
function assertPrefixesFail(
  bytes: Uint8Array,
  read: (bytes: Uint8Array) => unknown,
): void {
  for (let length = 0; length < bytes.byteLength; length++) {
    const error = assertThrows(() => read(bytes.slice(0, length)));
    assert(error instanceof ResponseError);
    assertEquals(error.response, "Invalid_Dataset");
  }
}

Deno.test("What is written is read, and no part of it is read as all of it", () => {
  const seed = testSeed();
  const random = new Random(seed);
  const types = [...NUMBERS, ...BIG_NUMBERS, ...ARRAYS, STR];
  for (let round = 0; round < 200; round++) {
    const fields = Array.from({ length: random.int(1, 8) }, () => {
      const type = random.pick(types);
      return { type, value: randomValue(random, type) };
    });
    const writer = new DatasetWriter();
    for (const { type, value } of fields) writer.value(type, value);
    const read = (bytes: Uint8Array) => {
      const reader = new DatasetReader(bytes);
      const values = fields.map(({ type }) => reader.value(type));
      assertEquals(reader.left, 0);
      return values;
    };
    assertEquals(
      read(writer.bytes),
      fields.map(({ value }) => value),
      `GADGET_SEED=${seed}, round ${round}`,
    );
    if (round % 10 === 0) assertPrefixesFail(writer.bytes, read);
  }
});

Deno.test("Numbers, texts and arrays have the bytes of the specification", () => {
  const writer = new DatasetWriter();
  writer.u8(1).u16(0x203).u32(0x4050607).u64(8n).u128(9n << 64n);
  writer.string("aé").string("").array16([1]).array32([2]);
  assertEquals(
    [...writer.bytes],
    [
      ...[1, 3, 2, 7, 6, 5, 4],
      ...[8, 0, 0, 0, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0],
      ...[3, 97, 0, 0xe9, 0, 0, 0],
      ...[0],
      ...[1, 0, 0, 0, 1, 0],
      ...[1, 0, 0, 0, 2, 0, 0, 0],
    ],
  );
});

Deno.test("Texts are cut off, and end at their terminator", () => {
  const long = "x".repeat(300);
  const bytes = new DatasetWriter().string(long).bytes;
  assertEquals(bytes.byteLength, 1 + 2 * 255);
  assertEquals(new DatasetReader(bytes).string(), "x".repeat(254));
  const padded = Uint8Array.of(4, 65, 0, 0, 0, 66, 0, 0, 0);
  const reader = new DatasetReader(padded);
  assertEquals([reader.string(), reader.left], ["A", 0]);
  // Without a terminator
  assertEquals(new DatasetReader(Uint8Array.of(1, 65, 0)).string(), "A");
});

Deno.test("Counts that lie, and types that do not exist, are refused", () => {
  const count = new DatasetWriter().u32(0xffff_ffff).u32(0).bytes;
  for (const type of ARRAYS) {
    const reader = new DatasetReader(count);
    assertThrows(() => reader.value(type), ResponseError, "Invalid_Dataset");
  }
  assertThrows(
    () => new DatasetReader(count).array32(),
    ResponseError,
    "Invalid_Dataset",
  );
  for (const type of [0, 0x0b, 0x4000, 0x400b, 0x8002, 0xfffe]) {
    const reader = new DatasetReader(new Uint8Array(100));
    assertThrows(() => reader.value(type), ResponseError, "Invalid_Dataset");
  }
});

Deno.test("Numbers that are too large for 32 bits have the highest value", () => {
  const writer = new DatasetWriter().clamped32(2 ** 32).clamped32(2 ** 32 - 2);
  const reader = new DatasetReader(writer.bytes);
  assertEquals([reader.u32(), reader.u32()], [2 ** 32 - 1, 2 ** 32 - 2]);
});

Deno.test("ObjectInfo is read as it was written, and ends after the name at the earliest", () => {
  const info: ObjectInfo = {
    storageId: 0x10001,
    format: ObjectFormat.Association,
    isProtected: true,
    size: 5,
    thumbnailSize: 6,
    parent: 7,
    name: "a name",
    modified: new Date(2001, 1, 3, 4, 5, 6).getTime(),
  };
  const bytes = encodeObjectInfo(info);
  assertEquals(decodeObjectInfo(bytes), info);
  const toName = bytes.slice(0, 53 + 2 * 7);
  assertEquals(decodeObjectInfo(toName), { ...info, modified: undefined });
  assertPrefixesFail(toName, decodeObjectInfo);
});

Deno.test("Dates have seconds, and the time zone that they name", () => {
  const seed = testSeed();
  const random = new Random(seed);
  for (let round = 0; round < 100; round++) {
    const time = random.int(0, 4e9) * 1000;
    const text = encodeDate(time);
    const again = decodeDate(text)!;
    // In the hour that an end of summer time repeats, the texts are equal.
    assertEquals(encodeDate(again), text, `GADGET_SEED=${seed}`);
    assert(Math.abs(again - time) <= 3600_000);
  }
  const utc = Date.UTC(2024, 1, 29, 12, 0, 0);
  assertEquals(decodeDate("20240229T120000Z"), utc);
  assertEquals(decodeDate("20240229T120000.7Z"), utc);
  assertEquals(decodeDate("20240229T133000+0130"), utc);
  assertEquals(decodeDate("20240229T070000-0500"), utc);
  const local = new Date(2024, 1, 29, 12).getTime();
  assertEquals(decodeDate("20240229T120000"), local);
  assertEquals(decodeDate("20240229T120000.0"), local);
  assertEquals(encodeDate(local), "20240229T120000");
  for (
    const text of [
      "",
      "20240229",
      "2024-02-29T12:00:00",
      "20240029T120000",
      "20241301T120000",
      "20240132T120000",
      "20240101T120000X",
    ]
  ) {
    assertEquals(decodeDate(text), undefined);
  }
  for (const time of [undefined, NaN, 1e20, new Date(10000, 1).getTime()]) {
    assertEquals(encodeDate(time), "");
  }
});

Deno.test("Formats follow the ending of a name", () => {
  const formats: Record<string, number> = {
    "a.jpg": 0x3801,
    "A.JPG": 0x3801,
    "a.tar.mp3": 0x3009,
    "jpg": ObjectFormat.Undefined,
    ".": ObjectFormat.Undefined,
    "a.": ObjectFormat.Undefined,
    "a.unknown": ObjectFormat.Undefined,
    "a.constructor": ObjectFormat.Undefined,
    "": ObjectFormat.Undefined,
  };
  for (const [name, format] of Object.entries(formats)) {
    assertEquals(formatOf(name), format);
    assert(FORMATS.includes(format));
  }
  assertEquals(new Set(FORMATS).size, FORMATS.length);
});

Deno.test("Errors of the system are responses, others are not", () => {
  const error = (code?: unknown) => Object.assign(new Error(), { code });
  assertEquals(responseTo(error("ENOSPC")), "Store_Full");
  assertEquals(responseTo(error("ENOENT")), "Invalid_ObjectHandle");
  assertEquals(responseTo(error("EIO")), undefined);
  assertEquals(responseTo(error("toString")), undefined);
  assertEquals(responseTo(error(28)), undefined);
  for (const thrown of [undefined, null, 1, "ENOSPC", {}]) {
    assertEquals(responseTo(thrown), undefined);
  }
  const full = new ResponseError("Store_Full");
  assertEquals(responseTo(full), "Store_Full");
  assertThrows(() => new ResponseError("OK?" as never), TypeError, '"OK?"');
});

Deno.test("Long datasets are read in any pieces", () => {
  const seed = testSeed();
  const list = new LongDataset();
  const count = 50_000;
  for (let index = 0; index < count; index++) list.item().u32(index);
  const data = list.finish();
  assertEquals(data.byteLength, 4 + 4 * count);
  const random = new Random(seed);
  const bytes = new Uint8Array(data.byteLength);
  for (let at = 0; at < bytes.byteLength;) {
    const into = bytes.subarray(at, at + random.int(1, 30_000));
    const count = data.read(at, into);
    assertEquals(count, into.byteLength, `GADGET_SEED=${seed}`);
    at += into.byteLength;
  }
  const reader = new DatasetReader(bytes);
  assertEquals(
    reader.array32(),
    Array.from({ length: count }, (_, index) => index),
  );
  const again = new Uint8Array(10);
  assertEquals(data.read(0, again), 10);
  assertEquals(again, bytes.subarray(0, 10));
  assertEquals(data.read(bytes.byteLength - 3, again), 3);
  assertEquals(data.read(bytes.byteLength, again), 0);
  data.close();
});
