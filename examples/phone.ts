// The files of DIRECTORY as those of a phone: the host's file manager shows and
// changes them.
//
//   sudo deno run --allow-ffi examples/phone.ts DIRECTORY
import { Gadget } from "@usb/gadget";
import { directoryStore, Mtp } from "@usb/gadget/mtp";

const [directory] = Deno.args;
if (directory === undefined) {
  console.error("Usage: phone.ts DIRECTORY");
  Deno.exit(2);
}

await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Phone",
  serialNumber: "1",
  microsoftOs: true, // Windows finds its driver by the compatible ID "MTP"
  functions: [
    new Mtp({
      manufacturer: "Example",
      model: "Phone",
      storages: [{ name: "Files", store: directoryStore(directory) }],
    }),
  ],
});
