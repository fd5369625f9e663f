import "../support/run/aio_libraries.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { until } from "../support/waiting/until.ts";
import { libc } from "../../ffi/libc.ts";
import { isIgnored, whileDelayed } from "../../ffi/signal.ts";

const SIGPIPE = 13;
const SIGUSR2 = 12;

Deno.test("a signal that comes while work runs is handled after it", async () => {
  let count = 0;
  const listener = () => count++;
  Deno.addSignalListener("SIGUSR2", listener);
  try {
    const result = whileDelayed(SIGUSR2, () => {
      // To a thread that does not block it.
      Deno.kill(Deno.pid, "SIGUSR2");
      libc().poll_now(new Uint8Array(0), 0n, 50);
      return "result";
    });
    assertEquals(result, "result");
    await until(() => count > 0, "the signal is handled");
    assertThrows(
      () =>
        whileDelayed(SIGUSR2, () => {
          // To this thread.
          libc().raise(SIGUSR2);
          throw new RangeError("from the work");
        }),
      RangeError,
      "from the work",
    );
    await until(() => count > 1, "the second signal is handled");
    assertEquals(count, 2);
  } finally {
    Deno.removeSignalListener("SIGUSR2", listener);
  }
});

Deno.test("an ignored signal stays ignored after work", () => {
  assertEquals(isIgnored(SIGPIPE), true);
  whileDelayed(SIGPIPE, () => assertEquals(isIgnored(SIGPIPE), false));
  assertEquals(isIgnored(SIGPIPE), true);
});
