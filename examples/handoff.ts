// A device whose data is served by another program that uses only open, read and
// write. This script describes the device, marks the end of transfers, answers
// control requests, and prints the path of the file:
//
//   sudo deno run --allow-ffi examples/handoff.ts
//   sudo cat /dev/handoff/ep1_rw          # prints what the host sends
//
// Needs Linux 7.3.
import { bulkPair, Gadget, unhandled, usbFunction } from "@usb/gadget";

const GET_NAME = 1;

const handoff = usbFunction({
  name: "handoff",
  interfaces: [{
    class: 0xff,
    description: "Served by another program",
    endpoints: { link: bulkPair() },
  }],
  control: ({ request }) =>
    request === GET_NAME ? new TextEncoder().encode("handoff") : unhandled,
});

await using gadget = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Hand-over",
  serialNumber: "1",
  functions: [handoff],
}, { mounts: { handoff: { path: "/dev/handoff" } } });

const { handoff: fs } = gadget.functions;
const { link } = fs.endpoints;
// A write that ends on a packet boundary is followed by a zero-length packet.
link.autoZlp = true;
console.log(`Serve the data with ${link.path}`);
for await (const { type } of fs.events) console.log(type);
