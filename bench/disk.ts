/**
 * Disks of this package beside the kernel's own mass storage function, by `dd`
 * with direct I/O. Prints a table; to be run in a bed:
 *
 * ```sh
 * deno task uml -- deno run -A --import-map=$PWD/tests/import_map.json \
 *   $PWD/bench/disk.ts [ROUNDS]
 * ```
 *
 * @module
 */
import {
  Gadget,
  type KernelFunction,
  kernelFunction,
  type UsbFunction,
} from "@usb/gadget";
import { fileDisk, MassStorage, memoryDisk } from "@usb/gadget/mass-storage";
import { waitForUnits } from "../tests/support/host/scsi.ts";
import { waitForNoDevice } from "../src/testing/usbfs/find.ts";
import { table } from "./report.ts";

const SIZE = 256 << 20;
const IDS = {
  vendorId: 0x1209,
  productId: 0x0001,
  serialNumber: "000000000001",
} as const;

/** Each size of a request, and how many of them make a measurement. */
const CELLS = [["4k", 2000], ["64k", 1000], ["1M", 200]] as const;

/** Where the blocks are, and what serves them. The last one is the measure. */
function disks(
  folder: string,
): Record<string, () => UsbFunction | KernelFunction> {
  return {
    "memoryDisk": () => new MassStorage({ luns: [memoryDisk(SIZE)] }),
    "fileDisk": () =>
      new MassStorage({
        luns: [fileDisk(`${folder}/ours`, { create: SIZE })],
      }),
    "kernel": () =>
      kernelFunction("mass_storage", { "lun.0/file": `${folder}/kernels` }),
  };
}

/** Runs dd, and returns the microseconds of a request. */
async function measure(
  args: readonly string[],
  count: number,
): Promise<number> {
  const { stderr } = await new Deno.Command("dd", {
    args: [...args, `count=${count}`],
    env: { LC_ALL: "C" },
  }).output();
  const text = new TextDecoder().decode(stderr);
  const seconds = /copied, ([\d.e-]+) s/.exec(text)?.[1];
  if (seconds === undefined) throw new Error(`dd failed: ${text}`);
  return Number(seconds) / count * 1e6;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Measures all disks in turn, so that what disturbs one round disturbs all. */
async function main(rounds: number): Promise<void> {
  const folder = await Deno.makeTempDir();
  const kernels = await Deno.create(`${folder}/kernels`);
  // Not sparse: the kernel writes holes slowly.
  const zeros = new Uint8Array(1 << 20);
  for (let at = 0; at < SIZE; at += zeros.byteLength) {
    await kernels.write(zeros);
  }
  kernels.close();
  await Deno.writeTextFile("/sys/module/usb_storage/parameters/delay_use", "0");
  const kinds = disks(folder);
  const results = new Map<string, Map<string, number[]>>();
  for (let round = 0; round < rounds; round++) {
    for (const [kind, make] of Object.entries(kinds)) {
      const gadget = await Gadget.start({ ...IDS, functions: [make()] });
      const [{ node }] = await waitForUnits(IDS, 1);
      for (const [size, count] of CELLS) {
        const ways = {
          write: ["if=/dev/zero", `of=${node}`, "oflag=direct"],
          read: [`if=${node}`, "of=/dev/null", "iflag=direct"],
        };
        for (const [way, args] of Object.entries(ways)) {
          const time = await measure([...args, `bs=${size}`], count);
          const cell = results.getOrInsertComputed(
            `${way} ${size}`,
            () => new Map(),
          );
          cell.getOrInsertComputed(kind, () => []).push(time);
        }
      }
      await gadget.stop();
      await waitForNoDevice(IDS);
    }
  }
  await Deno.remove(folder, { recursive: true });
  console.log(table([
    ["us a request, and the kernel's speed = 1", ...Object.keys(kinds)],
    ...[...results].map(([name, cell]) => {
      const base = median(cell.get("kernel")!);
      return [
        name,
        ...[...cell.values()].map((times) => {
          const time = median(times);
          return `${time.toFixed(0)} (${(base / time).toFixed(2)})`;
        }),
      ];
    }),
  ]));
}

await main(Number(Deno.args[0] ?? 5));
Deno.exit(0);
