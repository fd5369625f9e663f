// The first function of composite.ts: it echoes what it receives.
//
//   sudo deno run --allow-ffi examples/composite_data.ts
import { bulkPair, FunctionFs, usbFunction } from "@usb/gadget";

await using data = FunctionFs.open(
  usbFunction({
    name: "data",
    interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
  }),
  "/dev/ffs-data",
);

const { link } = data.endpoints;
await link.readable.pipeTo(link.writable);
