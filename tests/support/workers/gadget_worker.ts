/**
 * A Worker that serves a gadget until it is terminated.
 *
 * It receives a {@linkcode WorkerOrder}, and answers with the name of its gadget
 * once its reads are in the kernel. On "stop" it stops the gadget and answers
 * "stopped"; on "close" it closes itself.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import type * as Usb from "@usb/gadget";

/** The order to a Worker. */
export interface WorkerOrder {
  /** The URL of the package. */
  readonly mod: string;
  readonly ids: { readonly vendorId: number; readonly productId: number };
  /** The size of each read in bytes. */
  readonly size: number;
  readonly libaio?: string;
  readonly maxSpeed?: Usb.GadgetDefinition["maxSpeed"];
  /** Whether it accepts every control request and waits for its data. */
  readonly control?: boolean;
}

const READS = 32;

let gadget: Usb.Gadget | undefined;

self.onmessage = async (
  { data }: MessageEvent<WorkerOrder | "stop" | "close">,
) => {
  if (data === "close") return self.close();
  if (data !== "stop") return await serve(data);
  await gadget!.stop();
  self.postMessage("stopped");
};

async function serve(order: WorkerOrder): Promise<void> {
  const { mod, ids, size, libaio, maxSpeed, control } = order;
  const { bulkPair, Gadget, usbFunction } = await import(mod) as typeof Usb;
  const started = await Gadget.start({
    ...ids,
    maxSpeed,
    functions: [usbFunction({
      name: "worker",
      interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
      control: control
        ? async (setup) => {
          await setup.receive();
        }
        : undefined,
    })],
  }, { libaio });
  gadget = started;
  const { worker } = started.functions;
  await worker.enabled();
  const { link } = worker.endpoints;
  const readOn = async () => {
    for (;;) await link.read(new Uint8Array(size));
  };
  for (let count = 0; count < READS; count++) readOn().catch(() => {});
  // They are submitted to the kernel at the end of the turn.
  setTimeout(() => self.postMessage(started.name));
}
