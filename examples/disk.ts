// A file as a USB disk. With SIZE, in MiB, it is made if it does not exist.
//
//   sudo deno run --allow-ffi examples/disk.ts FILE [SIZE]
import { Gadget } from "@usb/gadget";
import { fileDisk, MassStorage } from "@usb/gadget/mass-storage";

const [path, size] = Deno.args;
if (path === undefined || !/^[1-9]\d*$/.test(size ?? "1")) {
  console.error("Usage: disk.ts FILE [SIZE in MiB, for a new file]");
  Deno.exit(2);
}
const create = size === undefined ? undefined : Number(size) * 2 ** 20;

await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Disk",
  // Windows and Linux need at least 12 hexadecimal digits to identify a disk.
  serialNumber: "000000000001",
  functions: [new MassStorage({ luns: [fileDisk(path, { create })] })],
});
