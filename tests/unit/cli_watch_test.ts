import { assertEquals } from "@std/assert";
import { parseEvent } from "../../src/cli/watch/events.ts";
import { describeEvent, describeTraffic } from "../../src/cli/watch/watch.ts";
import { libc } from "../../ffi/libc.ts";

// Opened here: it stays open after the first test that needs it.
libc();

/** Lines of `trace_pipe`, what they say, and how that is printed. */
const LINES = [
  [
    "          <idle>-0       [001] ..s.1    28.935674: usb_gadget_giveback_request: ep2out-bulk: req 00000000a3c51f7e length 2/65536 sgs 0/0 stream 0 zsI status 0 --> 0",
    {
      type: "transfer",
      time: 28.935674,
      endpoint: "ep2out-bulk",
      length: 2,
      requested: 65536,
      status: 0,
    },
    "28.935674 ep2out-bulk: 2 of 65536 bytes",
  ],
  [
    "     kworker/0:1-26      [000] d..1.  9129.122282: usb_gadget_giveback_request: ep-a: req 0000000012345678 length 0/512 sgs 0/0 stream 0 ZSi status -108 --> 0",
    {
      type: "transfer",
      time: 9129.122282,
      endpoint: "ep-a",
      length: 0,
      requested: 512,
      status: -108,
    },
    "9129.122282 ep-a: 0 of 512 bytes: Cannot send after transport endpoint shutdown",
  ],
  [
    "            deno-154     [000] d....    27.869829: usb_ep_enable: ep1in-bulk: mps 1024/1024 streams 16 mult 0 burst 0 addr 81 claimed:enabled --> 0",
    {
      type: "endpoint",
      time: 27.869829,
      endpoint: "ep1in-bulk",
      event: "enable",
      address: 0x81,
    },
    "27.869829 ep1in-bulk (0x81): enable",
  ],
  [
    "    program: 1: 2-77       [000] .....    27.520730: usb_gadget_connect: speed 0/5 state 0 0mA [self-powered:activated:connected] --> 0",
    {
      type: "device",
      time: 27.52073,
      event: "connect",
      state: "not attached",
    },
    "27.520730 connect: not attached",
  ],
  [
    "          <idle>-0       [000] ..s1.    27.869098: usb_gadget_set_state: speed 5/5 state 7 2mA [bus-powered:activated:connected] --> 0",
    {
      type: "device",
      time: 27.869098,
      event: "set_state",
      state: "configured",
    },
    "27.869098 set_state: configured",
  ],
  [
    "CPU:1 [LOST 1234 EVENTS]",
    { type: "lost", count: 1234 },
    "1234 events were lost",
  ],
] as const;

Deno.test("lines of the kernel's trace are events", () => {
  for (const [line, event, text] of LINES) {
    const parsed = parseEvent(line);
    assertEquals<unknown>(parsed, event);
    assertEquals(describeEvent(parsed!), text);
  }
  for (
    const other of [
      "",
      "# tracer: nop",
      "  deno-1 [000] .....  1.000000: sched_switch: prev_comm=deno",
      "  deno-1 [000] .....  1.000000: usb_gadget_frame_number: cut o",
    ]
  ) assertEquals(parseEvent(other), undefined);
});

Deno.test("the traffic of an endpoint is a line", () => {
  const failed = new Map<number, number>();
  assertEquals(
    describeTraffic("ep-a", { transfers: 1, bytes: 512, failed }),
    "  ep-a: 1 transfer, 512 bytes",
  );
  failed.set(108, 2).set(104, 1);
  assertEquals(
    describeTraffic("ep-a", { transfers: 5, bytes: 1024, failed }),
    "  ep-a: 5 transfers, 1024 bytes, 2 failed: Cannot send after transport endpoint shutdown, 1 failed: Connection reset by peer",
  );
});
