// VM: --processors 1, a class of device, newest kernel
/**
 * examples/devices/cmsis_dap.ts with openocd as its host.
 *
 * GADGET_SEED=N leaves at the same places as a run that has printed N.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Gadget } from "@usb/gadget";
import { TestHost } from "@usb/gadget/testing";
import { CmsisDap } from "../../examples/devices/cmsis_dap.ts";
import { MemoryTarget } from "../../examples/devices/swd_target.ts";
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

const IDS = { vendorId: 0x1209, productId: 0x0001 };
/** Bytes that take a while. */
const SIZE = 32_768;

/** The arguments of openocd for some commands with the chip. */
function argumentsFor(...commands: string[]): string[] {
  return [
    "adapter driver cmsis-dap",
    "cmsis_dap_backend usb_bulk",
    "transport select swd",
    "swd newdap chip cpu -expected-id 0x2ba01477",
    "dap create chip.dap -chain-position chip.cpu",
    "target create chip.mem mem_ap -dap chip.dap -ap-num 0",
    "init",
    ...commands,
    "exit",
  ].flatMap((command) => ["-c", command]);
}

/** Runs openocd, which has to succeed, and returns its output. */
async function openocd(...commands: string[]): Promise<string> {
  const args = argumentsFor(...commands);
  const { status, text } = await runProgram("openocd", { args });
  assertEquals(status.code, 0, text);
  return text;
}

/** Writes the chip's memory and reads it, with openocd, and expects no difference. */
async function expectMemory(folder: string, data: Uint8Array): Promise<void> {
  await Deno.writeFile(`${folder}/sent`, data);
  await openocd(
    `load_image ${folder}/sent 0x20000000 bin`,
    `dump_image ${folder}/got 0x20000000 ${data.length}`,
  );
  const got = await Deno.readFile(`${folder}/got`);
  assertEquals(firstDifference(got, data), -1);
}

Deno.test("examples/devices/cmsis_dap.ts shows its chip to openocd", async () => {
  const before = gadgetTraces();
  await using folder = await makeImageFolder();
  await using program = startExample("devices/cmsis_dap.ts");
  await waitForDevice(IDS);
  const info = await openocd("chip.dap info");
  for (
    const line of [
      "CMSIS-DAP: SWD supported",
      "CMSIS-DAP: FW Version = 2.1.0",
      "SWD DPIDR 0x2ba01477",
      "AP ID register 0x24770011",
      "No ROM table present",
    ]
  ) assertStringIncludes(info, line);
  const text = await openocd(
    "mww 0x20000000 0x11223344 4",
    "mwb 0x20000005 0xaa",
    "mwh 0x2000000a 0xbbcc",
    "mdb 0x20000000 12",
    // There is no memory. The next access works.
    "catch {read_memory 0x10000000 32 1} failure",
    'echo "caught $failure"',
    "mdw 0x20000000",
  );
  assertStringIncludes(
    text,
    "0x20000000: 44 33 22 11 44 aa 22 11 44 33 cc bb",
  );
  assertStringIncludes(text, "caught ");
  assertStringIncludes(text, "0x20000000: 11223344");
  await expectMemory(folder.path, pattern(SIZE));
  assertEquals((await program.end("SIGINT")).text, "");
  await waitForNoDevice(IDS);
  assertEquals(gadgetTraces(), before);
});

const WAYS = {
  "a reset of the port": (host: TestHost) => host.reset(),
  "an unplugged cable": async (host: TestHost) => {
    await host.unplug();
    await host.plug();
  },
  "a killed openocd": (_: TestHost, program: Deno.ChildProcess) =>
    program.kill("SIGKILL"),
};

for (const [what, leave] of Object.entries(WAYS)) {
  Deno.test(`${what} in the middle of transfers leaves a probe that works`, async () => {
    const seed = testSeed();
    const random = new Random(seed);
    await using folder = await makeImageFolder();
    const image = `${folder.path}/image`;
    await Deno.writeFile(image, pattern(SIZE, 1));
    await using gadget = await Gadget.start({
      ...IDS,
      maxSpeed: gadgetSpeed().maxSpeed,
      serialNumber: "1",
      microsoftOs: true,
      functions: [new CmsisDap(new MemoryTarget())],
    });
    const { errors } = reportedErrors(gadget.functions.probe.events);
    await using host = await TestHost.open(gadget);
    for (let round = 0; round < soak(25, 2); round++) {
      const where = `seed ${seed}, round ${round}`;
      await using program = startProgram("openocd", {
        args: argumentsFor(
          `while 1 {load_image ${image} 0x20000000 bin}`,
        ),
      });
      await waitForUrbs(IDS, random.int(1, 500));
      await leave(host, program.process);
      const { status } = await program.end("SIGKILL");
      assert(!status.success, where);
      await expectMemory(folder.path, pattern(random.int(1, 5000), round));
    }
    assertEquals(errors, []);
  });
}
