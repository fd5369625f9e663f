// A game controller whose left stick goes round and round, and which presses A
// at the top.
//
//   sudo deno run --allow-ffi examples/gamepad.ts
import { Gadget } from "@usb/gadget";
import { Gamepad } from "@usb/gadget/hid";

const STEPS = 64;
const STEP_MS = 20;

const pad = new Gamepad({
  onRumble: ({ strong, weak }) => console.log(`rumble ${strong} ${weak}`),
});
await using _ = await Gadget.start({
  // Linux has a driver for the motors of this device: hid-dr.
  vendorId: 0x0079,
  productId: 0x0006,
  manufacturer: "Example",
  product: "Gamepad",
  functions: [pad],
});
for (let step = 0;; step = (step + 1) % STEPS) {
  const angle = 2 * Math.PI * step / STEPS;
  pad.set({
    leftX: Math.sin(angle),
    leftY: -Math.cos(angle),
    buttons: step < STEPS / 8 ? ["south"] : [],
  });
  await new Promise((resolve) => setTimeout(resolve, STEP_MS));
}
