// Streams buffers to the host without a copy: the device controller reads them
// directly. Four buffers take turns, which keeps the controller busy.
//
//   sudo deno run --allow-ffi examples/dmabuf_source.ts
//
// On the host, read the bulk IN endpoint. Each transfer has 1 MiB and begins with
// its number in 8 bytes, counted from 0.
import { bulkIn, Gadget, usbFunction } from "@usb/gadget";
import { DmaBuffer } from "@usb/gadget/dmabuf";

const SIZE = 1 << 20;
const COUNT = 4;

await using gadget = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "DMABUF source",
  serialNumber: "1",
  functions: [usbFunction({
    name: "source",
    interfaces: [{ class: 0xff, endpoints: { samples: bulkIn() } }],
  })],
});
const { source } = gadget.functions;
const support = await source.dmabufSupport();
if (support !== "yes") throw new Error(`Cannot use DMABUFs: ${support}`);

/** Sends a buffer repeatedly, each time with the next number. */
let next = 0n;
async function send(buffer: DmaBuffer) {
  const attachment = await source.endpoints.samples.attach(buffer);
  for (;;) {
    await buffer.access("write", ({ buffer, byteOffset }) => {
      new DataView(buffer, byteOffset).setBigUint64(0, next++, true);
    });
    try {
      await attachment.transfer(SIZE);
    } catch (error) {
      // The host reset the device or disconnected. The transfer is lost.
      if ((error as { code?: string }).code !== "ESHUTDOWN") throw error;
    }
  }
}

const buffers = Array.from({ length: COUNT }, () => DmaBuffer.allocate(SIZE));
await Promise.all(buffers.map(send));
