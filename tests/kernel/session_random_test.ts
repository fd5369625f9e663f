/**
 * Random calls on both sides, and everything that ends a session.
 *
 * The data are words that say in which session they were sent, and in which order. So each
 * side can see what it must not: data of another session, or a gap.
 *
 * @module
 */
// VM: any speed
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import {
  AbortedTransferError,
  bulkPair,
  type EndpointPair,
  SessionEndedError,
} from "@usb/gadget";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { plug, unplug } from "../support/gadgets/cable.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const SEQUENCES = soak(5_000, 100);
const { bulkPacketSize: PACKET } = gadgetSpeed();
const WORDS = PACKET / 4;
/** How long the host waits for a transfer that the device may not want. */
const TIMEOUT_MS = 20;

/** Numbers the words of one direction: the session in the upper half, a counter in the lower one. */
class Sender {
  session = 0;
  #next = 0;
  /** Words that have surely gone over the bus. */
  readonly sent = new Set<number>();

  begin(): void {
    this.session++;
    this.#next = 0;
    this.sent.clear();
  }

  make(count: number): Uint32Array<ArrayBuffer> {
    const first = this.session << 16 | this.#next;
    this.#next += count;
    return Uint32Array.from({ length: count }, (_, n) => first + n);
  }
}

const bytesOf = (words: Uint32Array<ArrayBuffer>) =>
  new Uint8Array(words.buffer);
const wordsOf = (bytes: Uint8Array) => new Uint32Array(bytes.slice().buffer);

/** Checks that the words that one side has received are of these sessions, in order. */
function checkOrder(
  words: readonly number[],
  [oldest, newest]: readonly [number, number],
  what: string,
): void {
  words.forEach((word, n) => {
    assert(n === 0 || word > words[n - 1], `${what}: ${word} is out of order`);
    const session = word >> 16;
    assert(session >= oldest, `${what}: ${session} is of an earlier session`);
    assert(session <= newest, `${what}: ${session} is of a later session`);
  });
}

/** Checks that nothing between the words was sent. */
function checkGaps(
  words: readonly number[],
  sent: ReadonlySet<number>,
  what: string,
): void {
  for (let n = 1; n < words.length; n++) {
    for (let lost = words[n - 1] + 1; lost < words[n]; lost++) {
      assert(!sent.has(lost), `${what}: ${lost} was lost`);
    }
  }
}

/** Calls of the device in one sequence, and how they end. */
class Calls {
  readonly #random: Random;
  readonly #link: EndpointPair;
  readonly #writer: Sender;
  readonly #reads: Promise<number[]>[] = [];
  readonly #others: Promise<unknown>[] = [];
  /** Whether a call dropped data on purpose. */
  drops = false;
  readonly unexpected: unknown[] = [];

  constructor(random: Random, link: EndpointPair, writer: Sender) {
    this.#random = random;
    this.#link = link;
    this.#writer = writer;
  }

  /** Makes some calls, with and without pauses. */
  async make(): Promise<void> {
    const random = this.#random;
    for (let n = random.int(1, 8); n > 0; n--) {
      this.#call(random.chance(0.2) ? this.#aborted() : undefined);
      if (random.chance(0.4)) await delay(random.int(0, 3));
    }
  }

  /** Ends them all, and returns what was read. */
  async settled(): Promise<number[]> {
    await Promise.all(this.#others);
    return (await Promise.all(this.#reads)).flat();
  }

  #call(signal: AbortSignal | undefined): void {
    const random = this.#random;
    const link = this.#link;
    switch (random.pick(["read", "exactly", "write", "transfers", "discard"])) {
      case "read":
        return this.#read(
          link.read(random.pick([PACKET, 64, 4 * PACKET]), { signal }),
        );
      case "exactly":
        return this.#read(
          link.readExactly(4 * random.int(1, 2 * WORDS), { signal }),
        );
      case "write":
        return this.#watch(link.write(this.#data(), { signal }));
      case "transfers": {
        // One step of an iteration; what is ahead of it goes to later reads.
        return this.#read((async () => {
          const transfers = link.transfers({ size: PACKET, signal });
          const next = transfers.next();
          transfers.return!();
          return (await next).value ?? new Uint8Array(0);
        })());
      }
      case "discard":
        if (!random.chance(0.2)) return;
        this.drops = true;
        return this.#watch(random.pick([link, link.in, link.out]).discard());
    }
  }

  /** Data of a write: at once, or in parts with pauses. */
  #data(): Uint8Array | AsyncIterable<Uint8Array> {
    const random = this.#random;
    const bytes = bytesOf(this.#writer.make(random.int(1, 3 * WORDS)));
    if (random.chance()) return bytes;
    const middle = random.int(0, bytes.length);
    const parts = [bytes.subarray(0, middle), bytes.subarray(middle)];
    const pauses = parts.map(() => random.int(0, 3));
    return (async function* () {
      for (const [index, part] of parts.entries()) {
        await delay(pauses[index]);
        yield part;
      }
    })();
  }

  #read(read: Promise<Uint8Array>): void {
    const words = read.then((bytes) => [...wordsOf(bytes)]);
    this.#reads.push(words.catch(() => []));
    this.#watch(words);
  }

  #watch(call: Promise<unknown>): void {
    this.#others.push(call.catch((error) => {
      const expected = error instanceof SessionEndedError ||
        error instanceof AbortedTransferError;
      if (!expected) this.unexpected.push(error);
    }));
  }

  #aborted(): AbortSignal {
    // A read that is aborted while it has data of several packets loses them.
    this.drops = true;
    return AbortSignal.timeout(this.#random.int(0, 4));
  }
}

Deno.test("whatever ends a session: each call settles with the right error, and no byte gets into another session", async () => {
  const seed = testSeed();
  const random = new Random(seed);
  await using test = await startEndpoints({ link: bulkPair() });
  const { fs, endpoints, gadget, host } = test;
  const udc = gadget.udc.name;
  const sender = new Sender();
  const writer = new Sender();
  /** The session of the last sequence, and the only words that it may receive. */
  let last: AbortSignal | undefined;
  let itsWords = 0;
  /** The oldest words that the host may still receive. */
  let oldest = 0;
  const tally: Record<string, number> = {};
  sender.begin();
  for (let round = 0; round < SEQUENCES; round++) {
    const what = `sequence ${round} of seed ${seed}`;
    const ofSession = random.chance(0.7);
    writer.begin();
    const { value: session } = await fs.sessions().next();
    assert(session !== undefined, "the function is closed");
    // The events of the end may be unread: then it can neither send nor receive.
    const isOver = session.signal === last;
    if (!isOver) itsWords = sender.session;
    last = session.signal;
    const link = ofSession
      ? (session.endpoints as typeof endpoints).link
      : endpoints.link;
    const calls = new Calls(random, link, writer);
    const taken: number[] = [];
    const hosting = (async () => {
      for (let n = random.int(0, 5); n > 0; n--) {
        const words = sender.make(random.int(1, WORDS));
        const options = { timeout: TIMEOUT_MS };
        const sending = host.write(endpoints.link, bytesOf(words), options)
          .then(() => words.forEach((word) => sender.sent.add(word)), () => {});
        const taking = random.chance()
          ? host.read(endpoints.link, 4 * PACKET, options)
            .then((bytes) => taken.push(...wordsOf(bytes)), () => {})
          : undefined;
        await Promise.all([sending, taking]);
      }
    })();
    await calls.make();
    const event = random.pick(["setting", "reset", "configuration", "unplug"]);
    tally[event] = (tally[event] ?? 0) + 1;
    if (random.chance()) await hosting;
    else await delay(random.int(0, 3));
    if (event === "unplug") {
      unplug(gadget);
      await hosting;
      plug(gadget, udc);
      await host.plug();
    } else {
      await hosting;
      if (event === "setting") await host.setInterface(0, 0);
      else if (event === "reset") await host.reset();
      else {
        await host.setConfiguration(0);
        await host.setConfiguration(1);
      }
    }
    const sent = new Set(sender.sent);
    sender.begin();
    // Calls of the function go on; these are not needed any more.
    if (!ofSession) await endpoints.link.discard();
    const read = await calls.settled();
    assertEquals(calls.unexpected, [], what);
    if (ofSession) {
      checkOrder(read, [itsWords, itsWords], `${what}, read`);
      if (!calls.drops) checkGaps(read, sent, what);
      const newest = isOver ? writer.session - 1 : writer.session;
      checkOrder(taken, [oldest, newest], `${what}, sent`);
    }
    // Writes of the function go on, until they are discarded.
    oldest = ofSession ? writer.session + 1 : writer.session;
  }
  console.log(`seed ${seed}: ${JSON.stringify(tally)}`);
});
