import { assertEquals } from "@std/assert";
import { Refill } from "../../src/functionfs/read/refill.ts";

const DEPTH = 8;

/** A reader, and the numbers of requests that are made together. */
class Bench {
  readonly batches: number[] = [];
  #requested = 0;
  #unread = 0;
  readonly #refill = new Refill(() => this.ask());

  /** The host fills `count` requests. */
  arrive(count: number): void {
    this.#requested -= count;
    this.#unread += count;
  }

  /** The reader takes one of them. */
  take(): void {
    this.#unread--;
    this.ask();
  }

  ask(): void {
    const due = this.#refill.due(DEPTH, this.#requested, this.#unread);
    this.#requested += due;
    if (due > 0) this.batches.push(due);
  }
}

/** The end of this turn of the event loop. */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function bench(): Bench {
  const bench = new Bench();
  bench.ask();
  assertEquals(bench.batches.splice(0), [DEPTH]);
  return bench;
}

Deno.test("what a reader takes in one turn is requested again by halves of the depth", () => {
  const reader = bench();
  reader.arrive(8);
  for (let count = 0; count < 3; count++) reader.take();
  assertEquals(reader.batches, []);
  for (let count = 3; count < 8; count++) reader.take();
  assertEquals(reader.batches, [4, 4]);
});

Deno.test("what a reader takes last is requested again at once", () => {
  const reader = bench();
  reader.arrive(3);
  reader.take();
  reader.take();
  assertEquals(reader.batches, []);
  reader.take();
  assertEquals(reader.batches, [3]);
});

Deno.test("at the end of a turn everything that was taken is requested again", async () => {
  const reader = bench();
  reader.arrive(8);
  reader.take();
  await endOfTurn();
  assertEquals(reader.batches, [1]);
  reader.take();
  reader.take();
  assertEquals(reader.batches, [1]);
  await endOfTurn();
  assertEquals(reader.batches, [1, 2]);
});
