import { assertEquals, assertRejects } from "@std/assert";
import {
  FUNCTIONFS_DISABLE,
  FUNCTIONFS_ENABLE,
  FUNCTIONFS_RESUME,
  FUNCTIONFS_SUSPEND,
  FUNCTIONFS_UNBIND,
} from "../../src/compile/functionfs_abi.ts";
import { Lifecycle } from "../../src/functionfs/lifecycle.ts";

/** The events of a life until it is closed. */
async function eventsOf(
  live: (life: Lifecycle) => void,
  interfaces = 1,
): Promise<string> {
  const life = new Lifecycle(interfaces);
  const events = life.events[Symbol.asyncIterator]();
  live(life);
  life.close();
  const seen: string[] = [];
  for (;;) {
    const { done, value } = await events.next();
    if (done) return seen.join(" ");
    seen.push(value.type);
  }
}

Deno.test("events that the kernel has purged are reported as well", async () => {
  assertEquals(
    await eventsOf((life) => life.enable()),
    "bind enable disable unbind",
  );
  assertEquals(
    await eventsOf((life) => {
      life.bind();
      life.enable();
      life.enable();
    }),
    "bind enable disable enable disable unbind",
  );
  assertEquals(
    await eventsOf((life) => {
      life.enable();
      life.bind();
    }),
    "bind enable disable unbind bind unbind",
  );
  assertEquals(
    await eventsOf((life) => {
      life.enable();
      life.unbind();
      life.unbind();
    }),
    "bind enable disable unbind",
  );
});

Deno.test("the interfaces of one configuration are enabled once", async () => {
  const life = (enables: number) => (life: Lifecycle) => {
    life.bind();
    for (let count = 0; count < enables; count++) life.enable();
  };
  assertEquals(
    await eventsOf(life(3), 3),
    "bind enable disable unbind",
  );
  assertEquals(
    await eventsOf(life(4), 3),
    "bind enable disable enable disable unbind",
  );
});

Deno.test("every ENABLE reaches the endpoints, because their transfers have ended", () => {
  const life = new Lifecycle(3);
  let resets = 0;
  life.onEnable(() => resets++);
  for (let count = 0; count < 3; count++) life.enable();
  assertEquals([resets, life.enableCount], [3, 3]);
  life.close();
});

Deno.test("suspend and resume alternate, and traffic ends a suspend", async () => {
  assertEquals(
    await eventsOf((life) => {
      life.suspend();
      life.enable();
      life.resume();
      life.suspend();
      life.suspend();
      life.resume();
      life.suspend();
      life.disable();
      life.enable();
    }),
    "bind enable suspend resume suspend disable resume enable disable unbind",
  );
});

Deno.test("an error is kept for the first iteration, and not thrown", async () => {
  const life = new Lifecycle();
  const problem = new Error("no");
  life.events.report(problem);
  const events = life.events[Symbol.asyncIterator]();
  assertEquals(await events.next(), {
    done: false,
    value: { type: "error", error: problem },
  });
  life.close();
  assertEquals((await events.next()).done, true);
});

Deno.test("a reader that stops gets nothing more, and others do", async () => {
  const life = new Lifecycle();
  const [one, other] = [life.events, life.events].map((events) =>
    events[Symbol.asyncIterator]()
  );
  const waiting = one.next();
  await one.return!();
  assertEquals((await waiting).done, true);
  life.bind();
  assertEquals((await other.next()).value, { type: "bind" });
  assertEquals((await one.next()).done, true);
});

Deno.test("enabled() rejects for a signal that is aborted, and after the end", async () => {
  const life = new Lifecycle();
  const signal = AbortSignal.abort(new Error("before"));
  await assertRejects(() => life.enabled(signal), Error, "before");
  life.close();
  await assertRejects(() => life.enabled(), Deno.errors.BadResource);
});

Deno.test("a suspend that only announces a disconnect is not reported", async () => {
  const seen = (...types: number[]) =>
    eventsOf((life) => life.apply([FUNCTIONFS_ENABLE, ...types]));
  assertEquals(
    await seen(FUNCTIONFS_SUSPEND, FUNCTIONFS_UNBIND),
    "bind enable disable unbind",
  );
  assertEquals(
    await seen(FUNCTIONFS_SUSPEND, FUNCTIONFS_DISABLE, FUNCTIONFS_ENABLE),
    "bind enable disable enable disable unbind",
  );
  assertEquals(
    await seen(FUNCTIONFS_DISABLE, FUNCTIONFS_SUSPEND),
    "bind enable disable suspend unbind",
  );
  assertEquals(
    await seen(FUNCTIONFS_SUSPEND, FUNCTIONFS_RESUME),
    "bind enable suspend resume disable unbind",
  );
});

Deno.test("a life that has ended does not begin again, whatever the kernel reports", async () => {
  const life = new Lifecycle();
  life.enable();
  life.close();
  const { enableCount } = life;
  life.bind();
  life.enable();
  life.suspend();
  assertEquals(life.state, "closed");
  assertEquals(life.suspended, false);
  assertEquals(life.enableCount, enableCount);
  await assertRejects(() => life.enabled(), Deno.errors.BadResource);
});

Deno.test("an ENABLE belongs to its configuration until the host has transferred something", () => {
  const seen: string[] = [];
  const life = new Lifecycle(3);
  life.events.listen(({ type }) => seen.push(type));
  life.enable();
  const { session } = life;
  life.enable();
  assertEquals(seen, ["bind", "enable"]);
  assertEquals(life.session, session);
  life.use();
  life.enable();
  assertEquals(seen.slice(2), ["disable", "enable"]);
  assertEquals(session.ended, "reconfigured");
  life.close();
});

Deno.test("an iteration that stalls keeps the latest 1000 events, and reports how many it lost", async () => {
  const life = new Lifecycle();
  const stalled = life.events[Symbol.asyncIterator]();
  const other = life.events[Symbol.asyncIterator]();
  const left = life.events[Symbol.asyncIterator]();
  const take = async (events: typeof stalled) => (await events.next()).value;
  const errors = (from: number, to: number) => {
    for (let n = from; n < to; n++) life.events.report(n);
  };
  life.enable();
  assertEquals((await take(other))?.type, "bind");
  assertEquals((await take(other))?.type, "enable");
  // One that takes its events loses none.
  for (let round = 0; round < 5; round++) {
    errors(round * 999, (round + 1) * 999);
    for (let n = 0; n < 999; n++) {
      assertEquals(await take(other), {
        type: "error",
        error: round * 999 + n,
      });
    }
  }
  // "bind", "enable" and 3995 of 4995 errors.
  assertEquals(await take(stalled), { type: "dropped", count: 3997 });
  for (let n = 3995; n < 4995; n++) {
    assertEquals(await take(stalled), { type: "error", error: n });
  }
  // As many as are kept can wait without a loss, and one more cannot.
  errors(0, 1000);
  assertEquals(await take(stalled), { type: "error", error: 0 });
  errors(1000, 1002);
  assertEquals(await take(stalled), { type: "dropped", count: 1 });
  // The end comes after what waits.
  life.close();
  assertEquals(await take(stalled), { type: "dropped", count: 2 });
  let last;
  for (let n = 0; n < 1000; n++) last = await take(stalled);
  assertEquals(last, { type: "unbind" });
  assertEquals((await stalled.next()).done, true);
  // One that is left keeps nothing.
  await left.return?.();
  assertEquals((await left.next()).done, true);
});

Deno.test("an iteration of events that begins after the end fails, so that a loop ends", async () => {
  const life = new Lifecycle();
  life.events.report(new Error("unseen"));
  life.close();
  const seen: string[] = [];
  const error = await assertRejects(async () => {
    for (;;) for await (const { type } of life.events) seen.push(type);
  }, Deno.errors.BadResource);
  assertEquals(error.message, "Cannot wait for events: the function is closed");
  assertEquals(seen, ["error"]);
});
