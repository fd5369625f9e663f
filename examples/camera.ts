// A camera that computes its pictures. The host takes one, and has its file:
//
//   sudo deno run --allow-ffi examples/camera.ts
//   gphoto2 --capture-image-and-download
import { Gadget } from "@usb/gadget";
import { memoryStore, Mtp } from "@usb/gadget/mtp";

const card = memoryStore();
let pictures = 0;

await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Camera",
  serialNumber: "1",
  functions: [
    new Mtp({
      manufacturer: "Example",
      model: "Camera",
      storages: [{ name: "Card", store: card }],
      capture() {
        const number = String(++pictures).padStart(4, "0");
        const path = `DCIM/100TEST/IMG_${number}.BMP`;
        card.set(path, takePicture());
        return path;
      },
    }),
  ],
});

/** A BMP file of 256 by 256 pixels, with the colours of the moment. */
function takePicture(): Uint8Array {
  const size = 256;
  const pixels = 54; // after both headers
  const file = new Uint8Array(pixels + 3 * size * size);
  const view = new DataView(file.buffer);
  view.setUint16(0, 0x424d); // "BM"
  view.setUint32(2, file.length, true);
  view.setUint32(10, pixels, true);
  view.setUint32(14, 40, true); // the second header's size
  view.setInt32(18, size, true);
  view.setInt32(22, size, true);
  view.setUint16(26, 1, true); // planes
  view.setUint16(28, 24, true); // bits of a pixel
  const blue = Date.now() % 256;
  for (let at = pixels, pixel = 0; at < file.length; at += 3, pixel++) {
    file.set([blue, pixel % size, Math.floor(pixel / size)], at);
  }
  return file;
}
