// VM: any speed
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { bulkIn, bulkOut } from "@usb/gadget";
import { list } from "../../ffi/file.ts";
import { addressesOf, startEndpoints } from "../support/gadgets/endpoints.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { soak } from "../support/run/soak.ts";
import { readThreadFile } from "../support/machine/thread_file.ts";

const SIZE = 65_536;

/** How many threads of this process wait in poll(). */
function parkedPolls(): number {
  return list("/proc/self/task").filter(({ name }) =>
    // "ep_poll" is the event loop itself.
    /^(do_(sys_)?)?poll/.test(readThreadFile(name, "wchan"))
  ).length;
}

Deno.test("eight endpoints are busy at once with one parked poll, and mix nothing up", async () => {
  const rounds = soak(500, 12);
  await using test = await startEndpoints({
    in1: bulkIn(),
    out1: bulkOut(),
    in2: bulkIn(),
    out2: bulkOut(),
    in3: bulkIn(),
    out3: bulkOut(),
    in4: bulkIn(),
    out4: bulkOut(),
  });
  const { host } = test;
  const { in1, in2, in3, in4, out1, out2, out3, out4 } = test.endpoints;
  const ins = [in1, in2, in3, in4];
  const outs = [out1, out2, out3, out4];
  assertEquals(new Set(addressesOf(host)).size, 8);
  let most = 0;
  const work = ins.flatMap((endpoint, n) => {
    const seed = (round: number) => 31 * n + round;
    const write = async () => {
      for (let round = 0; round < rounds; round++) {
        await endpoint.write(pattern(SIZE, seed(round)));
      }
    };
    const take = async () => {
      for (let round = 0; round < rounds; round++) {
        const chunk = await host.read(endpoint, SIZE);
        const expected = pattern(SIZE, seed(round));
        assertEquals(firstDifference(chunk, expected), -1, `in${n + 1}`);
        most = Math.max(most, parkedPolls());
      }
    };
    const give = async () => {
      for (let round = 0; round < rounds; round++) {
        await host.write(outs[n], pattern(SIZE, seed(round)));
      }
    };
    const read = async () => {
      let round = 0;
      for await (const chunk of outs[n].transfers({ size: SIZE })) {
        const expected = pattern(SIZE, seed(round));
        assertEquals(firstDifference(chunk, expected), -1, `out${n + 1}`);
        if (++round === rounds) break;
      }
    };
    return [write(), take(), give(), read()];
  });
  await Promise.all(work);
  assert(most <= 1, `${most} threads wait in poll()`);
});
