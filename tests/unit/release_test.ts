import { assertEquals } from "@std/assert";
import { scoreItems } from "../runner/release/score.ts";

Deno.test("the package meets every item of JSR's score that can be seen offline", async () => {
  const items = await scoreItems(new URL("../../", import.meta.url));
  assertEquals(items.length, 7);
  assertEquals(items.filter(({ met }) => !met), []);
});
