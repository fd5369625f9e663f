import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { startExample } from "../support/programs/example.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { waitForDevice } from "../../src/testing/usbfs/find.ts";

const { bulkPacketSize: PACKET, maxSpeed } = gadgetSpeed();
const INTERRUPT_PACKET = maxSpeed === "full-speed" ? 64 : 1024;

/**
 * Options of `testusb` for each test of the kernel's `usbtest` driver that a
 * device without isochronous endpoints can pass. Where lengths vary they are
 * whole packets: the source is endless, and the host takes no more than it has
 * asked for. A scatter list of other sizes is refused by dummy_hcd.
 */
const CASES: Readonly<Record<number, string[]>> = {
  0: [], // nothing
  1: [], // bulk OUT
  2: [], // bulk IN
  3: ["-v", "421"], // bulk OUT of varying length
  4: ["-s", "2048", "-v", `${PACKET}`], // bulk IN of varying length
  5: [], // bulk OUT, scattered
  6: [], // bulk IN, scattered
  7: ["-s", "2048", "-v", `${PACKET}`], // the same of varying length
  8: ["-s", "2048", "-v", `${PACKET}`],
  9: [], // chapter 9
  10: [], // queued control requests
  11: [], // unlinked reads
  12: [], // unlinked writes
  13: [], // halts set and cleared by the host
  14: ["-s", "256", "-v", "1"], // control data written and read back
  17: [], // bulk OUT of unaligned memory
  18: [], // bulk IN of unaligned memory
  19: [], // the same of memory that was mapped before
  20: [],
  21: ["-s", "256", "-v", "1"], // control data, unaligned
  24: [], // some of a queue unlinked
  25: [], // interrupt OUT
  26: ["-s", `${INTERRUPT_PACKET}`], // interrupt IN
  27: [], // bulk OUT, throughput
  28: [], // bulk IN, throughput
  29: [], // toggle after CLEAR_FEATURE(HALT)
};

async function run(program: string, args: string[]): Promise<string> {
  const output = await new Deno.Command(program, {
    args,
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return decoder.decode(output.stdout) + decoder.decode(output.stderr);
}

/** The compiled program; without it (tests on bare machines) there is no test. */
const testusb = Deno.env.get("GADGET_TESTUSB");

Deno.test({
  name: "examples/gadget_zero.ts passes the kernel's own conformance suite",
  ignore: testusb === undefined,
}, async () => {
  const iterations = String(soak(1000, 6));
  assertEquals(await run("modprobe", ["usbtest"]), "");
  try {
    await using example = startExample("gadget_zero.ts", {
      args: [maxSpeed],
    });
    const ids = { vendorId: 0x0525, productId: 0xa4a0 };
    const { path } = await waitForDevice(ids, { timeout: 60_000 });
    for (const [number, options] of Object.entries(CASES)) {
      const started = performance.now();
      const text = await run(testusb!, [
        ...["-D", path, "-t", number, "-c", iterations],
        ...options,
      ]);
      assert(/test \d+,\s+[\d.]+ secs/.test(text), `test ${number}: ${text}`);
      const seconds = (performance.now() - started) / 1000;
      if (seconds > 20) console.log(`test ${number}: ${seconds.toFixed(0)} s`);
    }
    const { status, text } = await example.end("SIGINT");
    assertEquals([text, status.signal], ["", "SIGINT"]);
  } finally {
    await run("modprobe", ["-r", "usbtest"]);
  }
});
