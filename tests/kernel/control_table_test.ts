/**
 * Every combination of direction, recipient, length and answer, and what the
 * host must see of it: USB 2.0 chapter 9 and `f_fs.c`.
 *
 * @module
 */
// VM: any architecture
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals } from "@std/assert";
import {
  type ControlHandler,
  type RequestRecipient,
  type SetupRequest,
  Stall,
  unhandled,
} from "@usb/gadget";
import type { HostControlRequest } from "@usb/gadget/testing";
import {
  aborted,
  type ControlGadget,
  outcome,
  startControl,
} from "../support/gadgets/control.ts";
import { watchEventLoop } from "../support/measure/heartbeat.ts";
import { pattern } from "../support/data/pattern.ts";
import { soak } from "../support/run/soak.ts";
import "../support/run/aio_libraries.ts";

const LENGTHS = [0, 1, 63, 64, 65, 512, 4095, 4096];
const RECIPIENTS = ["device", "interface", "endpoint", "other"] as const;
const LATE_MS = 20;

/** What the host gets: bytes of an answer, bytes taken, or an error. */
type Seen = number | "EPIPE" | "ENOENT";

/** An answer: what the handler does, and what comes of it by request length. */
interface Answer {
  run: ControlHandler;
  seen(length: number): Seen;
  /** The host gives up by itself, as soon as the handler has the request. */
  givesUp?: true;
  /** What the handler's error is, if it is one that is reported. */
  error?: string;
}

const data = (length: number) => pattern(length, length);
const short = (length: number) => length >> 1;

const IN: Record<string, Answer> = {
  "return all": { run: ({ length }) => data(length), seen: (length) => length },
  "return fewer": {
    run: ({ length }) => data(length).subarray(0, short(length)),
    seen: short,
  },
  "return more": {
    run: ({ length }) => {
      const more = new Uint8Array(length + 100);
      more.set(data(length));
      return more;
    },
    seen: (length) => length,
  },
  "return no bytes": { run: () => new Uint8Array(0), seen: () => 0 },
  "return nothing": {
    run: () => {},
    seen: (length) => length === 0 ? 0 : "EPIPE",
  },
  "reply": {
    run: async (setup) => {
      assertEquals(await setup.reply(data(setup.length)), setup.length);
    },
    seen: (length) => length,
  },
  "acknowledge": { run: (setup) => setup.acknowledge(), seen: () => 0 },
  "receive": {
    run: async (setup) => void await setup.receive(),
    seen: () => "EPIPE",
    error: "TypeError",
  },
};

const OUT: Record<string, Answer> = {
  "receive": {
    run: async (setup) => {
      assertEquals(await setup.receive(), data(setup.length));
    },
    seen: (length) => length,
  },
  "return nothing": { run: () => {}, seen: (length) => length },
  "acknowledge": {
    run: (setup) => setup.acknowledge(),
    seen: (length) => length,
  },
  "return bytes": {
    run: () => new Uint8Array(1),
    seen: () => "EPIPE",
    error: "TypeError",
  },
  "receive, then throw": {
    run: async (setup) => {
      await setup.receive();
      throw new RangeError("too late");
    },
    seen: (length) => length,
    error: "RangeError",
  },
};

const BOTH: Record<string, Answer> = {
  "stall": { run: (setup) => setup.stall(), seen: () => "EPIPE" },
  "throw Stall": {
    run: () => {
      throw new Stall();
    },
    seen: () => "EPIPE",
  },
  "throw": {
    run: () => {
      throw new RangeError("no");
    },
    seen: () => "EPIPE",
    error: "RangeError",
  },
  "unhandled": { run: () => unhandled, seen: () => "EPIPE" },
  "late": {
    run: async (setup) => {
      await delay(LATE_MS);
      return setup.direction === "in" ? data(setup.length) : undefined;
    },
    seen: (length) => length,
  },
  "stall late": {
    run: async (setup) => {
      await delay(LATE_MS);
      setup.stall();
    },
    seen: () => "EPIPE",
  },
  "never": {
    run: (setup) => aborted(setup),
    seen: () => "ENOENT",
    givesUp: true,
  },
  "too late": {
    run: async (setup) => {
      await aborted(setup);
      assertEquals(setup.settled, true);
      return setup.direction === "in" ? data(setup.length) : undefined;
    },
    seen: () => "ENOENT",
    givesUp: true,
  },
};

interface Combination {
  readonly direction: "in" | "out";
  readonly recipient: RequestRecipient;
  readonly length: number;
  readonly name: string;
  readonly answer: Answer;
}

/**
 * All combinations. Every day a part of them: every answer to every length, to
 * every recipient, and every length to every recipient.
 */
function combinations(direction: "in" | "out"): Combination[] {
  const answers = { ...direction === "in" ? IN : OUT, ...BOTH };
  const step = soak(1, RECIPIENTS.length);
  return Object.entries(answers).flatMap(([name, answer], a) =>
    RECIPIENTS.flatMap((recipient, r) =>
      LENGTHS.filter((_, l) => (a + r + l) % step === 0)
        .map((length) => ({ direction, recipient, length, name, answer }))
    )
  );
}

for (const direction of ["in", "out"] as const) {
  Deno.test(`the host sees what every answer to every ${direction.toUpperCase()} request means`, async () => {
    using _ = watchEventLoop();
    let expected: Combination;
    let received = Promise.withResolvers<SetupRequest>();
    await using control = await startControl({
      control: (setup) => {
        received.resolve(setup);
        return expected.answer.run(setup);
      },
    });
    let errors = 0;
    for (expected of combinations(direction)) {
      const { recipient, length, name, answer } = expected;
      const title = `${recipient}, ${length} bytes, ${name}`;
      received = Promise.withResolvers();
      const giveUp = new AbortController();
      if (answer.givesUp) received.promise.then(() => giveUp.abort());
      const index = recipient === "endpoint"
        ? control.link.out
        : recipient === "interface"
        ? 0
        : 0x1234;
      const seen = await request(control, expected, index, giveUp.signal);
      assertEquals(seen, answer.seen(length), title);
      const setup = await received.promise;
      assertEquals(
        [setup.direction, setup.type, setup.recipient, setup.request],
        [direction, "vendor", recipient, 0x42],
        title,
      );
      // FunctionFS puts the endpoint's number in place of its address.
      const own = recipient === "endpoint" ? 2 : index;
      assertEquals(
        [setup.value, setup.index, setup.length],
        [length + 7, own, length],
        title,
      );
      if (answer.error !== undefined) errors++;
    }
    // One more: what was given up is over then.
    const { answer } = expected = combinations(direction)[0];
    assertEquals(
      await request(control, expected, 0, undefined),
      answer.seen(expected.length),
    );
    const reported = control.events.filter(({ type }) => type === "error");
    assertEquals(reported.length, errors);
    // BIND may have come before the iteration began.
    const life = control.events.map(({ type }) => type)
      .filter((type) => type !== "error" && type !== "bind");
    assertEquals(life, ["enable"]);
  });
}

/** Makes a request; returns what the host sees. */
async function request(
  { host }: ControlGadget,
  { direction, recipient, length }: Combination,
  index: HostControlRequest["index"],
  signal: AbortSignal | undefined,
): Promise<Seen> {
  const setup = {
    type: "vendor" as const,
    recipient,
    request: 0x42,
    value: length + 7,
    index,
  };
  if (direction === "out") {
    return await outcome(
      host.controlOut(setup, data(length), { signal }),
    ) as Seen;
  }
  const seen = await outcome(
    host.controlIn({ ...setup, length }, { signal }),
  );
  if (typeof seen === "string") return seen as Seen;
  assert(seen.byteLength <= length);
  assertEquals(seen, data(length).subarray(0, seen.byteLength));
  return seen.byteLength;
}
