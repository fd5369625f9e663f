// A device whose firmware, in memory, is replaced by dfu-util:
//
//   dfu-util -D FILE -R   detaches the device, and downloads a file
//   dfu-util -U FILE -R   uploads it
//
//   sudo deno run --allow-ffi examples/dfu.ts
import { Gadget } from "@usb/gadget";
import { Dfu, DfuError, DfuRuntime } from "@usb/gadget/dfu";

const ids = { vendorId: 0x1209, serialNumber: "1" };
const app = { ...ids, productId: 0x0001, product: "Application" };
const boot = { ...ids, productId: 0x0002, product: "Bootloader" };
const flash = new Uint8Array(16 << 20);
let firmware = flash.subarray(0, 0);

const runtime = new DfuRuntime({ willDetach: true, canUpload: true });
const bootloader = new Dfu({
  areas: [{
    name: "firmware",
    read: (offset, length) => firmware.subarray(offset, offset + length),
    write(offset, data) {
      if (offset + data.length > flash.length) throw new DfuError("errADDRESS");
      flash.set(data, offset);
    },
    manifest(length) {
      firmware = flash.subarray(0, length);
    },
  }],
});

while (true) {
  console.log(`Running ${firmware.length} bytes of firmware`);
  {
    await using _ = await Gadget.start({ ...app, functions: [runtime] });
    await runtime.detached();
  }
  console.log("DFU mode");
  await using _ = await Gadget.start({ ...boot, functions: [bootloader] });
  await bootloader.left();
}
