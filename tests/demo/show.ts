/**
 * The demo itself: starts `examples/echo.ts` as its user would, looks at the
 * device as its host, and sends 16 MiB through it and back.
 *
 * @module
 */
import { usb } from "usb";
import { decodeDescriptors, formatTree } from "@usb/gadget";
import { startExample } from "../support/echo_program.ts";
import { firstDifference, pattern } from "../support/pattern.ts";

const VENDOR_ID = 0x1209;
const PRODUCT_ID = 0x0001;
const TOTAL = 16 << 20;
/** Around every border: packets of all speeds, pages, kernel requests. */
const SIZES = [
  ...[1, 2, 3, 31, 63, 64, 65, 511, 512, 513, 1023, 1024, 1025],
  ...[4095, 4096, 4097, 16383, 65536, 65537, 262144, 1000000],
];
const LARGEST = 1 << 20;

type Device = NonNullable<Awaited<ReturnType<typeof usb.findDeviceByIds>>>;

async function findDevice(): Promise<Device> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    const device = await usb.findDeviceByIds(VENDOR_ID, PRODUCT_ID);
    if (device !== undefined && device !== null) {
      try {
        await device.open();
        return device;
      } catch {
        // Its files are not there yet.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("The host has not found the device in 30 s");
}

/** The device's descriptors, as the host's kernel has read them. */
function readDescriptors(): Uint8Array {
  const root = "/sys/bus/usb/devices";
  for (const { name } of Deno.readDirSync(root)) {
    const read = (file: string) => {
      try {
        return Deno.readTextFileSync(`${root}/${name}/${file}`).trim();
      } catch {
        return "";
      }
    };
    const id = [read("idVendor"), read("idProduct")]
      .map((text) => parseInt(text, 16));
    if (id[0] === VENDOR_ID && id[1] === PRODUCT_ID) {
      return Deno.readFileSync(`${root}/${name}/descriptors`);
    }
  }
  throw new Error("The host's kernel does not list the device");
}

/** Sends bytes out and takes them back at the same time. */
async function roundTrip(
  device: Device,
  [input, output]: [number, number],
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const back = new Uint8Array(bytes.byteLength);
  const take = async () => {
    for (let at = 0; at < back.byteLength;) {
      const { data, status } = await device.transferIn(
        input,
        back.byteLength - at,
      );
      if (data === undefined) throw new Error(`The host got "${status}"`);
      back.set(
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        at,
      );
      at += data.byteLength;
    }
  };
  await Promise.all([device.transferOut(output, bytes), take()]);
  return back;
}

async function main(): Promise<number> {
  await using example = startExample("echo.ts");
  const device = await Promise.race([
    findDevice(),
    example.process.status.then(async () => {
      throw new Error((await example.end("SIGTERM")).text);
    }),
  ]);
  console.log("examples/echo.ts has become a USB device. Its host sees:\n");
  console.log(formatTree(decodeDescriptors(readDescriptors())));
  await device.claimInterface(0);
  const { endpoints } = device.configuration!.interfaces[0].alternates[0];
  const number = (direction: string) =>
    endpoints.find((each) => each.direction === direction)!.endpointNumber;
  const pair: [number, number] = [number("in"), number("out")];

  let moved = 0;
  let mismatches = 0;
  const started = performance.now();
  while (moved < TOTAL) {
    const size = Math.min(SIZES.shift() ?? LARGEST, TOTAL - moved);
    const bytes = pattern(size, moved);
    const back = await roundTrip(device, pair, bytes);
    if (firstDifference(bytes, back) >= 0) mismatches++;
    moved += size;
    if (SIZES.length > 0 || moved % (4 << 20) < LARGEST) {
      const percent = Math.floor(100 * moved / TOTAL);
      console.log(`  ${String(size).padStart(7)} bytes  ${percent} %`);
    }
  }
  const seconds = (performance.now() - started) / 1000;
  await device.close();
  const { status } = await example.end("SIGINT");
  console.log(
    `\n${
      seconds.toFixed(1)
    } s; the gadget ended by ${status.signal} and is gone`,
  );
  console.log(
    `echo: ${moved} bytes out and back, ${mismatches} mismatches`,
  );
  return mismatches === 0 ? 0 : 1;
}

Deno.exit(await main());
