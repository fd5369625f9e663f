// Writes the files for USBFunctionDescriptors= and USBFunctionStrings=, which
// systemd passes to the kernel. Run it on the board, and again whenever the
// function or the kernel changes.
//
//   sudo deno run --allow-ffi --allow-sys=osRelease --allow-write \
//     examples/systemd/write_blocks.ts /etc/usb-echo
import { compileFunction, parseKernelRelease } from "@usb/gadget/inspect";
import { echo } from "./echo_function.ts";

const [folder] = Deno.args;
if (folder === undefined) {
  console.error("Usage: write_blocks.ts FOLDER");
  Deno.exit(2);
}
const { descriptors, strings } = compileFunction(echo, {
  kernel: parseKernelRelease(Deno.osRelease()),
});
Deno.mkdirSync(folder, { recursive: true });
Deno.writeFileSync(`${folder}/descriptors`, descriptors);
Deno.writeFileSync(`${folder}/strings`, strings);
