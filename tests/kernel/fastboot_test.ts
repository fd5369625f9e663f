// VM: --processors 1, a class of device, newest kernel
/**
 * examples/devices/fastboot.ts with Android's program fastboot as its host.
 *
 * GADGET_SEED=N leaves at the same places as a run that has printed N.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Gadget } from "@usb/gadget";
import { TestHost } from "@usb/gadget/testing";
import { Fastboot, filePartition } from "../../examples/devices/fastboot.ts";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../src/testing/usbfs/find.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { reportedErrors } from "../support/gadgets/reported_errors.ts";
import { makeImageFolder } from "../support/gadgets/storage_bench.ts";
import { waitForUrbs } from "../support/host/urbs.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import {
  runProgram,
  startExample,
  startProgram,
} from "../support/programs/example.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const IDS = { vendorId: 0x18d1, productId: 0x4ee0 };
const MIB = 1 << 20;

/** Runs fastboot, which has to succeed, and returns its output. */
async function fastboot(...args: string[]): Promise<string> {
  const { status, text } = await runProgram("fastboot", { args });
  assertEquals(status.code, 0, text);
  return text;
}

/** Runs fastboot, which has to fail, and returns its output. */
async function failFastboot(...args: string[]): Promise<string> {
  const { status, text } = await runProgram("fastboot", { args });
  assertEquals(status.code, 1, text);
  return text;
}

Deno.test("examples/devices/fastboot.ts is flashed by fastboot", async () => {
  const before = gadgetTraces();
  await using folder = await makeImageFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  const image = pattern(8 * MIB);
  await Deno.writeFile(at("image"), image);
  await Deno.writeFile(at("boot"), new Uint8Array(9 * MIB));
  await Deno.writeFile(at("small"), new Uint8Array(MIB));
  const expectBoot = async (start: Uint8Array) => {
    const expected = new Uint8Array(9 * MIB);
    expected.set(start);
    const got = await Deno.readFile(at("boot"));
    assertEquals(firstDifference(got, expected), -1);
  };
  await using program = startExample("devices/fastboot.ts", {
    args: [`boot=${at("boot")}`, `small=${at("small")}`],
    permissions: ["--allow-ffi", "--allow-read", "--allow-write"],
  });
  await waitForDevice(IDS);
  assertEquals(await fastboot("devices"), "0001\tfastboot\n");
  const all = await fastboot("getvar", "all");
  for (
    const line of [
      "version:0.4",
      "product:example",
      "serialno:0001",
      "is-userspace:no",
      "max-download-size:0x4000000",
      "partition-size:boot:0x900000",
      "partition-type:boot:raw",
      "partition-size:small:0x100000",
    ]
  ) assertStringIncludes(all, `(bootloader) ${line}\n`);
  assertStringIncludes(
    await fastboot("getvar", "product"),
    "product: example\n",
  );

  await fastboot("flash", "boot", at("image"));
  await expectBoot(image);
  await fastboot("erase", "boot");
  await expectBoot(new Uint8Array(0));
  // In sparse parts of at most 512 KiB
  const short = image.subarray(0, 2 * MIB);
  await Deno.writeFile(at("short"), short);
  const parts = await fastboot("-S", "512K", "flash", "boot", at("short"));
  assertStringIncludes(parts, "Sending sparse 'boot'");
  await expectBoot(short);

  for (
    const [args, reason] of [
      [["flash", "nowhere", at("short")], "no partition nowhere"],
      [
        ["flash", "small", at("short")],
        "image of 2097152 bytes, partition of 1048576",
      ],
      [["erase", "nowhere"], "no partition nowhere"],
      [["oem", "unlock"], "unknown command"],
    ] as const
  ) {
    assertStringIncludes(
      await failFastboot(...args),
      `FAILED (remote: '${reason}')`,
    );
  }
  assertEquals(await Deno.readFile(at("small")), new Uint8Array(MIB));

  const { address } = await waitForDevice(IDS);
  await fastboot("reboot", "bootloader");
  let device = await waitForDevice(IDS);
  while (device.address === address) device = await waitForDevice(IDS);
  await fastboot("reboot");
  assertEquals((await program.process.status).code, 0);
  const { text } = await program.end("SIGKILL");
  assertEquals(text, "Leaves fastboot mode: reboot\n");
  await waitForNoDevice(IDS);
  assertEquals(gadgetTraces(), before);
});

const WAYS = {
  "a reset of the port": (host: TestHost) => host.reset(),
  "an unplugged cable": async (host: TestHost) => {
    await host.unplug();
    await host.plug();
  },
  "a killed fastboot": (_: TestHost, program: Deno.ChildProcess) =>
    program.kill("SIGKILL"),
};

for (const [what, leave] of Object.entries(WAYS)) {
  Deno.test(`${what} in the middle of a download flashes nothing, and the next fastboot works`, async () => {
    const seed = testSeed();
    const random = new Random(seed);
    await using folder = await makeImageFolder();
    const at = (name: string) => `${folder.path}/${name}`;
    await Deno.writeFile(at("large"), pattern(32 * MIB));
    await Deno.writeFile(at("boot"), new Uint8Array(32 * MIB));
    await using gadget = await Gadget.start({
      ...IDS,
      maxSpeed: gadgetSpeed().maxSpeed,
      serialNumber: "1",
      microsoftOs: true,
      functions: [
        new Fastboot({
          product: "example",
          serialNumber: "1",
          partitions: { boot: await filePartition(at("boot")) },
          patience: 1000,
        }),
      ],
    });
    const { errors } = reportedErrors(gadget.functions.fastboot.events);
    await using host = await TestHost.open(gadget);
    let flashed = new Uint8Array(0);
    for (let round = 0; round < soak(25, 2); round++) {
      const where = `seed ${seed}, round ${round}`;
      await using program = startProgram("fastboot", {
        args: ["flash", "boot", at("large")],
      });
      await waitForUrbs(IDS, random.int(20, 500));
      await leave(host, program.process);
      // After a reset between two of its transfers, it would go on.
      assert(!(await program.end("SIGKILL")).status.success, where);
      const boot = await Deno.readFile(at("boot"));
      assertEquals(
        firstDifference(boot.subarray(0, flashed.length), flashed),
        -1,
        where,
      );
      flashed = pattern(random.int(1, 100_000), round);
      await Deno.writeFile(at("next"), flashed);
      await fastboot("flash", "boot", at("next"));
      const now = await Deno.readFile(at("boot"));
      assertEquals(
        firstDifference(now.subarray(0, flashed.length), flashed),
        -1,
        where,
      );
    }
    assertEquals(errors, []);
  });
}
