import { assertEquals, assertThrows } from "@std/assert";
import { formatTrace, type TraceRecord } from "@usb/gadget/trace";
import { decodeSetup } from "@usb/gadget/inspect";
import { libc } from "../../ffi/libc.ts";

// Opened here: it stays open after the first test that needs it.
libc();

const about = { function: "disk", time: 1234.5678 };
const transfer = {
  ...about,
  type: "transfer",
  duration: 0.25,
  endpoint: "link",
  direction: "out",
} as const;
const control = {
  ...about,
  type: "control",
  duration: 1,
  setup: decodeSetup(new Uint8Array([0xa1, 0xfe, 0, 0, 0, 0, 1, 0])),
  data: new Uint8Array(0),
} as const;

Deno.test("each record of a trace is a line", () => {
  const cases: [TraceRecord, string][] = [
    [{ ...about, type: "event", event: "enable" }, "enable"],
    [
      { ...transfer, requested: 512, data: new Uint8Array([1, 0xff]) },
      "link out: 2 of 512 bytes 01 ff, 0.25 ms",
    ],
    [
      { ...transfer, requested: 20, data: new Uint8Array(20).fill(7) },
      `link out: 20 bytes ${"07 ".repeat(16)}..., 0.25 ms`,
    ],
    [
      { ...transfer, requested: 0, data: new Uint8Array(0) },
      "link out: 0 bytes, 0.25 ms",
    ],
    [
      { ...transfer, requested: 4, data: new Uint8Array(0), errno: 108 },
      "link out: Cannot send after transport endpoint shutdown, 0.25 ms",
    ],
    [
      {
        ...control,
        data: new Uint8Array([3]),
        outcome: { type: "answered", length: 1 },
      },
      "IN class request 0xfe to interface 0 (value 0x0000, length 1): 1 byte 03, 1.00 ms",
    ],
    [
      { ...control, outcome: { type: "answered", length: 0 } },
      "IN class request 0xfe to interface 0 (value 0x0000, length 1): acknowledged, 1.00 ms",
    ],
    [
      { ...control, outcome: { type: "stalled", unhandled: true } },
      "IN class request 0xfe to interface 0 (value 0x0000, length 1): stalled, unhandled, 1.00 ms",
    ],
    [
      { ...control, outcome: { type: "stalled", unhandled: false } },
      "IN class request 0xfe to interface 0 (value 0x0000, length 1): stalled, 1.00 ms",
    ],
    [
      { ...control, outcome: { type: "cancelled" } },
      "IN class request 0xfe to interface 0 (value 0x0000, length 1): cancelled by the host, 1.00 ms",
    ],
  ];
  for (const [record, text] of cases) {
    assertEquals(formatTrace(record), `1234.568 disk: ${text}`);
  }
  assertThrows(
    () => formatTrace(5 as unknown as TraceRecord),
    TypeError,
    "Cannot format trace: the record must be an object, is 5",
  );
});
