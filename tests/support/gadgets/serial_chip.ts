/**
 * A USB serial chip that Linux's `cp210x` driver serves: as much of it as a
 * terminal that is opened, written to and closed needs.
 *
 * @module
 */
import {
  bulkPair,
  type EndpointPair,
  Gadget,
  type SetupRequest,
  usbFunction,
} from "@usb/gadget";
import { gadgetSpeed } from "../run/speed.ts";
import { shell } from "../machine/shell.ts";
import { until } from "../waiting/until.ts";

/** A running serial chip, and its terminal on the host. */
export interface SerialChip extends AsyncDisposable {
  readonly link: EndpointPair;
  /** Path of the terminal. */
  readonly path: string;
}

/** A CP210x request (AN571): what is in its queues. The driver asks that first. */
export const GET_COMM_STATUS = 0x10;
/** A CP210x request: empty the queues. */
export const PURGE = 0x12;

/** Finds the only USB terminal of the host. */
function findTerminal(): string | undefined {
  try {
    const [entry] = Deno.readDirSync("/sys/bus/usb-serial/devices");
    return entry && `/dev/${entry.name}`;
  } catch {
    return undefined;
  }
}

/**
 * Starts the chip, and waits for its terminal.
 *
 * @param onRequest Called with each control request, before its answer.
 */
export async function startSerialChip(
  onRequest: (setup: SetupRequest) => void,
): Promise<SerialChip> {
  await shell("modprobe cp210x");
  const gadget = await Gadget.start({
    vendorId: 0x10c4,
    productId: 0xea60,
    maxSpeed: gadgetSpeed().maxSpeed,
    functions: [usbFunction({
      name: "chip",
      interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
      allControlRecipients: true,
      control(setup) {
        onRequest(setup);
        // All registers are 0: no flow control, nothing in the queues.
        const isIn = setup.direction === "in";
        return isIn ? new Uint8Array(setup.length) : undefined;
      },
    })],
  });
  const end = async () => {
    await gadget.stop();
    await until(() => findTerminal() === undefined, "the terminal is gone");
    await shell("modprobe -r cp210x");
  };
  try {
    await until(() => findTerminal() !== undefined, "the host has a terminal");
    const { link } = gadget.functions.chip.endpoints;
    return { link, path: findTerminal()!, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}
