/**
 * The arguments of the public API, one row for each.
 *
 * @module
 */
import {
  bulkPair,
  controlRoutes,
  type EndpointPair,
  FunctionFs,
  Gadget,
  type InEndpoint,
  languageTag,
  mountFunctionFs,
  type OutEndpoint,
  readUdc,
  type SetupRequest,
  softConnect,
  usbFunction,
  waitForUdc,
} from "@usb/gadget";
import {
  decodeDescriptors,
  decodeFunctionBlock,
  decodeSetup,
  definitionFromBlocks,
  encodeSetup,
} from "@usb/gadget/inspect";
import { Dfu, DfuError, DfuRuntime } from "@usb/gadget/dfu";
import { DmaBuffer, type DmaBufferAttachment } from "@usb/gadget/dmabuf";
import { hidRequests } from "@usb/gadget/hid";
import { massStorageRequests } from "@usb/gadget/mass-storage";
import { printerRequests } from "@usb/gadget/printer";
import { stillImageRequests } from "@usb/gadget/mtp";
import {
  type ArgumentRow,
  NO_BYTES,
  NO_CALLBACKS,
  NO_FLAGS,
  NO_NUMBERS,
  NO_OBJECTS,
  NO_SIGNALS,
  NO_TEXTS,
  rowsFor,
} from "./wrong_values.ts";

const NO_ZLPS = ["Auto", true, null];
const WORDS = ["Bulk", "", null, 1, {}];
const nothing = () => {};

const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});

/** Static functions and free functions. */
export function staticRows(): ArgumentRow[] {
  const mount = "/nowhere";
  const ids = { vendorId: 0x1209, productId: 1, functions: [echo] };
  // deno-lint-ignore no-explicit-any -- the types are wrong on purpose
  const start = (options: any) => Gadget.start(ids, options);
  const open = {
    "FunctionFs.open": FunctionFs.open,
    "FunctionFs.inherit": FunctionFs.inherit,
  };
  return [
    ...Object.entries(open).flatMap(([name, call]) =>
      rowsFor(
        name,
        "sync",
        ["the definition", NO_OBJECTS, (it) => call(it, mount)],
        ["the mount point", NO_TEXTS, (it) => call(echo, it)],
        ["the options", NO_OBJECTS, (it) => call(echo, mount, it)],
        ["interfaceOffset", NO_NUMBERS, (it) =>
          call(echo, mount, { interfaceOffset: it })],
        ["libaio", NO_TEXTS, (it) =>
          call(echo, mount, { libaio: it })],
        ["kernel", [null, "6.1", 6.1, {}, { major: 6, minor: "1" }], (it) =>
          call(echo, mount, { kernel: it })],
      )
    ),
    ...rowsFor("FunctionFs.open", "sync", [
      "eventfd",
      NO_FLAGS,
      (it) => FunctionFs.open(echo, mount, { eventfd: it }),
    ]),
    ...rowsFor(
      "Gadget.start",
      "async",
      ["definition", [...NO_OBJECTS, undefined], (it) => Gadget.start(it)],
      [
        "functions",
        [undefined, null, "echo", {}],
        (it) => Gadget.start({ ...ids, functions: it }),
      ],
      [
        "functions[0]",
        NO_OBJECTS,
        (it) => Gadget.start({ ...ids, functions: [it] }),
      ],
      ["the options", NO_OBJECTS, start],
      ...["name", "udc", "libaio"].map((key) =>
        [key, NO_TEXTS, (it: unknown) => start({ [key]: it })] as const
      ).map((it) => [...it] as [string, readonly unknown[], typeof start]),
      ...["eventfd", "bind", "rebind", "persistent"].map((key) =>
        [key, NO_FLAGS, (it: unknown) => start({ [key]: it })] as [
          string,
          readonly unknown[],
          typeof start,
        ]
      ),
      ["mounts", NO_OBJECTS, (it) => start({ mounts: it })],
      ["the options", NO_OBJECTS, (it) => start({ mounts: { echo: it } })],
      ["uid", NO_NUMBERS, (it) => start({ mounts: { echo: { uid: it } } })],
      ["signal", NO_SIGNALS, (it) => start({ signal: it })],
    ),
    ...rowsFor(
      "Gadget.cleanUp",
      "async",
      ["the options", NO_OBJECTS, (it) => Gadget.cleanUp(it)],
      ["name", NO_TEXTS, (it) => Gadget.cleanUp({ name: it })],
      ["persistent", NO_FLAGS, (it) => Gadget.cleanUp({ persistent: it })],
    ),
    ...rowsFor(
      "DmaBuffer.allocate",
      "sync",
      ["the size", NO_NUMBERS, (it) => DmaBuffer.allocate(it)],
      ["the options", NO_OBJECTS, (it) => DmaBuffer.allocate(1, it)],
      ["heap", NO_TEXTS, (it) => DmaBuffer.allocate(1, { heap: it })],
    ),
    ...rowsFor("DmaBuffer.fromFileDescriptor", "sync", [
      "the file descriptor",
      NO_NUMBERS,
      (it) => DmaBuffer.fromFileDescriptor(it),
    ]),
    ...rowsFor("readUdc", "sync", ["the name", NO_TEXTS, readUdc]),
    ...rowsFor(
      "softConnect",
      "sync",
      ["the name", NO_TEXTS, (it) => softConnect(it, true)],
      ["connected", NO_FLAGS, (it) => softConnect("none", it)],
    ),
    ...rowsFor(
      "waitForUdc",
      "async",
      ["the options", NO_OBJECTS, (it) => waitForUdc(it)],
      ["name", NO_TEXTS, (it) => waitForUdc({ name: it })],
      [
        "state",
        [...WORDS, [], ["configured", "up"]],
        (it) => waitForUdc({ name: "none", state: it }),
      ],
      [
        "timeout",
        NO_NUMBERS,
        (it) => waitForUdc({ name: "none", timeout: it }),
      ],
      ["signal", NO_SIGNALS, (it) => waitForUdc({ name: "none", signal: it })],
    ),
    ...rowsFor(
      "mountFunctionFs",
      "sync",
      ["the name", NO_TEXTS, (it) => mountFunctionFs(it, { path: mount })],
      ["the options", NO_OBJECTS, (it) => mountFunctionFs("none", it)],
      [
        "path",
        [...NO_TEXTS, undefined],
        (it) => mountFunctionFs("none", { path: it }),
      ],
      [
        "noDisconnect",
        NO_FLAGS,
        (it) => mountFunctionFs("none", { path: mount, noDisconnect: it }),
      ],
      [
        "mode",
        NO_NUMBERS,
        (it) => mountFunctionFs("none", { path: mount, mode: it }),
      ],
    ),
    ...helperRows(),
  ];
}

/** Helpers that do not use the kernel. */
function helperRows(): ArgumentRow[] {
  const route = { request: 1, handler: nothing };
  return [
    ...rowsFor(
      "controlRoutes",
      "sync",
      ["the table", [undefined, null, {}, "routes", route], controlRoutes],
      ["a route", NO_OBJECTS, (it) => controlRoutes([it])],
      [
        "handler",
        [...NO_CALLBACKS, undefined],
        (it) => controlRoutes([{ ...route, handler: it }]),
      ],
      [
        "request",
        NO_NUMBERS,
        (it) => controlRoutes([{ ...route, request: it }]),
      ],
      [
        "direction",
        WORDS,
        (it) => controlRoutes([{ ...route, direction: it }]),
      ],
      ["type", WORDS, (it) => controlRoutes([{ ...route, type: it }])],
      [
        "recipient",
        WORDS,
        (it) => controlRoutes([{ ...route, recipient: it }]),
      ],
      ["index", NO_NUMBERS, (it) => controlRoutes([{ ...route, index: it }])],
    ),
    ...rowsFor("decodeSetup", "sync", ["the data", NO_BYTES, decodeSetup]),
    ...rowsFor(
      "encodeSetup",
      "sync",
      ["the options", [...NO_OBJECTS, undefined], encodeSetup],
      ["request", NO_NUMBERS, (it) => encodeSetup({ request: it })],
      ["direction", WORDS, (it) => encodeSetup({ request: 1, direction: it })],
      ["type", WORDS, (it) => encodeSetup({ request: 1, type: it })],
      ["recipient", WORDS, (it) => encodeSetup({ request: 1, recipient: it })],
      ["length", NO_NUMBERS, (it) => encodeSetup({ request: 1, length: it })],
    ),
    ...rowsFor(
      "hidRequests",
      "sync",
      ["the options", NO_OBJECTS, hidRequests],
      ["interface", NO_NUMBERS, (it) => hidRequests({ interface: it })],
      ["getReport", NO_CALLBACKS, (it) => hidRequests({ getReport: it })],
      ["setReport", NO_CALLBACKS, (it) => hidRequests({ setReport: it })],
      ["onIdle", NO_CALLBACKS, (it) => hidRequests({ onIdle: it })],
      ["onProtocol", NO_CALLBACKS, (it) => hidRequests({ onProtocol: it })],
    ),
    ...rowsFor(
      "massStorageRequests",
      "sync",
      ["the options", [...NO_OBJECTS, undefined], massStorageRequests],
      [
        "reset",
        [...NO_CALLBACKS, undefined],
        (it) => massStorageRequests({ reset: it }),
      ],
      [
        "maxLun",
        NO_NUMBERS,
        (it) => massStorageRequests({ reset: nothing, maxLun: it }),
      ],
    ),
    ...rowsFor(
      "stillImageRequests",
      "sync",
      ["the options", [...NO_OBJECTS, undefined], stillImageRequests],
      [
        "cancel",
        [...NO_CALLBACKS, undefined],
        (it) => stillImageRequests({ cancel: it, reset: nothing }),
      ],
      [
        "reset",
        [...NO_CALLBACKS, undefined],
        (it) => stillImageRequests({ cancel: nothing, reset: it }),
      ],
      [
        "getStatus",
        NO_CALLBACKS,
        (it) =>
          stillImageRequests({
            cancel: nothing,
            reset: nothing,
            getStatus: it,
          }),
      ],
    ),
    ...rowsFor(
      "printerRequests",
      "sync",
      ["the options", [...NO_OBJECTS, undefined], printerRequests],
      [
        "deviceId",
        [...NO_TEXTS, undefined],
        (it) => printerRequests({ deviceId: it }),
      ],
      [
        "portStatus",
        NO_CALLBACKS,
        (it) => printerRequests({ deviceId: "", portStatus: it }),
      ],
    ),
    ...rowsFor(
      "Dfu",
      "sync",
      ["the options", [...NO_OBJECTS, undefined], (it) => new Dfu(it)],
      [
        "write",
        NO_CALLBACKS,
        (it) => new Dfu({ areas: [{ name: "flash", write: it }] }),
      ],
      [
        "pollTimeoutMs",
        NO_NUMBERS,
        (it) =>
          new Dfu({
            areas: [{ name: "flash", write: nothing }],
            pollTimeoutMs: it,
          }),
      ],
    ),
    ...rowsFor(
      "DfuRuntime",
      "sync",
      ["the options", NO_OBJECTS, (it) => new DfuRuntime(it)],
      [
        "detachTimeoutMs",
        NO_NUMBERS,
        (it) => new DfuRuntime({ detachTimeoutMs: it }),
      ],
    ),
    ...rowsFor(
      "DfuError",
      "sync",
      ["the status", [...NO_TEXTS, undefined], (it) => new DfuError(it)],
    ),
    ...rowsFor("languageTag", "sync", ["the LANGID", NO_NUMBERS, languageTag]),
    ...rowsFor("decodeDescriptors", "sync", [
      "the data",
      NO_BYTES,
      decodeDescriptors,
    ]),
    ...([decodeFunctionBlock, definitionFromBlocks] as const)
      .flatMap((call) =>
        rowsFor(
          call.name,
          "sync",
          ["the descriptors block", NO_BYTES, (it) => call(it)],
          ["the strings block", NO_BYTES.filter((it) => it !== undefined), (
            it,
          ) => call(new Uint8Array(64), it)],
        )
      ),
  ];
}

/** Methods of an endpoint in each direction, or of a pair under one name. */
export function transferRows(
  type: "Endpoint" | "EndpointPair",
  tx: InEndpoint | EndpointPair,
  rx: OutEndpoint | EndpointPair,
): ArgumentRow[] {
  const [input, out] = type === "Endpoint"
    ? ["InEndpoint", "OutEndpoint"]
    : [type, type];
  const bytes = new Uint8Array(1);
  return [
    ...rowsFor(
      `${input}.write`,
      "async",
      ["the data", NO_BYTES, (it) => tx.write(it)],
      ["part 1 of the data", NO_BYTES, (it) => tx.write([bytes, it])],
      ["a part of the data", NO_BYTES, (it) => tx.write(yieldOnly(it))],
      ["the options", NO_OBJECTS, (it) => tx.write(bytes, it)],
      ["signal", NO_SIGNALS, (it) => tx.write(bytes, { signal: it })],
      ["zlp", NO_ZLPS, (it) => tx.write(bytes, { zlp: it })],
    ),
    ...rowsFor(`${input}.autoZlp`, "sync", ["autoZlp", NO_FLAGS, (it) => {
      tx.autoZlp = it;
    }]),
    ...rowsFor(
      `${input}.openWritable`,
      "sync",
      ["the options", NO_OBJECTS, (it) => tx.openWritable(it)],
      ["depth", NO_NUMBERS, (it) => tx.openWritable({ depth: it })],
      ["zlp", NO_ZLPS, (it) => tx.openWritable({ zlp: it })],
    ),
    // An invalid chunk ends its stream.
    ...rowsFor(`${input}.writable`, "async", ["a chunk", NO_BYTES, (it) => {
      const writer = tx.writable.getWriter();
      writer.closed.catch(() => {});
      return writer.write(it);
    }]),
    ...rowsFor(
      `${out}.read`,
      "async",
      [
        "a Uint8Array",
        NO_BYTES.filter((it) => typeof it !== "number" && !isEmptyBytes(it)),
        (it) => rx.read(it),
      ],
      ["the buffer", NO_BYTES.filter(isEmptyBytes), (it) => rx.read(it)],
      [
        "the buffer",
        [new Uint8Array(new SharedArrayBuffer(4))],
        (it) => rx.read(it),
      ],
      ["the buffer", [wasmBytes()], (it) => rx.read(it)],
      ["the options", NO_OBJECTS, (it) => rx.read(1, it)],
      ["signal", NO_SIGNALS, (it) => rx.read(1, { signal: it })],
    ),
    ...rowsFor(
      `${out}.readExactly`,
      "async",
      ["the size", NO_NUMBERS, (it) => rx.readExactly(it)],
      ["the options", NO_OBJECTS, (it) => rx.readExactly(1, it)],
      ["signal", NO_SIGNALS, (it) => rx.readExactly(1, { signal: it })],
    ),
    ...rowsFor(
      `${out}.transfers`,
      "sync",
      ["the options", NO_OBJECTS, (it) => rx.transfers(it)],
      ["size", NO_NUMBERS, (it) => rx.transfers({ size: it })],
      ["depth", NO_NUMBERS, (it) => rx.transfers({ depth: it })],
      ["signal", NO_SIGNALS, (it) => rx.transfers({ signal: it })],
    ),
    ...rowsFor(
      `${out}.openReadable`,
      "sync",
      ["the options", NO_OBJECTS, (it) => rx.openReadable(it)],
      ["depth", NO_NUMBERS, (it) => rx.openReadable({ depth: it })],
      [
        "transferSize",
        NO_NUMBERS,
        (it) => rx.openReadable({ transferSize: it }),
      ],
    ),
  ];
}

// deno-lint-ignore no-explicit-any -- the types are wrong on purpose
async function* yieldOnly(part: any): AsyncGenerator<Uint8Array> {
  yield part;
}

/** Whether a value is a detached `Uint8Array`. */
function isEmptyBytes(value: unknown): boolean {
  return Object.prototype.toString.call(value) === "[object Uint8Array]" &&
    Reflect.getPrototypeOf(value as object) === Uint8Array.prototype &&
    ArrayBuffer.isView(value);
}

/** Memory that cannot be transferred. */
function wasmBytes(): Uint8Array {
  return new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer);
}

/** Methods of both directions. */
export function endpointRows(endpoint: InEndpoint | OutEndpoint) {
  const calls = [
    "halt",
    "clearHalt",
    "fifoStatus",
    "flush",
    "descriptor",
  ] as const;
  return [
    ...calls.flatMap((call) =>
      rowsFor(
        `Endpoint.${call}`,
        "async",
        ["the options", NO_OBJECTS, (it) => endpoint[call](it)],
        ["signal", NO_SIGNALS, (it) => endpoint[call]({ signal: it })],
      )
    ),
    ...rowsFor("Endpoint.attach", "async", [
      "the buffer",
      [undefined, null, {}, 5, new Uint8Array(4)],
      (it) => endpoint.attach(it),
    ]),
  ];
}

/** Answers of a control handler. */
export function setupRows(makeSetup: () => SetupRequest): ArgumentRow[] {
  return rowsFor("SetupRequest.reply", "async", [
    "the data",
    NO_BYTES,
    (it) => makeSetup().reply(it),
  ]);
}

/** Methods of a buffer. */
export function dmabufRows(buffer: DmaBuffer): ArgumentRow[] {
  return rowsFor(
    "DmaBuffer.access",
    "async",
    ["the mode", WORDS, (it) => buffer.access(it, nothing)],
    ["use", [...NO_CALLBACKS, undefined], (it) => buffer.access("read", it)],
    ["the options", NO_OBJECTS, (it) => buffer.access("read", nothing, it)],
    [
      "signal",
      NO_SIGNALS,
      (it) => buffer.access("read", nothing, { signal: it }),
    ],
  );
}

/** Methods of an attached buffer. */
export function attachmentRows(
  endpoint: InEndpoint | OutEndpoint,
  attachment: DmaBufferAttachment,
): ArgumentRow[] {
  const { buffer } = attachment;
  return [
    ...rowsFor(
      "Endpoint.attach",
      "async",
      ["the options", NO_OBJECTS, (it) => endpoint.attach(buffer, it)],
      ["signal", NO_SIGNALS, (it) => endpoint.attach(buffer, { signal: it })],
    ),
    ...rowsFor(
      "DmaBufferAttachment.transfer",
      "async",
      ["the length", NO_NUMBERS, (it) => attachment.transfer(it)],
      ["the options", NO_OBJECTS, (it) => attachment.transfer(1, it)],
      ["signal", NO_SIGNALS, (it) => attachment.transfer(1, { signal: it })],
    ),
  ];
}

/** Methods of an open function. */
export function functionRows(fs: FunctionFs): ArgumentRow[] {
  return [
    ...(["enabled", "dmabufSupport"] as const).flatMap((call) =>
      rowsFor(
        `FunctionFs.${call}`,
        "async",
        ["the options", NO_OBJECTS, (it) => fs[call](it)],
        ["signal", NO_SIGNALS, (it) => fs[call]({ signal: it })],
      )
    ),
    ...rowsFor("FunctionFs.interfaceRevmap", "sync", [
      "the number",
      [...NO_NUMBERS, undefined],
      (it) => fs.interfaceRevmap(it),
    ]),
  ];
}

/** Methods of a started gadget. */
export function gadgetRows(gadget: Gadget): ArgumentRow[] {
  const same = () => gadget.definition;
  return [
    ...(["bind", "rebind"] as const).flatMap((call) =>
      rowsFor(
        `Gadget.${call}`,
        "async",
        ["the options", NO_OBJECTS, (it) => gadget[call](it)],
        ["udc", NO_TEXTS, (it) => gadget[call]({ udc: it })],
        ["wait", NO_FLAGS, (it) => gadget[call]({ wait: it })],
        ["signal", NO_SIGNALS, (it) => gadget[call]({ signal: it })],
      )
    ),
    ...rowsFor(
      "Gadget.apply",
      "async",
      ["definition", [...NO_OBJECTS, undefined], (it) => gadget.apply(it)],
      [
        "functions",
        [undefined, null, {}],
        (it) => gadget.apply({ ...same(), functions: it }),
      ],
      ["the options", NO_OBJECTS, (it) => gadget.apply(same(), it)],
      ["wait", NO_FLAGS, (it) => gadget.apply(same(), { wait: it })],
      ["rebind", NO_FLAGS, (it) => gadget.apply(same(), { rebind: it })],
      ["signal", NO_SIGNALS, (it) => gadget.apply(same(), { signal: it })],
    ),
  ];
}
