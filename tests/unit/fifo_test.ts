import { assertEquals } from "@std/assert";
import {
  appendAll,
  Fifo,
  prependAll,
} from "../../src/functionfs/transfer/fifo.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";

Deno.test("a Fifo holds what an array holds, whatever happens to both", () => {
  const seed = testSeed();
  const random = new Random(seed);
  for (let round = 0; round < 20; round++) {
    const array = Array.from({ length: random.int(0, 40) }, () => ({}));
    const fifo = new Fifo<object>(array);
    // More is taken than the queue moves away at once.
    for (let step = 0; step < 2000; step++) {
      const item = {};
      const index = random.int(0, array.length);
      switch (random.int(0, 9)) {
        case 0:
        case 1:
        case 2:
        case 3:
          array.push(item);
          fifo.push(item);
          break;
        case 4:
          array.unshift(item);
          fifo.unshift(item);
          break;
        case 5:
          if (index === array.length) break;
          assertEquals(fifo.indexOf(array[index]), index);
          array.splice(index, 1);
          fifo.removeAt(index);
          break;
        case 6:
          fifo.remove(item); // is not there
          assertEquals(fifo.indexOf(item), -1);
          break;
        case 7:
          if (random.chance(0.05)) {
            assertEquals(fifo.splice(index), array.splice(index));
          }
          break;
        default:
          assertEquals(fifo.shift() === array.shift(), true, `seed ${seed}`);
      }
      const at = random.int(0, array.length);
      assertEquals(fifo.at(at) === array[at], true, `seed ${seed}`);
      assertEquals(fifo.length, array.length, `seed ${seed}`);
    }
    assertEquals([...fifo].every((item, at) => item === array[at]), true);
    assertEquals(fifo.slice(1).length, Math.max(array.length - 1, 0));
  }
});

Deno.test("a Fifo begins with more items than a call can have arguments", () => {
  const items = Array.from({ length: 300_000 }, (_, index) => ({ index }));
  const fifo = new Fifo(items);
  assertEquals(fifo.length, items.length);
  assertEquals(fifo.shift(), items[0]);
  assertEquals(fifo.at(fifo.length - 1), items.at(-1));
});

Deno.test("lists of any length are added to an array at either end", () => {
  const items = Array.from({ length: 300_000 }, (_, index) => index);
  const array = [-2, -1];
  appendAll(array, items);
  assertEquals([array.length, array[1], array[2], array.at(-1)], [
    300_002,
    -1,
    0,
    299_999,
  ]);
  prependAll(array, items);
  assertEquals([array[0], array[299_999], array[300_000], array.at(-1)], [
    0,
    299_999,
    -2,
    299_999,
  ]);
});
