import "../support/run/aio_libraries.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { until } from "../support/waiting/until.ts";
import { isIgnored, whileIgnored } from "../../ffi/signal.ts";

const SIGUSR2 = 12;

Deno.test("a signal is ignored while work runs, and handled as before after it", () => {
  assertEquals(isIgnored(SIGUSR2), false);
  assertEquals(
    whileIgnored(SIGUSR2, () => [isIgnored(SIGUSR2), "result"]),
    [true, "result"],
  );
  assertEquals(isIgnored(SIGUSR2), false);
  assertThrows(
    () =>
      whileIgnored(SIGUSR2, () => {
        throw new RangeError("from the work");
      }),
    RangeError,
    "from the work",
  );
  assertEquals(isIgnored(SIGUSR2), false);
});

Deno.test("a listener of Deno gets signals again after they were ignored", async () => {
  let count = 0;
  const listener = () => count++;
  Deno.addSignalListener("SIGUSR2", listener);
  try {
    whileIgnored(SIGUSR2, () => Deno.kill(Deno.pid, "SIGUSR2"));
    Deno.kill(Deno.pid, "SIGUSR2");
    await until(() => count > 0, "a signal has come");
    assertEquals(count, 1);
  } finally {
    Deno.removeSignalListener("SIGUSR2", listener);
  }
});
