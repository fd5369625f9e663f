// The files of DIRECTORY, as a function of composite_gadget.ts or of the kernel's
// g_ffs:
//
//   sudo deno run --allow-ffi examples/composite_mtp.ts DIRECTORY
import { FunctionFs } from "@usb/gadget";
import { directoryStore, Mtp } from "@usb/gadget/mtp";

const [directory] = Deno.args;
if (directory === undefined) {
  console.error("Usage: composite_mtp.ts DIRECTORY");
  Deno.exit(2);
}

const mtp = new Mtp({ storages: [directoryStore(directory)] });
FunctionFs.open(mtp, "/dev/ffs-mtp"); // and it serves itself
