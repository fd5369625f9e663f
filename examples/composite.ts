// The device of the kernel's FunctionFS documentation, in one process: the files
// of DIRECTORY, Ethernet by the kernel, and a keyboard that counts.
//
//   sudo deno run --allow-ffi examples/composite.ts DIRECTORY &
//   sudo ip address add 10.9.0.1/24 dev INTERFACE && sudo ip link set INTERFACE up
//
// composite_gadget.ts is the same device in three processes.
import { Gadget, kernelFunction, SessionEndedError } from "@usb/gadget";
import { Keyboard } from "@usb/gadget/hid";
import { directoryStore, Mtp } from "@usb/gadget/mtp";

const [directory] = Deno.args;
if (directory === undefined) {
  console.error("Usage: composite.ts DIRECTORY");
  Deno.exit(2);
}

const keyboard = new Keyboard();
const gadget = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0003,
  manufacturer: "Example",
  product: "Composite",
  serialNumber: "1",
  microsoftOs: true, // Windows finds the driver for MTP
  functions: [
    // First, because libmtp cancels transfers of interface 0 only.
    new Mtp({ storages: [directoryStore(directory)] }),
    kernelFunction("ecm", {
      dev_addr: "02:00:00:00:09:01",
      host_addr: "02:00:00:00:09:02",
    }),
    keyboard,
  ],
});

console.log(`Ethernet is ${gadget.kernel.ecm.ifname}`);

for (let number = 1;; number++) {
  try {
    await keyboard.type(`${number}\n`);
  } catch (error) {
    if (!(error instanceof SessionEndedError)) throw error;
  }
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
