// The device for Linux's usbtest driver: an endless source, a sink, the same with
// interrupt endpoints, and two vendor requests.
//
//   sudo deno run --allow-ffi examples/gadget_zero.ts [full-speed | high-speed]
//
// On the host, with "testusb" from the kernel sources (tools/usb):
//
//   modprobe usbtest
//   testusb -a
import {
  bulkIn,
  bulkOut,
  Gadget,
  type GadgetSpeed,
  type InEndpoint,
  interruptIn,
  interruptOut,
  type OutEndpoint,
  Stall,
  usbFunction,
} from "@usb/gadget";

const WRITE_BUFFER = 0x5b;
const READ_BUFFER = 0x5c;

/** The data that the host wrote last, or is writing now. */
let buffer = Promise.resolve(new Uint8Array(0));

const zero = usbFunction({
  name: "zero",
  allControlRecipients: true,
  interfaces: [{
    class: 0xff,
    description: "source and sink",
    endpoints: {
      source: bulkIn(),
      sink: bulkOut(),
      interruptSource: interruptIn({ maxPacketSize: 1024, intervalMs: 1 }),
      interruptSink: interruptOut({ maxPacketSize: 1024, intervalMs: 1 }),
    },
  }],
  async control(setup) {
    const { type, request, direction, value, index } = setup;
    if (type !== "vendor" || value !== 0 || index !== 0) throw new Stall();
    if (request === WRITE_BUFFER && direction === "out") {
      buffer = setup.receive();
      await buffer;
      return undefined;
    }
    if (request === READ_BUFFER && direction === "in") return await buffer;
    throw new Stall();
  },
});

await using gadget = await Gadget.start({
  vendorId: 0x0525,
  productId: 0xa4a0,
  manufacturer: "Example",
  product: "Gadget Zero",
  serialNumber: "0",
  maxSpeed: Deno.args[0] as GadgetSpeed | undefined,
  functions: [zero],
});

/** Sends zeros endlessly, in transfers of whole packets at every speed. */
async function serve(source: InEndpoint) {
  const zeros = new Uint8Array(65_536);
  // Two at once: the second is ready when the host has taken the first.
  const send = async () => {
    for (;;) await source.write(zeros);
  };
  await Promise.all([send(), send()]);
}

/** Receives everything, and halts when it is not zeros. */
async function drain(sink: OutEndpoint) {
  for await (const transfer of sink.transfers({ size: 65_536, depth: 8 })) {
    if (transfer.some((byte) => byte !== 0)) await sink.halt();
  }
}

const { endpoints } = gadget.functions.zero;
await Promise.all([
  serve(endpoints.source),
  drain(endpoints.sink),
  serve(endpoints.interruptSource),
  drain(endpoints.interruptSink),
]);
