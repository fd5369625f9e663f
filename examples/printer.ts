// A printer that writes each job into a file of DIRECTORY.
//
//   sudo deno run --allow-ffi --allow-read --allow-write examples/printer.ts DIRECTORY
import { Gadget } from "@usb/gadget";
import { Printer, type PrintJob } from "@usb/gadget/printer";

const [directory] = Deno.args;
if (directory === undefined) {
  console.error("Usage: printer.ts DIRECTORY");
  Deno.exit(2);
}

/** Writes a job into a file, which has its name when it is complete. */
async function print({ id, readable }: PrintJob): Promise<void> {
  const part = `${directory}/job${id}.part`;
  try {
    await Deno.writeFile(part, readable);
    await Deno.rename(part, `${directory}/job${id}.prn`);
  } catch (error) {
    await Deno.remove(part);
    throw error;
  }
}

await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Archive",
  serialNumber: "1",
  functions: [
    new Printer({
      manufacturer: "Example",
      model: "Archive",
      idleMs: 2000,
      print,
    }),
  ],
});
