// Streams buffers to the host without a copy: the device controller reads
// them where they are. Four take turns, so that it is busy all the time.
//
//   sudo deno run --allow-ffi examples/dmabuf_source.ts
//
// On the host, anything that reads the bulk IN endpoint. Each transfer is 1 MiB,
// and its first 8 bytes are its number, from 0 on.
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
if (support !== "yes") throw new Error(`No DMABUF here: ${support}`);

/** Numbers the next transfer, and sends it; the rest stays as it is. */
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
      // The host has reset the device or left: what it has not got is lost.
      if ((error as { code?: string }).code !== "ESHUTDOWN") throw error;
    }
  }
}

const buffers = Array.from({ length: COUNT }, () => DmaBuffer.allocate(SIZE));
await Promise.all(buffers.map(send));
