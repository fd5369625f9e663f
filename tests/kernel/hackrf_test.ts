// VM: a class of device, newest kernel
/**
 * examples/devices/hackrf.ts, with hackrf_info and hackrf_transfer as its hosts.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { Gadget } from "@usb/gadget";
import { type Air, HackRf } from "../../examples/devices/hackrf.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../src/testing/usbfs/find.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { reportedErrors } from "../support/gadgets/reported_errors.ts";
import { makeImageFolder } from "../support/gadgets/storage_bench.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { startExample } from "../support/programs/example.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

const IDS = { vendorId: 0x1d50, productId: 0x6089 };
const MIB = 1 << 20;
/** Samples per second: more than the bus has. */
const FASTEST = 20_000_000;

/** Air that is a counter of 32 bits. */
const counter: Air = {
  *receive() {
    const words = new Uint32Array(16_384);
    for (let next = 0;;) {
      for (let index = 0; index < words.length; index++) words[index] = next++;
      yield new Uint8Array(words.buffer);
    }
  },
};

/** Whether a file is the counter from 0 on. */
async function assertCounts(path: string, size: number): Promise<void> {
  const words = new Uint32Array((await Deno.readFile(path)).buffer);
  assertEquals(words.byteLength, size);
  assertEquals(words.findIndex((word, index) => word !== index), -1);
}

function start(program: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs a program to its end, which has to be a success. */
async function run(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await start(program, ...args).output();
  const text = new TextDecoder().decode(stdout) +
    new TextDecoder().decode(stderr);
  assertEquals(code, 0, text);
  return text;
}

/** Receives some bytes into a file. */
function receive(path: string, size: number, { frequency = 100_000_000 } = {}) {
  return run("hackrf_transfer", ...[
    ...["-r", path, "-n", `${size / 2}`],
    ...["-s", `${FASTEST}`, "-f", `${frequency}`],
  ]);
}

/** A running gadget. */
async function startRadio(air: Air) {
  const radio = new HackRf(air);
  const gadget = await Gadget.start({
    ...IDS,
    deviceVersion: 0x0104,
    maxSpeed: "high-speed",
    functions: [radio],
  });
  const folder = await makeImageFolder();
  const { errors } = reportedErrors(gadget.functions.radio.events);
  await waitForDevice(IDS);
  return {
    radio,
    gadget,
    path: folder.path,
    async [Symbol.asyncDispose]() {
      await gadget.stop();
      await waitForNoDevice(IDS);
      await folder[Symbol.asyncDispose]();
      assertEquals(errors, []);
    },
  };
}

Deno.test("examples/devices/hackrf.ts: hackrf_info finds it, and hackrf_transfer its carrier", async () => {
  const before = gadgetTraces();
  await using folder = await makeImageFolder();
  const path = `${folder.path}/samples`;
  await using example = startExample("devices/hackrf.ts");
  await waitForDevice(IDS);
  const info = await run("hackrf_info");
  for (
    const line of [
      "Serial number: 0000000000000000123456789abcdef0",
      "Board ID Number: 2 (HackRF One)",
      "Firmware Version: 2021.03.1 (API:1.04)",
      "Part ID Number: 0xa000cb3c 0x004f4f61",
    ]
  ) assertStringIncludes(info, line);
  // A quarter of the rate below the carrier: a quarter of a turn each sample.
  await receive(path, MIB, { frequency: 95_000_000 });
  const turn = new Int8Array([100, 0, 0, 100, -100, 0, 0, -100]);
  const samples = new Int8Array((await Deno.readFile(path)).buffer);
  assertEquals(samples.length, MIB);
  assertEquals(
    samples.findIndex((each, index) => each !== turn[index % 8]),
    -1,
  );
  await receive(path, MIB, { frequency: 433_000_000 });
  assertEquals(await Deno.readFile(path), new Uint8Array(MIB));
  assertEquals((await example.end("SIGINT")).text, "");
  await waitForNoDevice(IDS);
  assertEquals(gadgetTraces(), before);
});

Deno.test("hackrf_transfer receives 16 MiB without a gap, and again from the beginning", async () => {
  await using bench = await startRadio(counter);
  const path = `${bench.path}/samples`;
  for (let round = 0; round < soak(20, 2); round++) {
    await receive(path, 16 * MIB);
    await assertCounts(path, 16 * MIB);
  }
});

Deno.test("hackrf_transfer makes settings, which the program sees", async () => {
  await using bench = await startRadio(counter);
  await run("hackrf_transfer", ...[
    ...["-r", "/dev/null", "-n", "2", "-f", "2450000001", "-s", "8000000"],
    ...["-b", "7000000", "-a", "1", "-p", "1", "-l", "24", "-g", "30"],
  ]);
  assertEquals(bench.radio.tuning, {
    frequency: 2_450_000_001,
    sampleRate: 8_000_000,
    bandwidth: 7_000_000,
    amplifier: true,
    antennaPower: true,
    lnaGain: 24,
    vgaGain: 30,
    txVgaGain: 0,
  });
});

Deno.test("hackrf_transfer transmits all of a file", async () => {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  await using bench = await startRadio({
    ...counter,
    async transmit(samples) {
      for await (const each of samples) parts.push(each);
    },
  });
  const path = `${bench.path}/samples`;
  const sent = pattern(2_900_002);
  await Deno.writeFile(path, sent);
  for (let round = 0; round < soak(10, 2); round++) {
    await run("hackrf_transfer", "-t", path, "-f", "1000000", "-x", "40");
    assertEquals(bench.radio.tuning.txVgaGain, 40);
    const got = await new Blob(parts.splice(0)).bytes();
    assertEquals(firstDifference(got.subarray(0, sent.length), sent), -1);
    // Then come whole packets of zeros.
    assertEquals(got.subarray(sent.length).some((each) => each !== 0), false);
  }
});

for (
  const [what, leave] of [
    ["is killed", () => {}],
    ["loses its device by a reset", async () => {
      await using device = await UsbfsDevice.find(IDS);
      await device.reset();
    }],
    ["loses its device by an unplugged cable", async (gadget) => {
      gadget.unbind();
      await waitForNoDevice(IDS);
      await gadget.bind();
    }],
  ] as [string, (gadget: Gadget) => unknown][]
) {
  Deno.test(`a hackrf_transfer that ${what} leaves a radio that works, without stale samples`, async () => {
    await using bench = await startRadio(counter);
    const path = `${bench.path}/samples`;
    for (let round = 0; round < soak(30, 2); round++) {
      const program = start(
        "hackrf_transfer",
        ...["-r", path, "-s", `${FASTEST}`],
      );
      const output = program.output();
      await until(() => sizeOf(path) > round * MIB, "samples have come");
      await leave(bench.gadget);
      program.kill("SIGKILL");
      await output;
      await waitForDevice(IDS);
      await receive(path, MIB);
      await assertCounts(path, MIB);
      await Deno.remove(path);
    }
  });
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}
