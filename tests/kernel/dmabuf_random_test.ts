// VM: --udc sg, any speed
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { bulkPair, type InEndpoint, type OutEndpoint } from "@usb/gadget";
import { DmaBuffer, type DmaBufferAttachment } from "@usb/gadget/dmabuf";
import { plug, unplug } from "../support/gadgets/cable.ts";
import {
  assertSame,
  content,
  fill,
  outcome,
} from "../support/dmabuf/buffers.ts";
import {
  type EndpointGadget,
  startEndpoints,
} from "../support/gadgets/endpoints.ts";
import { watchEventLoop } from "../support/measure/heartbeat.ts";
import { openFiles } from "../support/machine/leftovers.ts";
import { pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

// Random sequences of attaching, transferring, aborting, detaching and closing
// on both sides, while the host reads, writes, resets and leaves.

const { bulkPacketSize: PACKET } = gadgetSpeed();
const SIZE = 32_768;
const SEQUENCES = soak(1000, 40);
const STEPS = 12;
const BUFFERS = 3;

type Test = EndpointGadget<{ link: ReturnType<typeof bulkPair> }>;

/** One side of the pair, with its buffers. */
interface Side {
  readonly endpoint: InEndpoint | OutEndpoint;
  readonly attachments: (DmaBufferAttachment | undefined)[];
}

/** What a transfer may end with, besides success. */
const ALLOWED = ["done", "ESHUTDOWN", "ECONNRESET", "ECANCELED"];

class Sequence {
  readonly #test: Test;
  readonly #random: Random;
  readonly #buffers: (DmaBuffer | undefined)[] = [];
  readonly #sides: Side[];
  readonly #ends: Promise<string>[] = [];
  readonly #steps: string[] = [];

  constructor(test: Test, random: Random) {
    this.#test = test;
    this.#random = random;
    const { in: tx, out: rx } = test.endpoints.link;
    this.#sides = [tx, rx].map((endpoint) => ({ endpoint, attachments: [] }));
  }

  async run(): Promise<void> {
    try {
      for (let step = 0; step < STEPS; step++) await this.#step();
      await this.#finish();
    } catch (error) {
      throw new Error(`after ${this.#steps.join(", ")}`, { cause: error });
    }
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const side = random.pick(this.#sides);
    const index = random.int(0, BUFFERS - 1);
    const attachment = side.attachments[index];
    const usable = attachment !== undefined && !attachment.detached;
    const what = usable
      ? random.pick([
        "transfer",
        "transfer",
        "transfer",
        "abort",
        "host",
        "host",
        "detach",
        "close",
        "disturb",
      ])
      : "attach";
    this.#steps.push(`${what} ${side.endpoint.path.slice(-3)} ${index}`);
    switch (what) {
      case "attach":
        await this.#attach(side, index);
        break;
      case "transfer":
        this.#transfer(attachment!);
        break;
      case "abort": {
        const controller = new AbortController();
        this.#transfer(attachment!, controller.signal);
        if (random.chance()) await Promise.resolve();
        if (random.chance(0.3)) await this.#host(side);
        controller.abort();
        break;
      }
      case "host":
        await this.#host(side);
        break;
      case "detach": {
        const detached = attachment!.detach();
        if (random.chance()) await detached;
        break;
      }
      case "close": {
        const closed = this.#buffers[index]?.close();
        this.#buffers[index] = undefined;
        if (random.chance()) await closed;
        break;
      }
      case "disturb":
        await this.#disturb();
    }
  }

  async #attach(side: Side, index: number): Promise<void> {
    // A detachment that is under way keeps the place.
    await side.attachments[index]?.detach();
    const buffer = this.#buffers[index] ??= DmaBuffer.allocate(
      SIZE,
      this.#random.chance() ? {} : { heap: "system" },
    );
    side.attachments[index] = await side.endpoint.attach(buffer);
  }

  #transfer(attachment: DmaBufferAttachment, signal?: AbortSignal): void {
    const length = this.#random.pick([
      1,
      64,
      PACKET,
      5000,
      SIZE,
      this.#random.int(1, SIZE),
    ]);
    this.#ends.push(outcome(attachment.transfer(length, { signal })));
  }

  /** The host takes or sends something, if the gadget is there for it. */
  async #host({ endpoint }: Side): Promise<void> {
    const { host, endpoints: { link } } = this.#test;
    const options = { timeout: 20 };
    const transfer = endpoint === this.#sides[0].endpoint
      ? host.read(link, SIZE, options)
      : host.write(link, pattern(this.#random.int(1, SIZE)), options);
    // Nothing may be there, or less than it wants.
    const end = await outcome(transfer);
    assert(["done", "ETIMEDOUT", "EOVERFLOW"].includes(end), end);
  }

  async #disturb(): Promise<void> {
    const { gadget, host } = this.#test;
    switch (this.#random.int(0, 2)) {
      case 0:
        return await host.setInterface(0, 0);
      case 1:
        return await host.reset();
      case 2: {
        const udc = gadget.udc.name;
        unplug(gadget);
        // Right behind the unbinding, before it is noticed.
        const side = this.#random.pick(this.#sides);
        const attachment = side.attachments.find((each) =>
          each !== undefined && !each.detached
        );
        if (attachment !== undefined && this.#random.chance()) {
          if (this.#random.chance()) await attachment.detach();
          else this.#transfer(attachment);
        }
        plug(gadget, udc);
        await host.plug();
      }
    }
  }

  /** Ends all that is left, and shows that the endpoints work. */
  async #finish(): Promise<void> {
    const attachments = this.#sides.flatMap((side) => side.attachments);
    await Promise.all(attachments.map((attachment) => attachment?.detach()));
    for (const end of this.#ends) {
      const how = await end;
      assert(ALLOWED.includes(how), how);
    }
    await Promise.all(this.#buffers.map((buffer) => buffer?.close()));
    const { host, endpoints: { link } } = this.#test;
    // What dummy_hcd keeps of a small transfer that the host has not taken.
    await host.setInterface(0, 0);
    await this.#test.fs.enabled();
    const bytes = pattern(SIZE, this.#random.int(0, 250));
    await using buffer = DmaBuffer.allocate(SIZE);
    const [tx, rx] = this.#sides;
    await using received = await rx.endpoint.attach(buffer);
    await using sent = await tx.endpoint.attach(buffer);
    const receiving = received.transfer();
    await host.write(link, bytes);
    await receiving;
    assertSame(await content(buffer), bytes);
    await fill(buffer, bytes.toReversed());
    const sending = sent.transfer();
    assertSame(await host.read(link, SIZE), bytes.toReversed());
    await sending;
  }
}

Deno.test("random sequences with DMABUFs end as they should, and harm nothing", async () => {
  const seed = testSeed();
  console.log(`seed ${seed}, ${SEQUENCES} sequences`);
  using _ = watchEventLoop();
  await using test = await startEndpoints({ link: bulkPair() });
  let files = 0;
  for (let round = 0; round < SEQUENCES; round++) {
    const sequence = new Sequence(test, new Random(seed + round));
    await sequence.run().catch((cause) => {
      throw new Error(`sequence ${round} of seed ${seed}`, { cause });
    });
    // The first one opens what stays open for the life of the process.
    if (round === 0) files = openFiles();
  }
  assertEquals(openFiles(), files);
});
