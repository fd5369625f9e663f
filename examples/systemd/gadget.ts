// A device whose function is served by another unit: see docs/boards.md.
//
//   sudo deno run --allow-ffi examples/systemd/gadget.ts
import { externalFunction, Gadget } from "@usb/gadget";
import { echo, mountPoint } from "./echo_function.ts";

await using gadget = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Echo",
  serialNumber: "1",
  functions: [
    externalFunction(echo.name, { interfaces: echo.interfaces.length }),
  ],
}, {
  mounts: { echo: { path: mountPoint } },
  rebind: true, // attach again when the socket unit was restarted
});

console.log(`"${gadget.name}" is on ${gadget.udc.name}`);
await new Promise(() => {}); // until systemd stops it
