import { Buffer } from "node:buffer";
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals } from "@std/assert";
import {
  type ControlHandler,
  type SetupRequest,
  Stall,
  unhandled,
} from "../../mod.ts";
import { encodeSetup } from "../../src/inspect/mod.ts";
import { Setup } from "../../src/functionfs/control/setup.ts";
import { fakeSetup, type FakeSetupOptions } from "@usb/gadget/testing";
import { runSetup } from "../support/gadgets/run_setup.ts";
import "../support/run/aio_libraries.ts";

const VENDOR = { type: "vendor", recipient: "interface", request: 1 } as const;
const IN = { ...VENDOR, direction: "in", length: 4 } as const;
const OUT = { ...VENDOR, direction: "out" } as const;

const run = (control: ControlHandler, fields: typeof IN | typeof OUT = IN) =>
  runSetup(fakeSetup(fields), { control });

Deno.test("bytes are the answer to an IN request, as many as it asks for", async () => {
  const { outcome, errors } = await run(() => Uint8Array.of(1, 2, 3, 4, 5));
  assertEquals(outcome, { sent: [1, 2, 3, 4] });
  assertEquals(errors, []);
});

Deno.test("what a handler returns at once is sent at once", () => {
  const fake = fakeSetup(IN);
  runSetup(fake, { control: () => new Uint8Array(1) });
  assertEquals(fake.outcome, { sent: [0] });
});

Deno.test("returning nothing acknowledges requests without data, and stalls the others", async () => {
  const nothing = () => {};
  assertEquals((await run(nothing, OUT)).outcome, { taken: 0 });
  const empty = runSetup(fakeSetup({ ...IN, length: 0 }), { control: nothing });
  assertEquals((await empty).outcome, { sent: [] });
  assertEquals((await run(nothing, IN)).outcome, "stall");
});

Deno.test("a request without a handler, and one that is unhandled, is stalled", async () => {
  const { outcome } = await runSetup(fakeSetup(OUT), {});
  assertEquals(outcome, "stall");
  assertEquals((await run(() => unhandled, OUT)).outcome, "stall");
});

Deno.test("an error stalls, and is reported", async () => {
  const problem = new Error("no");
  const thrower = () => {
    throw problem;
  };
  for (const control of [thrower, () => Promise.reject(problem)]) {
    const { outcome, errors } = await run(control);
    assertEquals(outcome, "stall");
    assertEquals(errors, [problem]);
  }
});

Deno.test("onError is called instead of an event, and may throw itself", async () => {
  const problem = new Error("no");
  const control = () => Promise.reject(problem);
  const calls: unknown[] = [];
  const quiet = await runSetup(fakeSetup(IN), {
    control,
    onError: (error, setup) => calls.push(error, setup.request),
  });
  assertEquals([calls, quiet.errors], [[problem, 1], []]);
  const another = new Error("neither");
  const { errors } = await runSetup(fakeSetup(IN), {
    control,
    onError: () => {
      throw another;
    },
  });
  assertEquals(errors, [another]);
});

Deno.test("Stall stalls without an error, unless it comes too late", async () => {
  const stall = await run(() => Promise.reject(new Stall()));
  assertEquals(stall, { outcome: "stall", errors: [] });
  const both = await run((setup) => {
    setup.stall();
    throw new Stall();
  });
  assertEquals(both, { outcome: "stall", errors: [] });
  const late = await run(async (setup) => {
    await setup.receive();
    throw new Stall("checked too late");
  }, OUT);
  assertEquals(late.outcome, { taken: 0 });
  assert(late.errors[0] instanceof Stall);
});

Deno.test("an answer after the host has given up is no error of the handler", async () => {
  for (const fields of [IN, OUT]) {
    const fake = fakeSetup(fields, { gone: true });
    const { outcome, errors } = await runSetup(fake, {
      control: () => fields === IN ? new Uint8Array(4) : undefined,
    });
    assertEquals([outcome, errors], ["nothing", []]);
    assertEquals(fake.setup.settled, true);
    assertEquals(fake.setup.signal.reason.code, "EIDRM");
  }
});

Deno.test("an operation that uses the signal may fail with another error", async () => {
  const fake = fakeSetup(IN);
  const { errors } = await runSetup(fake, {
    control: (setup) => {
      fake.cancel();
      throw new Error("aborted", { cause: setup.signal.reason });
    },
  });
  assertEquals(errors, []);
});

Deno.test("an error that has nothing to do with the cancellation is reported", async () => {
  const fake = fakeSetup(IN);
  const { errors } = await runSetup(fake, {
    control: () => {
      fake.cancel();
      throw new RangeError("something else");
    },
  });
  assertEquals(errors.length, 1);
});

Deno.test("a second answer is an error, and has no effect", async () => {
  const { outcome, errors } = await run(async (setup) => {
    await setup.reply(Uint8Array.of(7));
    return Uint8Array.of(8);
  });
  assertEquals(outcome, { sent: [7] });
  assertEquals(
    String(errors[0]),
    "TypeError: Cannot answer a control request twice",
  );
});

Deno.test("an answer that is no answer is an error", async () => {
  const text = (() => "text") as unknown as ControlHandler;
  const { outcome, errors } = await run(text);
  assertEquals(outcome, "stall");
  assertEquals(
    String(errors[0]),
    'TypeError: Cannot answer a control request with "text": return a Uint8Array, or nothing',
  );
});

Deno.test("an observer gets each request once, with its outcome", async () => {
  const problem = new Error("no");
  const outcomes = async (
    control: ControlHandler,
    fields: typeof IN | typeof OUT = IN,
    options?: FakeSetupOptions,
  ): Promise<unknown> => {
    const fake = fakeSetup(fields, options);
    await runSetup(fake, { control });
    return fake.outcomes;
  };
  const data = [1, 2, 3];
  const answered = (length: number) => [{ type: "answered", length }];
  const stalled = { type: "stalled", unhandled: false };
  assertEquals(await outcomes(() => new Uint8Array(9)), answered(4));
  const receive: ControlHandler = async (setup) => void await setup.receive();
  assertEquals(await outcomes(receive, OUT, { data }), answered(3));
  assertEquals(await outcomes(() => {}, OUT), answered(0));
  const late: ControlHandler = async (setup) => {
    await setup.receive();
    throw problem;
  };
  assertEquals(await outcomes(late, OUT, { data }), answered(3));
  const unanswered = [{ type: "stalled", unhandled: true }];
  assertEquals(await outcomes(() => unhandled), unanswered);
  assertEquals(await outcomes(() => {}), unanswered);
  assertEquals(await outcomes((setup) => setup.stall()), [stalled]);
  for (const error of [problem, new Stall("why")]) {
    const thrown = await outcomes(() => Promise.reject(error));
    assertEquals(thrown, [{ ...stalled, error }]);
  }
  const cancelled = [{ type: "cancelled" }];
  const gone = await outcomes(() => new Uint8Array(1), IN, { gone: true });
  assertEquals(gone, cancelled);
  const fake = fakeSetup(IN);
  await runSetup(fake, {
    control: (setup) => {
      fake.cancel();
      setup.signal.throwIfAborted();
    },
  });
  assertEquals<unknown>(fake.outcomes, cancelled);
});

Deno.test("a request that no handler answers is reported with the reason", async () => {
  const reports: string[] = [];
  const onUnanswered = (setup: SetupRequest, why: string) =>
    reports.push(`${setup.request} ${why.split(" ", 4).join(" ")}`);
  const ask = (control: ControlHandler | undefined, fields = IN) =>
    runSetup(fakeSetup(fields), { control, onUnanswered });
  await ask(undefined);
  await ask(() => unhandled);
  await ask(() => {});
  assertEquals(reports.splice(0), [
    "1 no handler answers it;",
    "1 no handler answers it;",
    "1 its handler returned nothing,",
  ]);
  await ask(() => new Uint8Array(1));
  await ask(() => Promise.reject(new Stall()));
  await ask((setup) => setup.stall());
  await ask((setup) => {
    setup.stall();
    return unhandled;
  });
  assertEquals(reports, []);
});

Deno.test("onError may be asynchronous: its rejection is reported", async () => {
  const another = new Error("neither");
  const onError = () => Promise.reject(another);
  const control = () => Promise.reject(new Error("no"));
  const { errors } = await runSetup(fakeSetup(IN), { control, onError });
  await delay(0);
  assertEquals(errors, [another]);
});

Deno.test("standard requests go to standardControl, the defaults and control, in turn", async () => {
  const asked: string[] = [];
  const handler = (name: string, answer: ReturnType<ControlHandler>) => () => {
    asked.push(name);
    return answer;
  };
  const standard = { ...IN, type: "standard" } as const;
  const all = {
    standardControl: handler("standardControl", unhandled),
    defaults: handler("defaults", unhandled),
    control: handler("control", Uint8Array.of(1)),
  };
  await runSetup(fakeSetup(standard), all);
  assertEquals(asked.splice(0), ["standardControl", "defaults", "control"]);
  const overridden = { ...all, standardControl: handler("mine", undefined) };
  await runSetup(fakeSetup(standard), overridden);
  assertEquals(asked.splice(0), ["mine"]);
  await runSetup(fakeSetup(IN), all);
  assertEquals(asked.splice(0), ["control"]);
});

Deno.test("the signal of a cancelled request is aborted, whenever it is asked for", () => {
  const before = fakeSetup(IN).setup as Setup;
  const { signal } = before;
  before.cancel();
  const after = fakeSetup(IN).setup as Setup;
  after.cancel();
  after.cancel();
  assertEquals([signal.aborted, after.signal.aborted], [true, true]);
  assertEquals(after.signal.reason, after.signal.reason);
  assertEquals(before.settled, true);
});

Deno.test("only what a handler returns is an answer that no code of it waits for", async () => {
  const handledAt: boolean[] = [];
  const fake = (control: ControlHandler) => {
    const it = fakeSetup(IN);
    const { promise, resolve } = Promise.withResolvers<void>();
    const watched = Object.assign(it.setup, {
      reply: (data: Uint8Array) => {
        handledAt.push((it.setup as Setup).handled);
        resolve();
        return Promise.resolve(data.byteLength);
      },
    });
    runSetup(Object.assign(it, { setup: watched }), { control });
    return promise;
  };
  await fake(() => new Uint8Array(1));
  await fake(async (setup) => {
    await setup.reply(new Uint8Array(1));
  });
  assertEquals(handledAt, [true, false]);
});

Deno.test("a handler need not wait for its answer, also where the host has given up", async () => {
  const unhandledRejections: unknown[] = [];
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandledRejections.push(event.reason);
  };
  addEventListener("unhandledrejection", listener);
  try {
    for (
      const [fields, answer] of [
        [IN, (setup: SetupRequest) => void setup.reply(new Uint8Array(1))],
        [OUT, (setup: SetupRequest) => void setup.receive()],
        [OUT, (setup: SetupRequest) => void setup.acknowledge()],
        [
          { ...IN, length: 0 },
          (setup: SetupRequest) => void setup.acknowledge(),
        ],
      ] as const
    ) {
      await runSetup(fakeSetup(fields, { gone: true }), { control: answer });
      const over = fakeSetup(fields);
      over.cancel();
      await runSetup(over, { control: answer });
    }
    await delay(0);
    assertEquals(unhandledRejections, []);
    // A mistake rejects.
    await run((setup) => {
      setup.reply(new Uint8Array(1));
      setup.reply(new Uint8Array(1));
    });
    await delay(0);
    assert(unhandledRejections[0] instanceof TypeError);
  } finally {
    removeEventListener("unhandledrejection", listener);
  }
});

Deno.test("data that cannot be sent is an error, and the request stalled", async () => {
  const { outcome, errors } = await run(async (setup) => {
    await setup.reply("text" as unknown as Uint8Array);
  });
  assertEquals(outcome, "stall");
  assert(errors[0] instanceof TypeError);
});

Deno.test("an answer is handed on before reply() returns, also that of a Buffer of Node", async () => {
  const sent: Uint8Array[] = [];
  const setup = new Setup(encodeSetup(IN), {
    send: (_, bytes) => Promise.resolve(sent.push(bytes.slice())),
    take: () => Promise.resolve(-1),
    refuse: () => {},
  });
  const data = Buffer.from([1, 2, 3, 4, 5]);
  const answered = setup.reply(data);
  data.fill(0);
  await answered;
  assertEquals(sent, [Uint8Array.of(1, 2, 3, 4)]);
});
