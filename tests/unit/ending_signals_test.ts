import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { until } from "../support/waiting/until.ts";
import { libc } from "../../ffi/libc.ts";
import {
  listenToSignals,
  unlistenToSignals,
} from "../../src/state/ending_signals.ts";

const SIGUSR2 = 12;

for (const order of ["before", "after"]) {
  for (const once of [false, true]) {
    Deno.test(
      `a listener${
        once ? " that removes itself" : ""
      }, added ${order} ours, handles a signal`,
      async () => {
        let handled = false;
        let ended = false;
        const listener = () => {
          if (once) Deno.removeSignalListener("SIGUSR2", listener);
          handled = true;
        };
        if (order === "before") Deno.addSignalListener("SIGUSR2", listener);
        listenToSignals(() => ended = true);
        if (order === "after") Deno.addSignalListener("SIGUSR2", listener);
        libc().raise(SIGUSR2);
        await until(() => handled, "the listener is called");
        Deno.removeSignalListener("SIGUSR2", listener);
        unlistenToSignals();
        assertEquals(ended, false);
      },
    );
  }
}

Deno.test("no signal is lost while we check for other listeners", async () => {
  const ROUNDS = 3000;
  const handled = new Int32Array(new SharedArrayBuffer(4));
  const sender = new Worker(
    new URL("../support/workers/signal_sender.ts", import.meta.url),
    { type: "module" },
  );
  const listener = () => {
    Atomics.add(handled, 0, 1);
    Atomics.notify(handled, 0);
  };
  listenToSignals(() => {});
  Deno.addSignalListener("SIGUSR2", listener);
  sender.postMessage({ handled, signal: "SIGUSR2", rounds: ROUNDS });
  await until(() => handled[0] === ROUNDS, "each signal is handled", 30_000);
  Deno.removeSignalListener("SIGUSR2", listener);
  unlistenToSignals();
  sender.terminate();
});
