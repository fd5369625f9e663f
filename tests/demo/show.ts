/**
 * The demo itself: starts `examples/echo.ts` as its user would, looks at the
 * device as its host, and sends 16 MiB through it and back.
 *
 * @module
 */
import { decodeDescriptors, formatDescriptors } from "@usb/gadget/inspect";
import { startExample } from "../support/programs/example.ts";
import { openWebUsb } from "../support/host/webusb.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { waitForDevice } from "../../src/testing/usbfs/find.ts";

const IDS = { vendorId: 0x1209, productId: 0x0001, timeout: 30_000 };
const TOTAL = 16 << 20;
/** Around every border: packets of all speeds, pages, kernel requests. */
const SIZES = [
  ...[1, 2, 3, 31, 63, 64, 65, 511, 512, 513, 1023, 1024, 1025],
  ...[4095, 4096, 4097, 16383, 65536, 65537, 262144, 1000000],
];
const LARGEST = 1 << 20;

const SPEEDS: Record<string, "full" | "high" | "super"> = {
  "12": "full",
  "480": "high",
  "5000": "super",
};

/** What the host knows about the device, as readable lines. */
async function describeDevice(): Promise<string> {
  const info = await waitForDevice(IDS);
  const read = (file: string) =>
    Deno.readTextFileSync(`${info.sysfsPath}/${file}`).trim();
  const bytes = Deno.readFileSync(`${info.sysfsPath}/descriptors`);
  const deviceLength = bytes[0];
  const configuration = decodeDescriptors(bytes.subarray(deviceLength));
  const first = configuration.descriptors.find((each) =>
    each.kind === "interface"
  );
  const strings = first === undefined ? {} : {
    [first.string]: read(`${info.name}:${configuration.value}.0/interface`),
  };
  return [
    `Device ${read("idVendor")}:${read("idProduct")}, USB ${read("version")}` +
    `, ${info.speed} Mbit/s, "${read("manufacturer")}" "${read("product")}"` +
    ` "${read("serial")}"`,
    formatDescriptors(configuration, { speed: SPEEDS[info.speed], strings }),
  ].join("\n");
}

async function main(): Promise<number> {
  const before = gadgetTraces();
  await using example = startExample("echo.ts");
  const died = example.process.status.then(async () => {
    throw new Error((await example.end("SIGTERM")).text);
  });
  const host = await Promise.race([openWebUsb(IDS), died]);
  died.catch(() => {});
  console.log("examples/echo.ts has become a USB device. Its host sees:\n");
  console.log(await describeDevice());
  console.log("\nThe host sends, and compares what comes back:\n");

  const sizes = [...SIZES];
  let moved = 0;
  let mismatches = 0;
  const started = performance.now();
  while (moved < TOTAL) {
    const size = Math.min(sizes.shift() ?? LARGEST, TOTAL - moved);
    const bytes = pattern(size, moved);
    if (firstDifference(bytes, await host.roundTrip(bytes)) >= 0) mismatches++;
    moved += size;
    const megabytes = (moved / (1 << 20)).toFixed(2);
    console.log(
      `  ${String(size).padStart(7)} bytes, ${
        megabytes.padStart(5)
      } of 16 MiB, ${mismatches} mismatches`,
    );
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  await host.close();
  const { status } = await example.end("SIGINT");
  const left = gadgetTraces().filter((trace) => !before.includes(trace));
  console.log(
    `\n${seconds} s. Ctrl+C (${status.signal}) has ended the gadget, and ${
      left.length === 0 ? "nothing" : left.join(", ")
    } is left of it.`,
  );
  console.log(`echo: ${moved} bytes out and back, ${mismatches} mismatches`);
  return mismatches === 0 && left.length === 0 ? 0 : 1;
}

Deno.exit(await main());
