// A device with three functions, as in the kernel's FunctionFS documentation:
// Ethernet by the kernel, and two functions in separate processes, which can be
// restarted independently.
//
//   sudo deno run --allow-ffi examples/composite.ts &
//   sudo deno run --allow-ffi examples/composite_data.ts &
//   sudo deno run --allow-ffi examples/composite_keyboard.ts &
//   sudo ip address add 10.9.0.1/24 dev usb0 && sudo ip link set usb0 up
import { externalFunction, Gadget, kernelFunction } from "@usb/gadget";

await using gadget = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0003,
  manufacturer: "Example",
  product: "Composite",
  serialNumber: "1",
  functions: [
    kernelFunction("ecm", {
      dev_addr: "02:00:00:00:09:01",
      host_addr: "02:00:00:00:09:02",
    }),
    externalFunction("data", { interfaces: 1 }),
    externalFunction("keyboard", { interfaces: 1 }),
  ],
}, {
  mounts: {
    data: { path: "/dev/ffs-data" },
    keyboard: { path: "/dev/ffs-keyboard" },
  },
  rebind: true, // attach again when a process was restarted
});

console.log(`"${gadget.name}" is on ${gadget.udc.name}`);
await new Promise(() => {}); // until Ctrl+C
