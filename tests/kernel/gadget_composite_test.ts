/**
 * The device of the kernel's FunctionFS page, in three processes: its host has
 * a network, a keyboard and data.
 *
 * @module
 */
// VM: any speed
import { setTimeout as delay } from "node:timers/promises";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type BulkEndpoints, roundTrip } from "../support/host/echo.ts";
import {
  type RunningExample,
  startExample,
} from "../support/programs/example.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { pattern } from "../support/data/pattern.ts";
import { shell } from "../support/machine/shell.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../src/testing/usbfs/find.ts";
import "../support/run/aio_libraries.ts";

const ids = { vendorId: 0x1209, productId: 0x0003 };
/** Emulation, and other work beside it. */
const timeout = 180_000;

async function until<T>(what: string, look: () => Promise<T | undefined>) {
  const end = performance.now() + timeout;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`Cannot see ${what}`);
    await delay(50);
  }
}

const exists = (path: string) =>
  Deno.stat(path).then(() => true, () => undefined);

/** The network interface with a MAC address. */
function interfaceOf(address: string): Promise<string> {
  return until(`network interface ${address}`, async () => {
    for await (const { name } of Deno.readDir("/sys/class/net")) {
      const path = `/sys/class/net/${name}/address`;
      const found = await Deno.readTextFile(path).catch(() => "");
      if (found.trim() === address) return name;
    }
    return undefined;
  });
}

/** Waits for a press of "a" at the host's event device of the keyboard. */
async function pressedKey(): Promise<void> {
  const path = await until("event device", async () => {
    for await (const { name } of Deno.readDir("/sys/class/input")) {
      if (!name.startsWith("event")) continue;
      const file = `/sys/class/input/${name}/device/name`;
      const device = await Deno.readTextFile(file).catch(() => "");
      if (device.includes("Composite")) return `/dev/input/${name}`;
    }
    return undefined;
  });
  using events = await Deno.open(path);
  const event = new Uint8Array(24); // struct input_event
  const view = new DataView(event.buffer);
  const EV_KEY = 1;
  const KEY_A = 30;
  for (;;) {
    await events.read(event);
    const [type, code, value] = [
      view.getUint16(16, true),
      view.getUint16(18, true),
      view.getInt32(20, true),
    ];
    if (type === EV_KEY && code === KEY_A && value === 1) return;
  }
}

/** The bulk endpoints of an interface, from sysfs. */
async function endpointsOf(interfacePath: string): Promise<BulkEndpoints> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir(interfacePath)) {
    const address = /^ep_([0-9a-f]{2})$/.exec(name)?.[1];
    if (address !== undefined) found.push(parseInt(address, 16));
  }
  const input = found.find((it) => it >= 0x80)!;
  const output = found.find((it) => it < 0x80)!;
  return { input, output, packetSize: 1024 };
}

/** Sends bytes to the data function, which has interface 2, and back. */
async function sendsBack(): Promise<void> {
  await using device = await UsbfsDevice.find({ ...ids, timeout });
  await device.claimInterface(2);
  const { sysfsPath, name } = device.info;
  const endpoints = await endpointsOf(`${sysfsPath}/${name}:1.2`);
  const bytes = pattern(5000);
  assertEquals(await roundTrip(device, endpoints, bytes), bytes);
}

/** Pings from one end of the cable to the other, in a namespace of its own. */
async function ping(): Promise<void> {
  const gadget = await interfaceOf("02:00:00:00:09:01");
  const host = await interfaceOf("02:00:00:00:09:02");
  const output = await shell(`
    unshare -n sleep 60 & other=$!
    trap "kill $other" EXIT
    while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
    ip link set ${host} netns $other
    nsenter -t $other -n ip address add 10.9.0.2/24 dev ${host}
    nsenter -t $other -n ip link set ${host} up
    ip address add 10.9.0.1/24 dev ${gadget}
    ip link set ${gadget} up
    busybox ping -c 2 -w 30 10.9.0.2
    ip address del 10.9.0.1/24 dev ${gadget}`);
  assertStringIncludes(output, " 0% packet loss");
}

Deno.test("examples/composite.ts is a network, a keyboard and data, and survives the end of its processes", async () => {
  await shell("modprobe -a cdc_ether usbhid hid_generic evdev");
  const before = gadgetTraces();
  await using composer = startExample("composite.ts");
  await until("mounts", () => exists("/dev/ffs-keyboard/ep0"));
  await using data = startExample("composite_data.ts");
  const startKeyboard = () => startExample("composite_keyboard.ts");
  let keyboard: RunningExample = startKeyboard();
  const works = async () => {
    await waitForDevice(ids, { timeout });
    await ping();
    await pressedKey();
    await sendsBack();
  };
  try {
    await works();
    await keyboard.end("SIGKILL");
    await waitForNoDevice(ids, { timeout });
    keyboard = startKeyboard();
    await works();
  } finally {
    await keyboard.end("SIGKILL");
  }
  await data.end("SIGKILL");
  const { status, text } = await composer.end("SIGINT");
  assertStringIncludes(text, "is on ");
  assertEquals(status.signal, "SIGINT");
  assertEquals(gadgetTraces(), before);
  assertEquals(await exists("/dev/ffs-data"), undefined);
});
