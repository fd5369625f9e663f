import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Once } from "../../src/functionfs/once.ts";

Deno.test("work that has failed can be tried again, work that has succeeded is not", async () => {
  const once = new Once();
  assertEquals(once.begun, false);
  let calls = 0;
  const work = async () => {
    await Promise.resolve();
    if (++calls < 3) throw new Error(`failed ${calls}`);
  };
  await assertRejects(() => once.run(work), Error, "failed 1");
  assertEquals(once.begun, true);
  const second = once.run(work);
  assertStrictEquals(once.run(work), second);
  await assertRejects(() => second, Error, "failed 2");
  await once.run(work);
  await once.run(work);
  assertEquals(calls, 3);
});

Deno.test("work that was skipped is not done", async () => {
  const once = new Once();
  once.skip();
  assertEquals(once.begun, true);
  await once.run(() => Promise.reject(new Error("not to be done")));
});
