/**
 * A host that sends nonsense, as much of it as it can.
 *
 * @module
 */
// VM: any speed
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { type SetupRequest, Stall, unhandled } from "@usb/gadget";
import { aborted, startControl, VENDOR } from "../support/gadgets/control.ts";
import { watchEventLoop } from "../support/measure/heartbeat.ts";
import { usedMemory } from "../support/measure/memory.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { soak } from "../support/run/soak.ts";
import { UrbType } from "../../src/testing/usbfs/abi.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";

const REQUESTS = soak(50_000, 1_500);
/** Then the host resets the device, since it may have deconfigured it. */
const ROUND = 500;
/** How many wait in the host's controller. */
const DEPTH = 4;
const MAX_GROWTH = 16 << 20;

const SET_ADDRESS = 5;
const SANE = { ...VENDOR, request: 0xaa, value: 0xbeef, length: 2 };

/** Does anything, by the request's own bytes. */
function handle(setup: SetupRequest) {
  if (setup.request === SANE.request && setup.value === SANE.value) {
    return Uint8Array.of(0xca, 0xfe);
  }
  switch (setup.value % 7) {
    case 0:
      return new Uint8Array(setup.length + 1); // for OUT requests an error
    case 1:
      throw new Error("no");
    case 2:
      throw new Stall();
    case 3:
      return aborted(setup);
    case 4:
      return unhandled;
    case 5:
      return setup.receive().then(() => {}); // for IN requests an error
    default:
      return undefined;
  }
}

/** A control URB with random bytes for a setup packet; may be given up. */
function attack(device: UsbfsDevice, random: Random): Promise<unknown> {
  const buffer = new Uint8Array(8 + 65_535);
  for (let at = 0; at < 6; at++) buffer[at] = random.int(0, 255);
  const standard = (buffer[0] & 0x60) === 0;
  // The host would not find the device any more.
  if (standard && buffer[1] === SET_ADDRESS) buffer[1] = 0;
  const length = random.chance() ? random.int(0, 64) : random.int(0, 65_535);
  buffer[6] = length;
  buffer[7] = length >> 8;
  const urb = device.submit({
    type: UrbType.control,
    endpoint: buffer[0] & 0x80,
    buffer: buffer.subarray(0, 8 + length),
  });
  const timer = setTimeout(() => urb.discard(), random.int(0, 30));
  return urb.completion.finally(() => clearTimeout(timer));
}

async function flood(device: UsbfsDevice, random: Random, count: number) {
  const attacker = async () => {
    while (count-- > 0) await attack(device, random);
  };
  await Promise.all(Array.from({ length: DEPTH }, attacker));
}

/** Bytes of this process that a leak would add to. */
const memory = () =>
  usedMemory(({ heapUsed, external }) => heapUsed + external);

Deno.test(`a gadget that ${REQUESTS} hostile requests were sent to answers, and uses no more memory`, async () => {
  const seed = testSeed();
  console.log(`seed: GADGET_SEED=${seed}`);
  const random = new Random(seed);
  let errors = 0;
  await using it = await startControl({
    control: handle,
    onError: () => errors++,
  });
  // Setup packets of any kind are not for a TestHost.
  await using device = await UsbfsDevice.find(it.gadget.definition);
  await device.claimInterface(0);
  let first = 0;
  for (let sent = 0; sent < REQUESTS; sent += ROUND) {
    {
      // A garbage collection stops the event loop as well.
      using _ = watchEventLoop();
      await flood(device, random, ROUND);
    }
    await device.reset();
    await it.fs.enabled();
    assertEquals(await it.host.controlIn(SANE), Uint8Array.of(0xca, 0xfe));
    first ||= await memory();
  }
  assert(errors > 0);
  const growth = await memory() - first;
  assert(growth < MAX_GROWTH, `${growth} bytes more are used`);
});
