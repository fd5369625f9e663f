/**
 * A host enumerates random definitions that the validator accepts. It must see
 * them as declared, byte for byte, and its kernel must log no complaint.
 *
 * GADGET_SEED=N starts with the gadget that a failed run has reported.
 *
 * @module
 */
// VM: any architecture
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import {
  compileFunction,
  decodeDescriptors,
  DUMMY_UDC,
  formatDescriptors,
  validateFunction,
} from "@usb/gadget/inspect";
import {
  type FunctionSpeed,
  Gadget,
  type UsbFunction,
  usbFunction,
} from "@usb/gadget";
import { KernelLog } from "../../src/remedies/kernel_log.ts";
import { arbitraryDefinition } from "../support/descriptors/arbitrary.ts";
import { testKernel } from "../support/run/kernel_version.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../src/testing/usbfs/find.ts";
import {
  type EndpointRequest,
  pickEndpoints,
} from "../../src/check/endpoint_choice.ts";

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

/** Returns one or two functions that fit on dummy_hcd, or nothing if the validator rejects them. */
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
    `the host sees\n${formatDescriptors(decodeDescriptors(configuration))}\n` +
      `bytes    ${hex(body)}\nexpected ${hex(expected)}`,
  );
}

function hex(bytes: readonly number[]): string {
  return Uint8Array.from(bytes).toHex();
}

// What a host must see: the descriptors that were written to ep0, with the
// numbers that the kernel replaces. It shares no code with the package.

/** The speeds in the order of FunctionFS. */
const SPEEDS = ["full", "high", "super"] as const;
type SpeedName = typeof SPEEDS[number];

const INTERFACE = 0x04;
const ENDPOINT = 0x05;
const ASSOCIATION = 0x0b;
const TRANSFER_TYPES = [
  undefined,
  "isochronous",
  "bulk",
  "interrupt",
] as const;

/** The descriptors of each speed of a block. */
type SpeedLists = { readonly [S in SpeedName]?: readonly Uint8Array[] };

/** Extracts the lists from a block in format version 2 without an eventfd. */
function speedLists(block: Uint8Array<ArrayBuffer>): SpeedLists {
  const view = new DataView(block.buffer, block.byteOffset);
  const flags = view.getUint32(8, true);
  const counts: number[] = [];
  let at = 12;
  for (let bit = 0; bit < 4; bit++) {
    if ((flags & 1 << bit) === 0) continue;
    counts.push(view.getUint32(at, true));
    at += 4;
  }
  const lists: Partial<Record<SpeedName, Uint8Array[]>> = {};
  SPEEDS.forEach((speed, bit) => {
    if ((flags & 1 << bit) === 0) return;
    const list: Uint8Array[] = [];
    for (let left = counts.shift()!; left > 0; left--) {
      list.push(block.slice(at, at + block[at]));
      at += block[at];
    }
    lists[speed] = list;
  });
  return lists;
}

/**
 * Returns the addresses that the kernel picks from dummy_hcd for the functions of a gadget, in order. The kernel uses
 * the first list with endpoints of each function.
 *
 * @returns The addresses of each function's endpoints, or undefined if the controller has too few.
 */
function dummyAddresses(
  functions: readonly SpeedLists[],
): number[][] | undefined {
  const requests = functions.map((lists) =>
    SPEEDS.map((speed) => endpointsOf(lists[speed] ?? []))
      .find((it) => it.length > 0) ?? []
  );
  const picked = pickEndpoints(DUMMY_UDC, requests.flat());
  const known = picked.filter((it) => it !== undefined);
  if (new Set(known).size < picked.length) return undefined;
  return requests.map(({ length }) => known.splice(0, length));
}

function endpointsOf(list: readonly Uint8Array[]): EndpointRequest[] {
  return list.filter((it) => it[1] === ENDPOINT).map((it) => ({
    direction: it[2] & 0x80 ? "in" : "out",
    transferType: TRANSFER_TYPES[it[3] & 3]!,
    maxPacketSize: (it[4] | it[5] << 8) & 0x7ff,
  }));
}

/** The numbers used by the functions before a function in its gadget. */
interface Offsets {
  /** Interfaces. */
  interfaces: number;
  /** String identifiers. The function's first one is the next. */
  strings: number;
}

/**
 * Replaces a function's numbers with those that the host sees, as the kernel does.
 *
 * @param list The descriptors of the current speed.
 * @param offsets The numbers used before the function; advanced past it.
 */
function hostView(
  list: readonly Uint8Array[],
  addresses: readonly number[],
  offsets: Offsets,
): number[] {
  const numbers = new Map<number, number>();
  let endpoint = 0;
  let strings = 0;
  const stringId = (index: number) => {
    strings = Math.max(strings, index);
    return index === 0 ? 0 : offsets.strings + index;
  };
  const bytes = list.flatMap((descriptor) => {
    const copy = [...descriptor];
    switch (copy[1]) {
      case INTERFACE: {
        const number = numbers.get(copy[2]) ??
          offsets.interfaces + numbers.size;
        numbers.set(copy[2], number);
        copy[2] = number;
        copy[8] = stringId(copy[8]);
        break;
      }
      case ENDPOINT:
        copy[2] = addresses[endpoint++];
        break;
      case ASSOCIATION:
        copy[7] = stringId(copy[7]);
        break;
    }
    return copy;
  });
  offsets.interfaces += numbers.size;
  offsets.strings += strings;
  return bytes;
}
