/**
 * Random definitions that the validator takes are given to a host, which must
 * see them as they were declared, byte for byte, and complain about nothing.
 *
 * GADGET_SEED=N begins with the gadget that a failed run has named.
 *
 * @module
 */
import "../support/libraries.ts";
import { assert, assertEquals } from "@std/assert";
import {
  compileFunction,
  decodeDescriptors,
  DUMMY_UDC,
  formatTree,
  validateFunction,
} from "@usb/gadget/inspect";
import {
  type FunctionSpeed,
  Gadget,
  type UsbFunction,
  usbFunction,
} from "@usb/gadget";
import { KernelLog } from "../../src/gadget/udc/kernel_log.ts";
import { arbitraryDefinition } from "../support/descriptors_arbitrary.ts";
import {
  dummyAddresses,
  hostView,
  speedLists,
} from "../support/descriptors_host_view.ts";
import { testKernel } from "../support/kernel_version.ts";
import { Random } from "../support/random.ts";
import { testSeed } from "../support/seed.ts";
import { soak } from "../support/soak.ts";
import { gadgetSpeed } from "../support/speed.ts";
import { waitForDevice, waitForNoDevice } from "../support/usbfs_find.ts";

const COUNT = soak(200, 25);
const CONFIGURATION_LENGTH = 9;
const ids = { vendorId: 0x1209, productId: 0x0001 };
const kernel = testKernel();
const { maxSpeed } = gadgetSpeed();
const speed = maxSpeed.replace("-speed", "") as FunctionSpeed;
const context = {
  kernel,
  udc: { ...DUMMY_UDC, maximumSpeed: maxSpeed },
};

Deno.test("the host sees random definitions byte for byte", async () => {
  const started = performance.now();
  const first = testSeed();
  let seed = first;
  let functions = 0;
  for (let count = 0; count < COUNT; seed = (seed + 1) >>> 0) {
    const random = new Random(seed);
    const chosen = randomFunctions(random);
    if (chosen === undefined) continue;
    try {
      await enumerate(chosen, `descriptors ${seed}`);
    } catch (cause) {
      throw new Error(`Again with GADGET_SEED=${seed}: ${cause}`, { cause });
    }
    count++;
    functions += chosen.length;
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${COUNT} gadgets with ${functions} functions in ${seconds} s, seed ${first}`,
  );
});

/** One function or two that fit on dummy_hcd, or nothing where the validator says that they do not. */
function randomFunctions(random: Random): UsbFunction[] | undefined {
  const functions: UsbFunction[] = [];
  const count = random.chance(0.4) ? 2 : 1;
  for (let i = 1; i <= count; i++) {
    const definition = {
      ...arbitraryDefinition(random, {
        isochronous: false,
        maxEndpoints: 8 / count,
        dfu: kernel.major > 6 || kernel.minor >= 12,
      }),
      name: `f${i}`,
    };
    if (validateFunction(definition, context).length > 0) return undefined;
    functions.push(usbFunction(definition));
  }
  const lists = functions.map((it) => speedLists(compile(it).descriptors));
  return dummyAddresses(lists) === undefined ? undefined : functions;
}

function compile(definition: UsbFunction, interfaceOffset = 0) {
  return compileFunction(definition, { interfaceOffset, kernel });
}

async function enumerate(functions: UsbFunction[], serialNumber: string) {
  const match = { ...ids, serialNumber };
  using log = new KernelLog();
  {
    await using gadget = await Gadget.start({
      ...match,
      maxSpeed,
      microsoftOs: true,
      functions,
    });
    await Promise.all(
      functions.map(({ name }) => gadget.functions[name].enabled()),
    );
    const { sysfsPath } = await waitForDevice(match);
    const bytes = await Deno.readFile(`${sysfsPath}/descriptors`);
    assertHostView(bytes, functions);
  }
  await waitForNoDevice(match);
  const complaints = log.lines().filter((it) =>
    /^usb \d+-[\d.]+: config \d/.test(it)
  );
  assertEquals(complaints, [], "the host complains");
}

function assertHostView(
  seen: Uint8Array,
  functions: readonly UsbFunction[],
): void {
  const device = seen.subarray(0, 18);
  const configuration = seen.subarray(18);
  const offsets = {
    interfaces: 0,
    // The strings of the device and of the configuration come first.
    strings: Math.max(...device.subarray(14, 17), configuration[6]),
  };
  const lists = functions.map((it) => speedLists(compile(it).descriptors));
  const addresses = dummyAddresses(lists)!;
  const expected = functions.flatMap((it, index) => {
    const { descriptors } = compile(it, offsets.interfaces);
    const list = speedLists(descriptors)[speed]!;
    return hostView(list, addresses[index], offsets);
  });
  const total = CONFIGURATION_LENGTH + expected.length;
  assertEquals(
    [...configuration.subarray(0, 5)],
    [CONFIGURATION_LENGTH, 2, total & 0xff, total >> 8, offsets.interfaces],
    "the configuration descriptor",
  );
  const body = [...configuration.subarray(CONFIGURATION_LENGTH)];
  assert(
    body.length === expected.length &&
      body.every((it, index) => it === expected[index]),
    `the host sees\n${formatTree(decodeDescriptors(configuration))}\n` +
      `bytes    ${hex(body)}\nexpected ${hex(expected)}`,
  );
}

function hex(bytes: readonly number[]): string {
  return Uint8Array.from(bytes).toHex();
}
