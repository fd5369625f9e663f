import { assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

Deno.test("docs/descriptors.md names every rule, and no other", async () => {
  const rules = new Set<string>();
  const folder = new URL("src/descriptors/", ROOT);
  for await (const { name } of Deno.readDir(folder)) {
    const source = await Deno.readTextFile(new URL(name, folder));
    const calls = source.matchAll(
      /(?:\.(?:write|bind|configure|hazard)|new Refusal)\(\s*"([a-z-]+)"/g,
    );
    for (const [, rule] of calls) rules.add(rule);
  }
  const page = await Deno.readTextFile(new URL("docs/descriptors.md", ROOT));
  const text = page.slice(page.indexOf("## Rules"));
  const named = new Set<string>();
  for (const [, rule] of text.matchAll(/^\| `([a-z-]+)` /gm)) named.add(rule);
  const others = text.slice(text.indexOf("`magic`"), text.indexOf("## How"));
  for (const [, rule] of others.matchAll(/`([a-z-]+)`/g)) named.add(rule);
  assertEquals([...named].sort(), [...rules].sort());
});
