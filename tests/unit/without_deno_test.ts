/**
 * Other runtimes: what an import says there.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

const { exports } = JSON.parse(
  await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
) as { exports: Record<string, string> };
/** What is of use anywhere. */
const ANYWHERE = ["./dfu", "./inspect", "./vm"];

Deno.test("an import without Deno says that Deno is needed", async () => {
  const entries = Object.entries(exports).map(([name, path]) =>
    [name, new URL(`../../${path}`, import.meta.url).href] as const
  );
  const code = `
    delete globalThis.Deno;
    const results = {};
    for (const [name, url] of ${JSON.stringify(entries)}) {
      results[name] = await import(url).then(() => "", (error) => error.message);
    }
    console.log(JSON.stringify(results));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-check", "--no-lock", "--cached-only"],
      ...[
        `--import-map=${new URL("../import_map.json", import.meta.url)}`,
        "--allow-read",
      ],
      `data:application/javascript,${encodeURIComponent(code)}`,
    ],
    stderr: "inherit",
  }).output();
  const expected = Object.fromEntries(entries.map(([name]) => [
    name,
    ANYWHERE.includes(name)
      ? ""
      : "@usb/gadget runs on Deno only (https://deno.com): Node.js, Bun and browsers lack the calls by which it reaches the kernel",
  ]));
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)), expected);
});
