import { assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** The files that have the rules of functions. */
async function sources(): Promise<URL[]> {
  const folder = new URL("src/check/function/", ROOT);
  const files = ["shape.ts", "problem.ts"]
    .map((name) => new URL(`src/check/${name}`, ROOT));
  for await (const { name } of Deno.readDir(folder)) {
    files.push(new URL(name, folder));
  }
  return files;
}

Deno.test("docs/descriptors.md names every rule, and no other", async () => {
  const rules = new Set<string>();
  for (const file of await sources()) {
    const calls = (await Deno.readTextFile(file)).matchAll(
      /(?:Fails|hazard|problem|\[fails\])\(\s*"([a-z-]+)"/g,
    );
    for (const [, rule] of calls) rules.add(rule);
  }
  const page = await Deno.readTextFile(new URL("docs/descriptors.md", ROOT));
  const table = page.slice(page.indexOf("## Rules"), page.indexOf("## How"));
  const named = [...table.matchAll(/^\| `([a-z-]+)` /gm)].map(([, it]) => it);
  assertEquals(named.sort(), [...rules].sort());
});
