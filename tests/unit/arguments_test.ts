import "../support/run/aio_libraries.ts";
import * as api from "@usb/gadget";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { runInNewContext } from "node:vm";
import { controlRoutes, waitForUdc } from "@usb/gadget";
import {
  attachmentRows,
  dmabufRows,
  endpointRows,
  functionRows,
  gadgetRows,
  setupRows,
  staticRows,
  transferRows,
} from "../support/arguments/rows.ts";
import { openEndpoints } from "../support/measure/endpoints_on_files.ts";
import { fakeSetup } from "@usb/gadget/testing";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import {
  assertRefused,
  detachedBytes,
  NO_BYTES,
  shrunkBytes,
} from "../support/arguments/wrong_values.ts";
import { show } from "../../src/arguments/show.ts";

/** Calls without arguments that could be wrong. */
const NO_ARGUMENTS = [
  "EndpointPair.discard",
  "FunctionFs.sessions",
  "InEndpoint.discard",
  "OutEndpoint.discard",
  "DmaBuffer.close",
  "DmaBufferAttachment.detach",
  "FunctionFs.close",
  "Gadget.unbind",
  "Gadget.stop",
  "listUdcs",
  "FunctionFs.wakeHost",
  "Gadget.wakeHost",
];
/** Definitions: `validateFunction()` and `checkGadget()` say what is wrong. */
const DEFINITIONS = [
  "binaryProperty",
  "bulkIn",
  "bulkOut",
  "bulkPair",
  "canProxy",
  "ccid",
  "compatibleId",
  "compileFunction",
  "deviceInterfaceGuid",
  "dfu",
  "externalFunction",
  "formatDescriptors",
  "hid",
  "interruptIn",
  "interruptOut",
  "interruptPair",
  "isochronousIn",
  "isochronousOut",
  "kernelFunction",
  "normalizeDefinition",
  "pickEndpoints",
  "raw",
  "textProperty",
  "usbFunction",
  "validateFunction",
  "winUsb",
];
/** Look-ups, which answer for any value. */
const LOOK_UPS = [
  "addressDirection",
  "attributesTransferType",
  "className",
  "decodeInterval",
  "encodeInterval",
  "functionSpeed",
  "kernelHas",
  "languageId",
  "parseKernelRelease",
];
/** The pair refuses a buffer whatever it is. */
const REFUSING = ["EndpointPair.attach"];

Deno.test("every call of the public API has its arguments in the table", () => {
  // Nothing is called here.
  const none = undefined as never;
  const covered = new Set([
    ...NO_ARGUMENTS,
    ...DEFINITIONS,
    ...LOOK_UPS,
    ...REFUSING,
    ...[
      ...staticRows(),
      ...transferRows("Endpoint", none, none),
      ...transferRows("EndpointPair", none, none),
      ...endpointRows(none),
      ...dmabufRows(none),
      ...attachmentRows(none, { buffer: none } as never),
      ...functionRows(none),
      ...gadgetRows(none),
    ].map(({ call }) => call),
  ]);
  const missing = publicCalls().filter((call) => !covered.has(call));
  assertEquals(missing, []);
});

/** Exported functions, and static and other methods of exported classes. */
function publicCalls(): string[] {
  const isError = (value: unknown) =>
    (value as { prototype?: unknown }).prototype instanceof Error;
  return Object.entries(api).flatMap(([name, value]) => {
    if (typeof value !== "function" || isError(value)) return [];
    if (!/^class /.test(Function.prototype.toString.call(value))) return [name];
    return [value, value.prototype as object].flatMap((owner) =>
      Object.entries(Object.getOwnPropertyDescriptors(owner))
        .filter(([key, { value, set }]) =>
          key !== "constructor" && (typeof value === "function" || set)
        )
        .map(([key]) => `${name}.${key}`)
    );
  }).filter((call) => !INTERNAL.test(call));
}

/** Methods that are marked `@ignore` or protected. */
const INTERNAL =
  /\.(onEnable|onDisable|assertOpen|closeNow|end)$|^(Out)?Endpoint\.close$/;

Deno.test("arguments of another type are refused, by name", async () => {
  await assertRefused(staticRows());
});

Deno.test("arguments of endpoints are refused, by name, and nothing is transferred", async () => {
  const path = await Deno.makeTempFile();
  try {
    await using endpoints = openEndpoints(path);
    await assertRefused([
      ...transferRows("Endpoint", endpoints.in, endpoints.out),
      ...endpointRows(endpoints.in),
      ...endpointRows(endpoints.out),
    ]);
    assertEquals((await Deno.stat(path)).size, 0);
    // Everything works as before.
    assertEquals(await endpoints.in.write(pattern(5)), 5);
    assertEquals((await Deno.readFile(path)).length, 5);
    assertEquals((await endpoints.out.read(7)).length, 7);
    await assertRejects(
      () => endpoints.in.write("hello" as never),
      TypeError,
      'Cannot write to endpoint "in": the data must be a Uint8Array, an array of them or an async iterable, is "hello": give new TextEncoder().encode(it)',
    );
    await assertRejects(
      () => endpoints.in.write(detachedBytes()),
      TypeError,
      'Cannot write to endpoint "in": the data is detached: its memory was transferred',
    );
    await assertRejects(
      () => endpoints.out.read(shrunkBytes()),
      TypeError,
      'Cannot read from endpoint "out": the buffer lies outside of its buffer, which has shrunk',
    );
    await assertRejects(
      () => endpoints.out.read(null as never),
      TypeError,
      'Cannot read from endpoint "out": give a size, or a Uint8Array to read into, not null',
    );
    for (const size of [0, -1, 1.5, NaN, Infinity]) {
      await assertRejects(() => endpoints.out.read(size), RangeError);
    }
    await assertRejects(() => endpoints.out.read(new Uint8Array()), RangeError);
  } finally {
    await Deno.remove(path);
  }
});

/** Says of itself what is not so. */
class Liar extends Uint8Array<ArrayBuffer> {
  override get byteLength(): number {
    return 3 << 20;
  }
  override get byteOffset(): number {
    return 1;
  }
  override get length(): number {
    return 0;
  }
  override get buffer(): ArrayBuffer {
    return new ArrayBuffer(0);
  }
  override subarray(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(3);
  }
}

function liarOf(bytes: Uint8Array): Uint8Array {
  const liar = new Liar(new Uint8Array(bytes).buffer);
  Object.defineProperty(liar, "byteLength", { value: 1 });
  return liar;
}

Deno.test("write() sends the bytes of any Uint8Array, whatever it says of itself", async () => {
  for (const size of [5, 100, (2 << 20) + 7]) {
    const bytes = pattern(size);
    const shared = new Uint8Array(new SharedArrayBuffer(size));
    shared.set(bytes);
    const tracking = new Uint8Array(
      new ArrayBuffer(size + 9, { maxByteLength: size + 9 }),
      2,
    );
    tracking.set(bytes);
    tracking.buffer.resize(size + 2);
    const foreign = runInNewContext(
      "new Uint8Array(size)",
      { size },
    ) as Uint8Array;
    foreign.set(bytes);
    const kinds = {
      liar: liarOf(bytes),
      buffer: Buffer.from(bytes),
      shared,
      tracking,
      foreign,
    };
    for (const [name, data] of Object.entries(kinds)) {
      const path = await Deno.makeTempFile();
      try {
        await using endpoints = openEndpoints(path);
        assertEquals(await endpoints.in.write(data), size, name);
        const written = await Deno.readFile(path);
        if (size < 1 << 20) {
          assertEquals(firstDifference(written, bytes), -1, name);
        } else {
          // Each request is written to the front of the file.
          const piece = bytes.subarray(1 << 20, 2 << 20);
          const rest = bytes.subarray(2 << 20);
          const last = new Uint8Array(piece);
          last.set(rest);
          assertEquals(firstDifference(written, last), -1, name);
        }
      } finally {
        await Deno.remove(path);
      }
    }
  }
});

Deno.test("data that is detached before its turn is not sent", async () => {
  const path = await Deno.makeTempFile();
  try {
    await using endpoints = openEndpoints(path);
    for (const data of [pattern(5), liarOf(pattern(5))]) {
      const write = endpoints.in.write(data);
      structuredClone(null, { transfer: [bufferOf(data)] });
      await assertRejects(() => write, TypeError, "the data was detached");
    }
    assertEquals((await Deno.stat(path)).size, 0);
  } finally {
    await Deno.remove(path);
  }
});

function bufferOf(data: Uint8Array): ArrayBuffer {
  const { get } = Object.getOwnPropertyDescriptor(
    Object.getPrototypeOf(Uint8Array.prototype),
    "buffer",
  )!;
  return get!.call(data);
}

Deno.test("read() fills a buffer of a class that says other things of itself", async () => {
  await using endpoints = openEndpoints();
  const liar = liarOf(pattern(100));
  const bytes = await endpoints.out.read(liar);
  assertEquals(bytes, new Uint8Array(100));
  assert(bufferOf(liar).detached);
});

Deno.test("a control reply of another type is refused, and the request can still be answered", async () => {
  const fields = { direction: "in", type: "vendor", request: 1 } as const;
  const request = () => fakeSetup({ ...fields, length: 64 });
  await assertRefused(setupRows(() => request().setup));
  for (const wrong of NO_BYTES) {
    const { setup } = request();
    await assertRejects(() => setup.reply(wrong as never), TypeError);
    assert(!setup.settled);
  }
  const fake = request();
  await assertRejects(() => fake.setup.reply(detachedBytes()), TypeError);
  assertEquals(await fake.setup.reply(liarOf(pattern(100))), 64);
  assertEquals(fake.outcome, { sent: [...pattern(64)] });
});

Deno.test("numbers of the right type and out of range are RangeErrors", async () => {
  const handler = () => {};
  for (const index of [-1, 1.5, 65_536, NaN]) {
    assertThrows(
      () => controlRoutes([{ request: 1, index, handler }]),
      RangeError,
      `"index" must be an integer from 0 to 65535, is ${index}`,
    );
  }
  for (const timeout of [-1, NaN]) {
    await assertRejects(
      () => waitForUdc({ name: "none", timeout }),
      RangeError,
      `"timeout" must be 0 or more, is ${timeout}`,
    );
  }
});

Deno.test("show() describes any value", () => {
  const throwing = new Proxy({}, {
    get() {
      throw new Error("no");
    },
  });
  const values: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    ["hello", '"hello"'],
    ["x".repeat(41), `"${"x".repeat(37)}..."`],
    [5, "5"],
    [5n, "5n"],
    [NaN, "NaN"],
    [true, "true"],
    [Symbol("s"), "Symbol(s)"],
    [() => {}, "a function"],
    [class {}, "a function"],
    [{}, "an object"],
    [new (class Device {})(), "an instance of Device"],
    [Object.create(null), "an object"],
    [[], "an array"],
    [new Float64Array(1), "a Float64Array"],
    [new ArrayBuffer(1), "an ArrayBuffer"],
    [Buffer.alloc(1), "a Uint8Array"],
    [new Map(), "a Map"],
    [throwing, "an object"],
  ];
  for (const [value, text] of values) assertEquals(show(value), text);
});
