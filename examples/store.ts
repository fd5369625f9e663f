// A key-value store behind a command protocol: a command with its data, an
// answer with its data.
//
//   command: operation, key length, 2 reserved bytes, u32 value length; key, value
//   answer:  status, 3 reserved bytes, u32 value length; value
//
// A vendor request 1 abandons a command at any stage.
//
//   sudo deno run --allow-ffi examples/store.ts
import {
  AbortedTransferError,
  bulkPair,
  type EndpointPair,
  Gadget,
  unhandled,
  usbFunction,
} from "@usb/gadget";

const GET = 0;
const PUT = 1;
const OK = 0;
const UNKNOWN = 1;
const ABORT = 1;
const store = new Map<string, Uint8Array>();

const keyValueStore = usbFunction({
  name: "store",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
  async control(setup) {
    if (setup.type !== "vendor" || setup.request !== ABORT) return unhandled;
    // The host continues when this is done: nothing of the command may be left.
    await gadget.functions.store.endpoints.link.discard();
    return undefined;
  },
  // A new host knows nothing of the command of the last one.
  async serve({ endpoints: { link } }) {
    for (;;) {
      try {
        await obey(link);
      } catch (error) {
        if (!(error instanceof AbortedTransferError)) throw error;
      }
    }
  },
});

/** Receives a command, and answers it. */
async function obey(link: EndpointPair): Promise<void> {
  const header = await link.readExactly(8);
  const size = new DataView(header.buffer).getUint32(4, true);
  const key = new TextDecoder().decode(await link.readExactly(header[1]));
  if (header[0] === PUT) store.set(key, await link.readExactly(size));
  const value = store.get(key);
  const known = value !== undefined && header[0] <= PUT;
  const data = known && header[0] === GET ? value : new Uint8Array(0);
  const answer = new DataView(new ArrayBuffer(8));
  answer.setUint8(0, known ? OK : UNKNOWN);
  answer.setUint32(4, data.length, true);
  // One transfer, with an end that the host sees.
  await link.write([new Uint8Array(answer.buffer), data], { zlp: "auto" });
}

const gadget = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  functions: [keyValueStore],
});
