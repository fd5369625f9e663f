/**
 * Random sequences of what a host can do to the control endpoint. The same
 * seed does the same again: GADGET_SEED.
 *
 * @module
 */
// VM: any speed
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals } from "@std/assert";
import { type SetupRequest, Stall } from "@usb/gadget";
import { plug, unplug } from "../support/gadgets/cable.ts";
import {
  aborted,
  type ControlGadget,
  outcome,
  startControl,
  VENDOR,
} from "../support/gadgets/control.ts";
import { until } from "../support/waiting/until.ts";
import { watchEventLoop } from "../support/measure/heartbeat.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { soak } from "../support/run/soak.ts";
import "../support/run/aio_libraries.ts";

const SEQUENCES = soak(2000, 60);
const LENGTHS = [0, 1, 8, 63, 64, 65, 511, 512, 513, 4095, 4096];
const ANSWERS = ["at once", "late", "stall", "stall late", "never"] as const;
const MAX_DELAY_MS = 6;

/** A request with a unique number, which is its `wValue`. */
interface Planned {
  readonly number: number;
  readonly direction: "in" | "out";
  readonly length: number;
  readonly answer: typeof ANSWERS[number];
  readonly delay: number;
}

/** The gadget's side: does what was planned for a request. */
class Handler {
  readonly plans = new Map<number, Planned>();
  /** The numbers of the requests that have carried other data than planned. */
  wrong: number[] = [];
  /** The numbers of the requests whose answers the host has taken, it seems. */
  readonly answered = new Set<number>();
  /** Requests whose handler runs. */
  running = 0;

  /** Before a new sequence, whose requests have the same numbers. */
  forget(): void {
    this.plans.clear();
    this.wrong = [];
    this.answered.clear();
  }

  readonly handle = async (setup: SetupRequest) => {
    this.running++;
    try {
      return await this.#answer(setup, this.plans.get(setup.value)!);
    } finally {
      this.running--;
    }
  };

  async #answer(setup: SetupRequest, planned: Planned) {
    if (planned.answer.endsWith("late")) await delay(planned.delay);
    switch (planned.answer) {
      case "stall":
        throw new Stall();
      case "stall late":
        return setup.settled ? undefined : setup.stall();
      case "never":
        return await aborted(setup);
    }
    if (setup.direction === "in") {
      await setup.reply(dataOf(planned));
      this.answered.add(planned.number);
      return;
    }
    const data = await setup.receive();
    this.answered.add(planned.number);
    if (firstDifference(data, dataOf(planned)) >= 0) {
      this.wrong.push(planned.number);
    }
  }
}

const dataOf = ({ length, number }: Planned) => pattern(length, number);

/** The host's side: random actions, one after another. */
class Host {
  readonly #it: ControlGadget;
  readonly #random: Random;
  readonly #handler: Handler;
  /** The numbers of the requests that it has given up. */
  readonly givenUp = new Set<number>();
  /** Requests that got the answer of the one before. */
  strays = 0;
  /** How often it has made the kernel enable the function. */
  enabled = 0;
  #number = 0;

  constructor(it: ControlGadget, random: Random, handler: Handler) {
    this.#it = it;
    this.#random = random;
    this.#handler = handler;
  }

  /** One action; returns its name. */
  async act(): Promise<string> {
    const random = this.#random;
    const { host } = this.#it;
    const dice = random.int(0, 99);
    if (dice < 45) return await this.request();
    if (dice < 65) return await this.#abortedRequest();
    if (dice < 75) return await this.#severalRequests();
    if (dice < 83) {
      const reset = () => this.#enableAnew(() => host.reset());
      return `${await this.#during(reset)}, reset`;
    }
    if (dice < 90) {
      const select = () => this.#enableAnew(() => host.setInterface(0, 0));
      return `${await this.#during(select)}, interface`;
    }
    if (dice < 96) {
      await this.#enableAnew(async () => {
        await host.setConfiguration(0);
        if (random.chance()) await delay(random.int(0, MAX_DELAY_MS));
        await host.setConfiguration(1);
      });
      return "configuration";
    }
    const udc = this.#it.gadget.udc.name;
    await this.#enableAnew(async () => {
      unplug(this.#it.gadget);
      if (random.chance()) await delay(random.int(0, MAX_DELAY_MS));
      plug(this.#it.gadget, udc);
    });
    await this.#it.connect();
    return "unplug";
  }

  /**
   * Does what makes the kernel enable the function once more, and waits until
   * that is reported. The kernel would put it together with what the host does next.
   */
  async #enableAnew(action: () => Promise<void>): Promise<void> {
    const { events } = this.#it;
    const from = events.length;
    await action();
    await until(
      () => events.slice(from).some(({ type }) => type === "enable"),
      "the function is enabled anew",
    );
    this.enabled++;
  }

  /** A request that the host waits for. */
  async request(): Promise<string> {
    const planned = this.#plan(ANSWERS.slice(0, -1));
    await this.#expect(planned, await this.#send(planned, undefined));
    return describe(planned);
  }

  /**
   * Compares what the host saw. FunctionFS hands an answer to the controller
   * after it has let go of its lock (`__ffs_ep0_queue_wait()`): where the host
   * gives the request up in between and makes another, that gets the answer,
   * and the kernel says of it that it was taken. Nobody can see that coming.
   */
  async #expect(planned: Planned, seen: string): Promise<void> {
    if (seen === expected(planned)) return;
    const before = planned.number - 1;
    if (this.givenUp.has(before)) {
      await until(() => this.#handler.running === 0, "all handlers are done");
      if (this.#handler.answered.has(before)) {
        // Its own answer goes astray in turn.
        this.strays++;
        this.givenUp.add(planned.number);
        return;
      }
    }
    assertEquals(seen, expected(planned), describe(planned));
  }

  /** A request that the host gives up after a moment. */
  async #abortedRequest(): Promise<string> {
    const planned = this.#plan(ANSWERS);
    const controller = new AbortController();
    const sending = this.#send(planned, controller.signal);
    await delay(this.#random.int(0, MAX_DELAY_MS));
    controller.abort();
    const seen = await sending;
    if (seen === "ENOENT") this.givenUp.add(planned.number);
    else await this.#expect(planned, seen);
    return `${describe(planned)} aborted: ${seen}`;
  }

  /** Requests one behind the other, as fast as the host can. */
  async #severalRequests(): Promise<string> {
    const planned = Array.from(
      { length: this.#random.int(2, 5) },
      () => this.#plan(["at once", "stall"]),
    );
    const seen = await Promise.all(
      planned.map((each) => this.#send(each, undefined)),
    );
    for (const [index, each] of planned.entries()) {
      await this.#expect(each, seen[index]);
    }
    return planned.map(describe).join(" + ");
  }

  /** Something that the host does while a request waits for its answer. */
  async #during(action: () => Promise<void>): Promise<string> {
    if (this.#random.chance()) {
      await action();
      return "nothing";
    }
    const planned = this.#plan(["never", "late"]);
    const controller = new AbortController();
    const sending = this.#send(planned, controller.signal);
    await delay(this.#random.int(0, MAX_DELAY_MS));
    // The host's controller does one request at a time.
    controller.abort();
    await action();
    if (await sending === "ENOENT") this.givenUp.add(planned.number);
    return describe(planned);
  }

  #plan(answers: readonly Planned["answer"][]): Planned {
    const random = this.#random;
    const number = this.#number = (this.#number + 1) & 0xffff;
    const planned = {
      number,
      direction: random.pick(["in", "out"] as const),
      length: random.pick(LENGTHS),
      answer: random.pick(answers),
      delay: random.int(0, MAX_DELAY_MS),
    };
    this.#handler.plans.set(number, planned);
    return planned;
  }

  async #send(
    planned: Planned,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { host } = this.#it;
    const { number: value, length } = planned;
    const setup = { ...VENDOR, request: 1, value };
    if (planned.direction === "out") {
      return `${await outcome(
        host.controlOut(setup, dataOf(planned), { signal }),
      )}`;
    }
    const seen = await outcome(
      host.controlIn({ ...setup, length }, { signal }),
    );
    if (typeof seen === "string") return seen;
    return firstDifference(seen, dataOf(planned)) < 0
      ? `${seen.byteLength}`
      : "other data";
  }
}

function expected({ answer, length }: Planned): string {
  return answer.startsWith("stall") ? "EPIPE" : `${length}`;
}

function describe({ number, direction, length, answer }: Planned): string {
  return `${number}: ${direction} ${length} ${answer}`;
}

/** Checks that every event can follow the one before. */
function assertLife({ events }: ControlGadget): void {
  let state = "bound";
  let suspended = false;
  for (const [index, event] of events.entries()) {
    const place = `event ${index}, "${event.type}" when ${state}`;
    const follow = (from: string, to: string) => {
      assertEquals(state, from, place);
      state = to;
    };
    switch (event.type) {
      case "bind":
        if (index > 0) follow("unbound", "bound");
        break;
      case "enable":
        follow("bound", "enabled");
        break;
      case "disable":
        follow("enabled", "bound");
        break;
      case "unbind":
        follow("bound", "unbound");
        suspended = false;
        break;
      case "suspend":
      case "resume":
        assertEquals(suspended, event.type === "resume", place);
        suspended = !suspended;
        break;
      case "error":
        throw event.error;
    }
  }
}

Deno.test(`${SEQUENCES} random sequences of host actions leave the function working`, async () => {
  const seed = testSeed();
  console.log(`seed: GADGET_SEED=${seed}`);
  using _ = watchEventLoop();
  const handler = new Handler();
  await using it = await startControl({ control: handler.handle });
  const enables = () =>
    it.events.filter(({ type }) => type === "enable").length;
  let enabled = enables();
  let strays = 0;
  let givenUpInAll = 0;
  for (let sequence = 0; sequence < SEQUENCES; sequence++) {
    // Each sequence has its own seed: it does not depend on timing.
    const random = new Random((seed + sequence) >>> 0);
    const host = new Host(it, random, handler);
    handler.forget();
    const log: string[] = [];
    try {
      for (let left = random.int(1, 6); left > 0; left--) {
        log.push(await host.act());
      }
      log.push(await host.request());
      await until(() => handler.running === 0, "all handlers are done");
      const { givenUp } = host;
      assertEquals(handler.wrong.filter((each) => !givenUp.has(each)), []);
      enabled += host.enabled;
      givenUpInAll += givenUp.size;
      strays += host.strays;
    } catch (error) {
      const done = log.join("\n  ");
      throw new Error(
        `Sequence ${sequence} of seed ${seed} failed after:\n  ${done}`,
        { cause: error },
      );
    }
  }
  assertLife(it);
  assertEquals(enables(), enabled, "nothing is reported twice");
  console.log(`${strays} strays after ${givenUpInAll} requests given up`);
  assert(
    strays <= 2 + givenUpInAll / 20,
    `${strays} requests got the answer of one of ${givenUpInAll}`,
  );
});
