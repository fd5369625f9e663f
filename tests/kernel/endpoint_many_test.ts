import "../support/libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { bulkIn, bulkOut, bulkPair } from "@usb/gadget";
import { list, readTextFile } from "../../ffi/file.ts";
import { startEndpoints } from "../support/endpoint_gadget.ts";
import { firstDifference, pattern } from "../support/pattern.ts";
import { soak } from "../support/soak.ts";

const SIZE = 65_536;

/** How many threads of this process wait in poll(). */
function parkedPolls(): number {
  return list("/proc/self/task").filter(({ name }) =>
    // "ep_poll" is the event loop itself.
    /^(do_(sys_)?)?poll/.test(readTextFile(`/proc/self/task/${name}/wchan`))
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
  const { device, addresses } = test;
  const { in1, in2, in3, in4, out1, out2, out3, out4 } = test.endpoints;
  const ins = [in1, in2, in3, in4];
  const outs = [out1, out2, out3, out4];
  assertEquals(new Set(addresses).size, 8);
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
        const chunk = await device.bulkIn(addresses[2 * n], SIZE);
        const expected = pattern(SIZE, seed(round));
        assertEquals(firstDifference(chunk, expected), -1, `in${n + 1}`);
        most = Math.max(most, parkedPolls());
      }
    };
    const give = async () => {
      for (let round = 0; round < rounds; round++) {
        await device.bulkOut(addresses[2 * n + 1], pattern(SIZE, seed(round)));
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

Deno.test("a long run keeps its memory", async () => {
  const total = soak(10 * 2 ** 30, 24 << 20);
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, device, addresses: [input, out] } = test;
  const chunk = pattern(256 * 1024);
  const rounds = Math.ceil(total / 2 / chunk.byteLength);
  const memory: number[] = [];
  const move = async (run: () => Promise<unknown>) => {
    for (let round = 0; round < rounds; round++) await run();
  };
  const watch = setInterval(() => memory.push(Deno.memoryUsage().rss), 1000);
  let buffer: Uint8Array = new Uint8Array(chunk.byteLength);
  await Promise.all([
    move(() => link.write(chunk)),
    move(() => device.bulkIn(input, chunk.byteLength)),
    move(() => device.bulkOut(out, chunk)),
    move(async () => {
      buffer = await link.read(buffer);
      assertEquals(buffer.byteLength, chunk.byteLength);
    }),
  ]);
  clearInterval(watch);
  assertEquals(firstDifference(buffer, chunk), -1);
  if (memory.length < 60) return; // too short to say anything about memory
  // The garbage collector lets it rise and fall: medians of two long spans.
  const median = (values: number[]) =>
    values.toSorted((a, b) => a - b)[values.length >> 1];
  const early = median(memory.slice(10, memory.length >> 1));
  const late = median(memory.slice(memory.length >> 1));
  assert(late < 1.05 * early, `${early} bytes, later ${late}`);
});
