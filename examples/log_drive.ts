// A USB drive with the files of a directory, such as the logs of a device.
//
//   sudo deno run --allow-ffi examples/log_drive.ts /var/log 60
//
// The drive is a snapshot: hosts do not expect files to change by themselves. It
// is replaced by a new one after so many seconds, when no host uses it, and when
// the host ejects it.
import { Gadget } from "@usb/gadget";
import { fatDisk, MassStorage } from "@usb/gadget/mass-storage";

const [directory = "/var/log", seconds = "60"] = Deno.args;

// Only names and sizes are read here. Files are read when the host reads them.
const snapshot = () => fatDisk(directory, { label: "LOGS" });

let onEject = () => {};
const storage = new MassStorage({
  luns: [{
    medium: await snapshot(),
    product: "Log drive",
    onEject: () => onEject(),
  }],
});

await using _gadget = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Log drive",
  // Windows and Linux need at least 12 hexadecimal digits to identify a disk.
  serialNumber: "000000000001",
  functions: [storage],
});

const [drive] = storage.luns;
for (;;) {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, Number(seconds) * 1000);
    onEject = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  await drive.eject(); // waits while a host has it mounted
  drive.insert(await snapshot());
}
