// VM: a class of device
/**
 * Transfers that a host cancels, over a real bus: the next operation works, and
 * nothing of the old one is in it.
 *
 * GADGET_SEED=N cancels at the same places as a run that has printed N.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { memoryStore } from "@usb/gadget/mtp";
import { OperationCode } from "../../src/classes/mtp/protocol/codes.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { abandonTransfer, HALF } from "../support/mtp/abandon.ts";
import { handlesOf, sendFile, startMtp } from "../support/mtp/bus_bench.ts";
import { soak } from "../support/run/soak.ts";

const SIZE = 2_000_000;
const OK = 0x2001;

for (const polls of [true, false]) {
  const how = polls ? "polls the status" : "goes on at once";
  Deno.test(`a host cancels at random moments, and ${how}`, async () => {
    const seed = testSeed();
    const random = new Random(seed);
    const store = memoryStore({ files: { old: pattern(SIZE, 1) } });
    await using bench = await startMtp(store);
    const { host } = bench;
    const [old] = await handlesOf(host);
    for (let round = 0; round < soak(250, 20); round++) {
      const where = `seed ${seed}, round ${round}`;
      const id = await abandonTransfer(host, random, old, SIZE);
      await host.cancel(id);
      // libmtp sends it twice, and may name the one before.
      if (random.chance()) await host.cancel(id - random.int(0, 1));
      if (polls) {
        await host.untilReady();
        assertEquals(await host.status(), [OK], where);
      }
      const next = pattern(random.int(0, 100_000), round);
      const handle = await sendFile(host, "next", next);
      assertEquals(firstDifference(store.get("next")!, next), -1, where);
      const data = await host.pass(OperationCode.GetObject, [handle]);
      assertEquals(firstDifference(data, next), -1, where);
      await host.pass(OperationCode.DeleteObject, [handle]);
      assertEquals(store.get(HALF), undefined, where);
    }
    assertEquals(await handlesOf(host), [old]);
    assertEquals(bench.errors, []);
  });
}
