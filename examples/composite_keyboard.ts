// The second function of composite.ts: a keyboard that types "a" twice a
// second.
//
//   sudo deno run --allow-ffi examples/composite_keyboard.ts
import {
  ClassCode,
  FunctionFs,
  hid,
  interruptIn,
  Stall,
  usbFunction,
} from "@usb/gadget";

// Appendix E.6 of the HID specification, without LEDs: 8 modifier keys, one
// reserved byte, 6 keys.
const report = new Uint8Array([
  ...[0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7],
  ...[0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02],
  ...[0x75, 0x08, 0x95, 0x01, 0x81, 0x01],
  ...[0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x15, 0x00, 0x25, 0x65],
  ...[0x75, 0x08, 0x95, 0x06, 0x81, 0x00, 0xc0],
]);
const SET_IDLE = 0x0a;
const SET_PROTOCOL = 0x0b;
const KEY_A = 0x04;

await using keyboard = FunctionFs.open(
  usbFunction({
    name: "keyboard",
    interfaces: [{
      class: ClassCode.HID,
      subclass: 1,
      protocol: 1,
      descriptors: [hid({ report })],
      endpoints: { keys: interruptIn({ maxPacketSize: 8, intervalMs: 10 }) },
    }],
    control(setup) {
      const known = [SET_IDLE, SET_PROTOCOL].includes(setup.request);
      if (setup.type !== "class" || !known) throw new Stall();
    },
  }),
  "/dev/ffs-keyboard",
);

const { keys } = keyboard.endpoints;
for (;;) {
  await keyboard.enabled();
  await keys.write(new Uint8Array([0, 0, KEY_A, 0, 0, 0, 0, 0]));
  await keys.write(new Uint8Array(8));
  await new Promise((resolve) => setTimeout(resolve, 500));
}
