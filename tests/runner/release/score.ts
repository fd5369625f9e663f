/**
 * What JSR's score of a package is made of, as far as it can be seen offline.
 *
 * @module
 */
import { run } from "../../../src/vm/process.ts";

/** One item of the score. */
export interface ScoreItem {
  readonly name: string;
  readonly met: boolean;
  /** What was found, in words. */
  readonly text: string;
}

/** The least share of public symbols with documentation; JSR wants 0.8. */
const DOCUMENTED = 0.95;

/** An output of `deno doc --json`, as far as it is used. */
interface Documentation {
  readonly nodes: Readonly<
    Record<string, {
      readonly module_doc?: { readonly doc?: string };
      readonly symbols: readonly {
        readonly name: string;
        readonly declarations: readonly {
          readonly jsDoc?: { readonly doc?: string };
        }[];
      }[];
    }>
  >;
}

/** Finds out which items of the score a package meets. */
export async function scoreItems(root: URL): Promise<ScoreItem[]> {
  const read = (path: string) => Deno.readTextFile(new URL(path, root));
  const { exports, license } = JSON.parse(await read("deno.json")) as {
    exports: Record<string, string>;
    license?: string;
  };
  const undocumented: string[] = [];
  const withoutModuleDoc: string[] = [];
  const withoutExample: string[] = [];
  let symbols = 0;
  const { nodes } = await documentation(root, Object.values(exports));
  for (const [entry, path] of Object.entries(exports)) {
    const module = nodes[new URL(path, root).href];
    const text = module.module_doc?.doc ?? "";
    if (text === "") withoutModuleDoc.push(entry);
    if (!(await read(path)).includes("```")) withoutExample.push(entry);
    for (const { name, declarations } of module.symbols) {
      symbols++;
      const has = declarations.some(({ jsDoc }) => (jsDoc?.doc ?? "") !== "");
      if (!has) undocumented.push(`${name} of ${entry}`);
    }
  }
  const share = 1 - undocumented.length / symbols;
  const workflow = await read(".github/workflows/publish.yml");
  return [
    item("README", await read("README.md"), "is empty"),
    item("licence", license ?? "", "is not in deno.json"),
    list("module documentation", withoutModuleDoc),
    list("an example in each module", withoutExample),
    {
      name: "symbol documentation",
      met: share >= DOCUMENTED,
      text: `${(100 * share).toFixed(1)} % of ${symbols}${
        undocumented.length === 0 ? "" : `; not ${undocumented.join(", ")}`
      }`,
    },
    await fastTypes(root),
    {
      name: "provenance",
      met: /^ +id-token: write$/m.test(workflow) &&
        /^ +- run: deno publish$/m.test(workflow),
      text: "the workflow publishes with an identity token",
    },
  ];
}

function item(name: string, text: string, lack: string): ScoreItem {
  const met = text.trim() !== "";
  return { name, met, text: met ? "found" : lack };
}

function list(name: string, lacking: readonly string[]): ScoreItem {
  const met = lacking.length === 0;
  return { name, met, text: met ? "all" : `not ${lacking.join(", ")}` };
}

/** The documentation of modules, by their URLs. */
async function documentation(
  root: URL,
  paths: readonly string[],
): Promise<Documentation> {
  const bytes = await run(Deno.execPath(), [
    "doc",
    "--json",
    `--import-map=${new URL("tests/import_map.json", root).pathname}`,
    ...paths.map((it) => new URL(it, root).pathname),
  ]);
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** Whether JSR can make declarations of all types without inference. */
async function fastTypes(root: URL): Promise<ScoreItem> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--quiet", "--no-check"],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stderr).trim();
  return {
    name: "no slow types",
    met: success,
    text: success ? "the dry run accepts all" : text,
  };
}
