/**
 * A handler that takes its time, while transfers run both ways.
 *
 * @module
 */
// VM: any speed
import { setTimeout as delay } from "node:timers/promises";
import { assertEquals } from "@std/assert";
import { startControl, VENDOR } from "../support/gadgets/control.ts";
import { watchEventLoop } from "../support/measure/heartbeat.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import "../support/run/aio_libraries.ts";

const THINKING_MS = 3000;
const TRANSFER = 64 << 10;

for (const direction of ["in", "out"] as const) {
  Deno.test(`an ${direction.toUpperCase()} request that is answered after 3 s does not disturb transfers, nor they it`, async () => {
    using _ = watchEventLoop();
    let meanwhile = 0;
    // The host may hear of its success before the handler does.
    const taken = Promise.withResolvers<Uint8Array>();
    await using it = await startControl({
      control: async (setup) => {
        const end = performance.now() + THINKING_MS;
        while (performance.now() < end || meanwhile < 4) await delay(50);
        if (setup.direction === "in") return pattern(setup.length);
        taken.resolve(await setup.receive());
        return undefined;
      },
    });
    const echo = it.link.readable.pipeTo(it.link.writable);
    const setup = { ...VENDOR, request: 1 };
    const options = { timeout: 60_000 };
    let answered = false;
    const request = direction === "in"
      ? it.host.controlIn({ ...setup, length: 4096 }, options)
      : it.host.controlOut(setup, pattern(4096), options);
    const answer = request.finally(() => answered = true);
    for (let round = 0; !answered; round++) {
      const sent = pattern(TRANSFER, round);
      const [back] = await Promise.all([
        it.host.read(it.link, TRANSFER),
        it.host.write(it.link, sent),
      ]);
      assertEquals(firstDifference(sent, back), -1, `transfer ${round}`);
      meanwhile++;
    }
    const seen = await answer;
    if (direction === "out") assertEquals(seen, 4096);
    assertEquals(
      direction === "in" ? seen : await taken.promise,
      pattern(4096),
    );
    await it.gadget.stop();
    await echo.catch(() => {});
  });
}

Deno.test("what is behind an answer runs before the next handler", async () => {
  // As usbtest does: cases 14 and 21 write by 0x5b, and read back by 0x5c.
  let stored = new Uint8Array(0);
  await using it = await startControl({
    control: async (setup) => {
      if (setup.request === 0x5b) stored = await setup.receive();
      return setup.request === 0x5c ? stored : undefined;
    },
  });
  const { host } = it;
  for (let length = 0; length <= 4096; length += 1 + length * 2) {
    const data = pattern(length, length);
    const vendor = { type: "vendor" } as const;
    // The second one waits in the host's controller while the first one runs.
    const [sent, back] = await Promise.all([
      host.controlOut({ ...vendor, request: 0x5b }, data),
      host.controlIn({ ...vendor, request: 0x5c, length }),
    ]);
    assertEquals(sent, length);
    assertEquals(back, data);
  }
});
