// A 64 MiB disk in memory of which some blocks cannot be read or written, to test
// what copies, checks or repairs disks.
//
//   sudo deno run --allow-ffi examples/failing_disk.ts 4711 8000-8015
import { Gadget } from "@usb/gadget";
import { faultyDisk, MassStorage, memoryDisk } from "@usb/gadget/mass-storage";

const ranges = Deno.args.map((argument) => /^(\d+)(?:-(\d+))?$/.exec(argument));
if (ranges.length === 0 || ranges.includes(null)) {
  console.error("Usage: failing_disk.ts BLOCK[-LAST]...");
  Deno.exit(2);
}
const rules = ranges.map((range) => {
  const [, first, last = first] = range!;
  return { lba: Number(first), count: Number(last) - Number(first) + 1 };
});
const disk = faultyDisk(memoryDisk(64 << 20), { rules });

await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Failing disk",
  serialNumber: "000000000002",
  functions: [new MassStorage({ luns: [disk] })],
});
