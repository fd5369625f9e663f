import { assert, assertEquals } from "@std/assert";
import {
  circles,
  deadFiles,
  fullFolders,
  type Graph,
  importedNames,
  layerCircles,
  type Layers,
  outsideImports,
  symbolChanges,
  wrongLayers,
} from "../support/structure.ts";
import publicSymbols from "./public_symbols.json" with { type: "json" };

const root = new URL("../../", import.meta.url);

/** Folders without a kernel, each of which may import from those before it. */
const PURE = [
  "src/arguments",
  "src/usb",
  "src/definition",
  "src/compile",
  "src/check",
  "src/inspect",
];

/** What each folder may import from. Subfolders that are not listed belong to their parents. */
const LAYERS: Layers = {
  ...Object.fromEntries(PURE.map((it, index) => [it, PURE.slice(0, index)])),
  "ffi": [],
  // Why something cannot be done, and what to do, from errno and the kernel's release
  "src/remedies": ["src/arguments", "ffi"],
  // Files that do not block the event loop
  "src/files": ["src/arguments", "ffi", "src/remedies"],
  "src/gadget/configfs": [...PURE, "ffi", "src/remedies"],
  "src/state": [...PURE, "ffi", "src/remedies", "src/gadget/configfs"],
  "src/functionfs": [
    ...PURE,
    "ffi",
    "src/remedies",
    "src/gadget/configfs",
    "src/state",
  ],
  "src/gadget/udc": [...PURE, "ffi", "src/remedies", "src/state"],
  "src/gadget": [
    ...PURE,
    "ffi",
    "src/remedies",
    "src/gadget/configfs",
    "src/state",
    "src/functionfs",
    "src/gadget/udc",
  ],
  // Public symbols only, and files; another test looks at them
  "src/classes": [...PURE, "src/files", "src/functionfs", "src/gadget"],
  "src/usbip": [
    ...PURE,
    "ffi",
    "src/functionfs",
    "src/gadget/udc",
    "src/gadget",
  ],
  // Boots a kernel; knows nothing of gadgets
  "src/vm": [],
  "src/testing": [
    ...PURE,
    "ffi",
    "src/functionfs",
    "src/gadget/configfs",
    "src/gadget/udc",
    "src/gadget",
    "src/vm",
  ],
  "src/cli": [
    ...PURE,
    "ffi",
    "src/remedies",
    "src/gadget/configfs",
    "src/state",
    "src/functionfs",
    "src/gadget/udc",
    "src/gadget",
    "src/usbip",
  ],
};

/** The groups of the documentation. */
const CATEGORIES = [
  "Gadget",
  "Functions",
  "Endpoint builders",
  "Descriptor builders",
  "Endpoints",
  "Control",
  "Events",
  "Errors",
  "Controllers",
  "USB vocabulary",
  "DMABUF",
  "Inspect",
  "Devices",
  "Report descriptors",
  "Block devices",
  "Object stores",
  "Requests",
  "Network",
  "Trace",
  "Virtual machine",
  "Testing",
  "Faults",
];

/** What folders may import from outside the package. */
const OUTSIDE: Readonly<Record<string, RegExp>> = {
  // It runs other programs, and parts of it are on every machine with Deno.
  "src/vm": /^node:/,
};

const MAX_FILES_IN_A_FOLDER = 16;
const MAX_ROOT_SYMBOLS = 130;

const { exports, tasks, publish } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", root)),
) as {
  exports: Record<string, string>;
  tasks: Record<string, { command: string }>;
  publish: { include: string[] };
};
/** Those that a program imports. */
const libraries = Object.entries(exports).filter(([it]) => it !== "./cli");

async function denoJson<T>(
  command: "doc" | "info",
  ...files: string[]
): Promise<T> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      command,
      "--json",
      "--import-map=tests/import_map.json",
      ...files,
    ],
    cwd: root,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The path of a file of the package; the specifier of anything else. */
function pathOf(specifier: string): string {
  return specifier.startsWith(root.href)
    ? specifier.slice(root.href.length)
    : specifier;
}

/** What the entry points reach. `deno info` lists imports of types as well. */
async function reachedFrom(entryPoints: Iterable<string>): Promise<Graph> {
  type Target = { specifier?: string; error?: string };
  type Info = {
    modules: {
      specifier: string;
      dependencies?: { specifier: string; code?: Target; type?: Target }[];
    }[];
  };
  const graph = new Map<string, string[]>();
  const all = await Promise.all(
    Array.from(entryPoints, (it) => denoJson<Info>("info", it)),
  );
  for (
    const { specifier, dependencies = [] } of all.flatMap((it) => it.modules)
  ) {
    const file = pathOf(specifier);
    // What lies outside is reported where it is imported.
    if (file.includes(":") || file.startsWith("tests/")) continue;
    graph.set(file, [
      ...new Set(dependencies.flatMap(({ specifier, code, type }) => {
        const found = [code?.specifier, type?.specifier]
          .filter((it) => it !== undefined).map(pathOf);
        return found.length > 0 ? found : [specifier];
      })),
    ]);
  }
  return graph;
}

async function filesIn(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder, root))
  ) {
    if (isDirectory) files.push(...await filesIn(`${folder}/${name}`));
    else if (name.endsWith(".ts")) files.push(`${folder}/${name}`);
  }
  return files.sort();
}

interface DocumentedSymbol {
  name: string;
  declarations: {
    jsDoc?: { tags?: { kind: string; doc?: string }[] };
  }[];
}

/** The public symbols of each entry point. */
async function documented(): Promise<Record<string, DocumentedSymbol[]>> {
  const { nodes } = await denoJson<
    { nodes: Record<string, { symbols?: DocumentedSymbol[] }> }
  >("doc", ...Object.values(exports));
  return Object.fromEntries(
    Object.entries(exports).map(([entry, file]) => [
      entry,
      nodes[new URL(file, root).href]?.symbols ?? [],
    ]),
  );
}

function assertNone(problems: readonly string[]): void {
  assert(problems.length === 0, ["", ...problems].join("\n- "));
}

const [graph, libraryGraph, files, symbols] = await Promise.all([
  reachedFrom(Object.values(exports)),
  reachedFrom(libraries.map(([, file]) => file)),
  Promise.all(["src", "ffi"].map(filesIn)).then((it) => it.flat()),
  documented(),
]);
const names = Object.fromEntries(
  Object.entries(symbols).map(([entry, list]) => [
    entry,
    list.map(({ name }) => name).sort(),
  ]),
);

Deno.test("folders import from lower layers only", () => {
  assert(graph.size > 100, `${graph.size} files`);
  assertEquals(layerCircles(LAYERS), []);
  assertNone(wrongLayers(graph, LAYERS));
});

Deno.test("no files import each other, types included", () => {
  assertNone(circles(graph));
});

Deno.test(`no folder has more than ${MAX_FILES_IN_A_FOLDER} files`, () => {
  assertNone(fullFolders(files, MAX_FILES_IN_A_FOLDER));
});

Deno.test("an entry point reaches every file of src and ffi", () => {
  assertNone(deadFiles(files, graph));
});

Deno.test("only ./cli and ./vm import from outside the package, and ./vm only what Deno brings", () => {
  assertNone(outsideImports(libraryGraph, OUTSIDE));
});

Deno.test("nothing depends on where the package lies: it may come from a registry", async () => {
  const problems: string[] = [];
  // The first starts a process of itself, wherever it came from. The second writes
  // into a unit how it was started.
  const exceptions = ["src/testing/remote/keeper.ts", "cli.ts"];
  for (const file of [...files, "mod.ts", "cli.ts"]) {
    if (exceptions.includes(file)) continue;
    const source = await Deno.readTextFile(new URL(file, root));
    if (/\bimport\.meta\.(?!main\b)/.test(source)) {
      problems.push(
        `${file} looks for its own address: import what it needs, a text with { type: "text" }`,
      );
    }
  }
  assertNone(problems);
});

Deno.test("classes use only what a user can import, and files", async () => {
  const user = new Set(Object.values(names).flat());
  const problems: string[] = [];
  for (const file of files.filter((it) => it.startsWith("src/classes/"))) {
    const url = new URL(file, root);
    const source = await Deno.readTextFile(url);
    for (const [name, from] of importedNames(source)) {
      const imported = pathOf(new URL(from, url).href);
      if (
        /^src\/(classes|arguments|files)\//.test(imported) || user.has(name)
      ) {
        continue;
      }
      problems.push(
        `${file} imports ${name} from ${imported}, which no entry point exports: use public symbols, or move it to src/classes`,
      );
    }
  }
  assertNone(problems);
});

Deno.test("each entry point exports what public_symbols.json lists", () => {
  assertNone(symbolChanges(names, publicSymbols));
});

Deno.test(`the root has at most ${MAX_ROOT_SYMBOLS} symbols`, () => {
  const { length } = names["."];
  assert(
    length <= MAX_ROOT_SYMBOLS,
    `mod.ts exports ${length} symbols: move some behind another entry point`,
  );
});

Deno.test("every public symbol has a category, as the last tag of its doc comment", () => {
  const problems = libraries.flatMap(([entry]) =>
    symbols[entry].flatMap(({ name, declarations }) => {
      const tags = declarations.map(({ jsDoc }) => jsDoc?.tags ?? [])
        .find((it) => it.some(({ kind }) => kind === "category")) ?? [];
      const { kind, doc = "" } = tags.at(-1) ?? {};
      return kind === "category" && CATEGORIES.includes(doc)
        ? []
        : `${name} of "${entry}" does not end its doc comment with @category`;
    })
  );
  if (problems.length > 0) {
    problems.push(`The categories are: ${CATEGORIES.join(", ")}`);
  }
  assertNone(problems);
});

Deno.test("every entry point is documented, mapped and published", async () => {
  const { imports } = JSON.parse(
    await Deno.readTextFile(new URL("tests/import_map.json", root)),
  ) as { imports: Record<string, string> };
  for (const [, file] of Object.entries(exports)) {
    const path = file.slice("./".length);
    assert(
      tasks.check.command.split(" ").includes(path),
      `deno task check does not lint the docs of ${path}: add it to deno doc --lint in deno.json`,
    );
    assert(
      publish.include.some((it) => path === it || path.startsWith(`${it}/`)),
      `${path} is not published: add it to publish in deno.json`,
    );
  }
  for (const [entry, file] of libraries) {
    assertEquals(
      imports[`@usb/gadget${entry.slice(1)}`],
      `.${file}`,
      `tests/import_map.json does not map "${entry}" to ${file}`,
    );
  }
});

Deno.test("the map in CONTRIBUTING.md has every layer, and only folders that exist", async () => {
  const text = await Deno.readTextFile(new URL("CONTRIBUTING.md", root));
  const map = [...text.matchAll(/^((?:src|ffi)\/\S*)\/? {2,}/gm)]
    .map(([, folder]) => folder.replace(/\/$/, ""));
  const existing = new Set(
    files.flatMap((file) =>
      file.split("/").map((_, index, parts) => parts.slice(0, index).join("/"))
    ),
  );
  assertNone([
    ...Object.keys(LAYERS).filter((it) => !map.includes(it)).map((it) =>
      `${it} is not in the map: add a line that says what it holds`
    ),
    ...map.filter((it) => !existing.has(it)).map((it) =>
      `${it} does not exist: remove it from the map`
    ),
  ]);
});

// The checks themselves, on made-up houses

Deno.test("wrongLayers() names the import that goes up, and what to do", () => {
  const layers = { "ffi": [], "src": ["ffi"], "src/usb": [] };
  const house = new Map([
    ["mod.ts", ["src/a.ts", "ffi/b.ts"]],
    ["src/a.ts", ["ffi/b.ts", "ffi/deep/c.ts"]],
    ["ffi/b.ts", ["ffi/deep/c.ts"]],
    ["ffi/deep/c.ts", []],
    ["src/usb/d.ts", []],
  ]);
  assertEquals(wrongLayers(house, layers), []);
  house.set("ffi/deep/c.ts", ["src/a.ts"]);
  house.set("src/usb/d.ts", ["ffi/b.ts"]);
  house.set("lib/e.ts", []);
  assertEquals(wrongLayers(house, layers), [
    "ffi/deep/c.ts imports src/a.ts, but ffi may not import from src: move what it needs to a lower layer, or pass it as an argument",
    "src/usb/d.ts imports ffi/b.ts, but src/usb may not import from ffi: move what it needs to a lower layer, or pass it as an argument",
    "lib/e.ts is in a folder without a layer: add the folder to LAYERS in structure_test.ts, with the folders that it may import from",
  ]);
});

Deno.test("circles() finds each group of files once, and its shortest circle", () => {
  const house = new Map([
    ["a.ts", ["b.ts", "d.ts"]],
    ["b.ts", ["c.ts"]],
    ["c.ts", ["d.ts", "elsewhere.ts"]],
    ["d.ts", [] as string[]],
  ]);
  assertEquals(circles(house), []);
  house.set("d.ts", ["a.ts"]);
  assertEquals(circles(house), [
    "a.ts -> d.ts -> a.ts is a circle of imports, types included (4 files reach each other): move what they share to a file of its own",
  ]);
  house.set("d.ts", ["d.ts"]);
  house.set("e.ts", ["a.ts", "f.ts"]);
  house.set("f.ts", ["e.ts"]);
  assertEquals(circles(house).length, 2);
  assertEquals(layerCircles({ a: ["b"], b: ["a"] }).length, 1);
});

Deno.test("fullFolders() counts the files of a folder, not those below it", () => {
  const files = ["a/1.ts", "a/2.ts", "a/b/3.ts", "a/b/4.ts", "a/b/5.ts"];
  assertEquals(fullFolders(files, 3), []);
  assertEquals(fullFolders(files, 2), [
    "a/b has 3 files, more than 2: merge files that are one concept in pieces, or make a subfolder for a part that has a name",
  ]);
});

Deno.test("deadFiles() and outsideImports() name the file", () => {
  const house = new Map([
    ["mod.ts", ["src/a.ts"]],
    ["src/a.ts", ["ffi/b.ts", "tests/c.ts", "npm:usb", "@std/assert"]],
  ]);
  assertEquals(deadFiles(["src/a.ts"], house), []);
  assertEquals(deadFiles(["src/a.ts", "ffi/d.ts"], house), [
    "ffi/d.ts is reached by no entry point: remove it, or move it to tests/ if only tests need it",
  ]);
  assertEquals(
    outsideImports(house),
    ["tests/c.ts", "npm:usb", "@std/assert"].map((it) =>
      `src/a.ts imports ${it}, which is not of the package: src and ffi may import each other only`
    ),
  );
  const vm = new Map([["src/vm/a.ts", ["node:os", "npm:os"]]]);
  assertEquals(outsideImports(vm, { "src/vm": /^node:/ }).length, 1);
  assertEquals(outsideImports(vm, { "src": /^node:/ }).length, 1);
  assertEquals(outsideImports(vm, { "src/v": /^node:/ }).length, 2);
});

Deno.test("symbolChanges() names what came and what went", () => {
  const listed = { ".": ["A", "B"], "./x": ["C"] };
  assertEquals(symbolChanges({ "./x": ["C"], ".": ["B", "A"] }, listed), []);
  assertEquals(symbolChanges({ ".": ["A", "D"], "./y": ["E"] }, listed), [
    '"." exports D, which is not in public_symbols.json: stop exporting it, or add it there if users need it',
    '"." does not export B, which is in public_symbols.json: export it, or remove it there and say so in CHANGELOG.md',
    '"./y" exports E, which is not in public_symbols.json: stop exporting it, or add it there if users need it',
    '"./x" does not export C, which is in public_symbols.json: export it, or remove it there and say so in CHANGELOG.md',
  ]);
});

Deno.test("importedNames() reads the import declarations of a file", () => {
  const source = `import { a, type B as C } from "./x.ts";
import type {
  D,
} from "../y.ts";
// import { e } from "./z.ts";
`;
  assertEquals(importedNames(source), [
    ["a", "./x.ts"],
    ["B", "./x.ts"],
    ["D", "../y.ts"],
  ]);
});

Deno.test("deno info lists an import of a type, so that a circle of types is found", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${folder}/a.ts`,
      'import type { B } from "./b.ts";\nexport interface A {\n  b?: B;\n}\n',
    );
    await Deno.writeTextFile(
      `${folder}/b.ts`,
      'export { type A as B } from "./a.ts";\n',
    );
    const { modules } = await denoJson<
      { modules: { dependencies?: { type?: unknown }[] }[] }
    >("info", `${folder}/a.ts`);
    assertEquals(modules.map((it) => it.dependencies?.length), [1, 1]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
