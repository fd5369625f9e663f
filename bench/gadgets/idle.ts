/**
 * Eight gadgets of four endpoints each that wait for their hosts. This process has
 * nothing to do, and should use no CPU time.
 *
 * ```sh
 * deno run --allow-ffi idle.ts UDC...
 * ```
 *
 * @module
 */
import { bulkIn, bulkOut, Gadget, usbFunction } from "@usb/gadget";

for (const [index, udc] of Deno.args.entries()) {
  const gadget = await Gadget.start({
    vendorId: 0x1209,
    productId: 0x0001,
    serialNumber: `idle ${index}`,
    functions: [usbFunction({
      name: "idle",
      interfaces: [{
        class: 0xff,
        endpoints: { a: bulkIn(), b: bulkOut(), c: bulkIn(), d: bulkOut() },
      }],
    })],
  }, { udc });
  const { idle } = gadget.functions;
  await idle.enabled();
  for (const endpoint of [idle.endpoints.b, idle.endpoints.d]) {
    for (let depth = 0; depth < 8; depth++) {
      endpoint.read(65_536).catch(() => {}); // the function is closed
    }
  }
}
console.log("open");
