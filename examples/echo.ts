// A USB device that echoes what it receives.
//
//   sudo deno run --allow-ffi examples/echo.ts
import { bulkPair, Gadget, usbFunction } from "@usb/gadget";

const echo = usbFunction({
  name: "echo",
  interfaces: [{
    class: 0xff,
    description: "Echo",
    endpoints: { link: bulkPair() },
  }],
});

await using gadget = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Echo",
  serialNumber: "1",
  functions: [echo],
});

const { link } = gadget.functions.echo.endpoints;
await link.readable.pipeTo(link.writable);
