import "../support/run/aio_libraries.ts";
import { removeAtExit } from "../../src/state/exit.ts";

Deno.test("gadgets that come and go leave no operation of Deno behind", async () => {
  // With that many, the test sanitizer of Deno does not wait for all.
  for (let round = 0; round < 200; round++) {
    const forget = removeAtExit({ stopNow() {} });
    await Promise.resolve();
    await forget();
  }
});
