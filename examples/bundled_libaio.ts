// The echo device with a bundled libaio, for systems without the library: plug
// downloads a prebuilt one and caches it.
//
// Without libaio the package makes the same system calls itself, so this is only
// needed if you want to use libaio itself.
//
//   sudo deno run -A examples/bundled_libaio.ts https://example.com/libaio.so.1
import { download } from "@denosaurs/plug";
import { bulkPair, Gadget, usbFunction } from "@usb/gadget";

const [url] = Deno.args;
if (url === undefined) {
  console.error("Usage: bundled_libaio.ts URL");
  Deno.exit(2);
}

const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});

await using gadget = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  functions: [echo],
}, { libaio: await download({ url }) });

const { link } = gadget.functions.echo.endpoints;
await link.readable.pipeTo(link.writable);
