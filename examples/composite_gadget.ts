// The device of the kernel's FunctionFS documentation, in three processes: this
// one, composite_mtp.ts and composite_keyboard.ts. Each can end and be started
// again while the others go on.
//
//   sudo deno run --allow-ffi examples/composite_gadget.ts &
//   sudo deno run --allow-ffi examples/composite_mtp.ts DIRECTORY &
//   sudo deno run --allow-ffi examples/composite_keyboard.ts &
//   sudo ip address add 10.9.0.1/24 dev INTERFACE && sudo ip link set INTERFACE up
import { externalFunction, Gadget, kernelFunction } from "@usb/gadget";

const gadget = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0003,
  manufacturer: "Example",
  product: "Composite",
  serialNumber: "1",
  functions: [
    // First, because libmtp cancels transfers of interface 0 only.
    externalFunction("mtp", { interfaces: 1 }),
    kernelFunction("ecm", {
      dev_addr: "02:00:00:00:09:01",
      host_addr: "02:00:00:00:09:02",
    }),
    externalFunction("hid", { interfaces: 1 }),
  ],
}, {
  mounts: {
    // The others stay attached while the process of one is gone.
    mtp: { path: "/dev/ffs-mtp", noDisconnect: true },
    hid: { path: "/dev/ffs-hid", noDisconnect: true },
  },
  rebind: true, // attach again when a process was started again
  name: "composite",
  persistent: true, // it stays if this process is killed
});

console.log(
  `"${gadget.name}" is on ${gadget.udc.name}, Ethernet is ${gadget.kernel.ecm.ifname}`,
);
Deno.addSignalListener("SIGINT", () => gadget.stop());
