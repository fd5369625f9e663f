// A keyboard that counts, as a function of composite_gadget.ts or of the kernel's
// g_ffs:
//
//   sudo deno run --allow-ffi examples/composite_keyboard.ts
import { FunctionFs, SessionEndedError } from "@usb/gadget";
import { Keyboard } from "@usb/gadget/hid";

const keyboard = new Keyboard();
FunctionFs.open(keyboard, "/dev/ffs-hid");

for (let number = 1;; number++) {
  try {
    await keyboard.type(`${number}\n`);
  } catch (error) {
    if (!(error instanceof SessionEndedError)) throw error;
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
}
