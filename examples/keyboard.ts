// A keyboard that types its argument, and ends.
//
//   sudo deno run --allow-ffi examples/keyboard.ts "Hello, world!" [LAYOUT]
//
// LAYOUT is that of the host: en-US (the default), en-GB, de-DE, de-CH, fr-FR,
// es-ES, it-IT, sv-SE or ja-JP.
import { Gadget } from "@usb/gadget";
import { Keyboard, type KeyboardLayoutName } from "@usb/gadget/hid";

const [text, layout = "en-US"] = Deno.args;
if (text === undefined) {
  console.error('Usage: keyboard.ts "what to type" [layout]');
  Deno.exit(2);
}

const keyboard = new Keyboard({ layout: layout as KeyboardLayoutName });
await using _ = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Keyboard",
  functions: [keyboard],
});
await keyboard.type(text);
