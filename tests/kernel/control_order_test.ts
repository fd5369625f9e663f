/**
 * The order of control requests and data: what the host has sent before a
 * request is with the program before the request is.
 *
 * @module
 */
// VM: any speed
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import {
  bulkPair,
  type EndpointPair,
  Gadget,
  type SetupRequest,
  usbFunction,
} from "@usb/gadget";
import { Random } from "../support/data/random.ts";
import { soak } from "../support/run/soak.ts";
import { ask, startWorker } from "../support/workers/start.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { findTerminal } from "../support/host/terminal.ts";
import { shell } from "../support/machine/shell.ts";
import { until } from "../support/waiting/until.ts";

/** A running serial chip, and its terminal on the host. */
interface SerialChip extends AsyncDisposable {
  readonly link: EndpointPair;
  /** Path of the terminal. */
  readonly path: string;
}

/** A CP210x request (AN571): what is in its queues. The driver asks that first. */
const GET_COMM_STATUS = 0x10;
/** A CP210x request: empty the queues. */
const PURGE = 0x12;

/**
 * Starts a chip that Linux's `cp210x` driver serves, as much of it as a terminal
 * that is opened, written to and closed needs; and waits for its terminal.
 *
 * @param onRequest Called with each control request, before its answer.
 */
async function startSerialChip(
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

const CLOSES = soak(1000, 100);
/**
 * The first request of a close follows the data at once. The kernel sometimes
 * posts the completion of the data after it: rarely, unless the machine is busy.
 */
const MOST_LATE = CLOSES / 10;

/** Calls `add` with the number of bytes of each piece that has arrived. */
type Receive = (link: EndpointPair, add: (count: number) => void) => unknown;

const ways: Record<string, Receive> = {
  async "read() behind other calls"({ out }, add) {
    const read = async () => await out.read(1024);
    const message = async () => await read();
    for (;;) add((await message()).length);
  },
  async "transfers()"({ out }, add) {
    for await (const bytes of out.transfers()) add(bytes.length);
  },
  async "readable, through a pipe"({ out }, add) {
    const sink = new WritableStream<Uint8Array>({
      write: (bytes) => add(bytes.length),
    });
    await out.readable.pipeThrough(new TransformStream()).pipeTo(sink);
  },
};

for (const [name, receive] of Object.entries(ways)) {
  Deno.test(`the data of a terminal comes before the requests that close it: ${name}`, async () => {
    const random = new Random(1);
    // Odd: the last packet is a short one, which ends the transfer.
    const sizes = Array.from(
      { length: CLOSES },
      () => 2 * random.int(0, 750) + 1,
    );
    let closes = 0;
    let sent = sizes[0];
    let received = 0;
    let late = 0;
    const purged: string[] = [];
    const onRequest = ({ request }: SetupRequest) => {
      if (request === GET_COMM_STATUS && received !== sent) late++;
      if (request !== PURGE) return;
      if (received !== sent) purged.push(`${closes}: ${sent - received}`);
      sent += sizes[++closes];
    };
    {
      await using chip = await startSerialChip(onRequest);
      const receiving = receive(chip.link, (count) => received += count);
      (receiving as Promise<void>).catch(() => {});
      const writer = startWorker("terminal_writer.ts");
      try {
        await ask(writer, { path: chip.path, sizes });
      } finally {
        writer.terminate();
      }
    }
    assertEquals(closes, CLOSES);
    assertEquals(purged, []);
    assert(late <= MOST_LATE, `${late} of ${CLOSES} first requests`);
  });
}
