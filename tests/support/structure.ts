/**
 * Checks of the house: layers, circles, folders, dead files, public symbols.
 * All take plain data, so that they are tested on made-up houses. What they
 * return are sentences: what is wrong, and what to do.
 */

/** Which files each file imports, by value or by type. Paths are relative to the package. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** The folders that each folder may import from. A folder without an entry belongs to its parent. */
export type Layers = Readonly<Record<string, readonly string[]>>;

/** The symbols of each entry point. */
export type Symbols = Readonly<Record<string, readonly string[]>>;

/** The layer that a file belongs to: the innermost of its folders that has an entry. */
function layerOf(file: string, layers: Layers): string | undefined {
  for (let end = file.lastIndexOf("/"); end > 0;) {
    const folder = file.slice(0, end);
    if (folder in layers) return folder;
    end = file.lastIndexOf("/", end - 1);
  }
  return undefined;
}

/** Imports that go up instead of down. Files outside of all folders, such as `mod.ts`, may import everything. */
export function wrongLayers(graph: Graph, layers: Layers): string[] {
  const problems: string[] = [];
  for (const [file, imports] of graph) {
    if (!file.includes("/")) continue;
    const from = layerOf(file, layers);
    if (from === undefined) {
      problems.push(
        `${file} is in a folder without a layer: add the folder to LAYERS in structure_test.ts, with the folders that it may import from`,
      );
      continue;
    }
    for (const imported of imports) {
      const to = layerOf(imported, layers);
      if (to === undefined || to === from || layers[from].includes(to)) {
        continue;
      }
      problems.push(
        `${file} imports ${imported}, but ${from} may not import from ${to}: move what it needs to a lower layer, or pass it as an argument`,
      );
    }
  }
  return problems;
}

/** Groups of files that import each other. */
export function circles(graph: Graph): string[] {
  return stronglyConnected(graph).map((files) =>
    `${
      shortestCircle(files, graph).join(" -> ")
    } is a circle of imports, types included (${files.length} files reach each other): move what they share to a file of its own`
  );
}

/** Tarjan's algorithm: the groups of more than one file, and files that import themselves. */
function stronglyConnected(graph: Graph): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const groups: string[][] = [];
  const visit = (file: string): number => {
    const index = order.size;
    order.set(file, index);
    low.set(file, index);
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) {
        low.set(file, Math.min(low.get(file)!, visit(next)));
      } else if (stack.includes(next)) {
        low.set(file, Math.min(low.get(file)!, order.get(next)!));
      }
    }
    if (low.get(file) === index) {
      const group = stack.splice(stack.indexOf(file));
      if (group.length > 1 || graph.get(file)?.includes(file)) {
        groups.push(group.sort());
      }
    }
    return low.get(file)!;
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return groups;
}

/** The shortest way from the first file of a group back to itself. */
function shortestCircle(group: readonly string[], graph: Graph): string[] {
  const [start] = group;
  const ways: string[][] = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const next of graph.get(way.at(-1)!) ?? []) {
      if (next === start) return [...way, start];
      if (!group.includes(next) || seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return [...group];
}

/** Layers that may import from each other. */
export function layerCircles(layers: Layers): string[] {
  return circles(new Map(Object.entries(layers)));
}

/** Folders with too many files. */
export function fullFolders(files: readonly string[], limit: number): string[] {
  const counts = Map.groupBy(
    files,
    (file) => file.slice(0, file.lastIndexOf("/")),
  );
  return [...counts].filter(([, { length }]) => length > limit).map(
    ([folder, { length }]) =>
      `${folder} has ${length} files, more than ${limit}: merge files that are one concept in pieces, or make a subfolder for a part that has a name`,
  );
}

/** Files that no entry point reaches. */
export function deadFiles(files: readonly string[], graph: Graph): string[] {
  return files.filter((file) => !graph.has(file)).map((file) =>
    `${file} is reached by no entry point: remove it, or move it to tests/ if only tests need it`
  );
}

/**
 * Imports from outside the package.
 *
 * @param allowed What the files of a folder may import.
 */
export function outsideImports(
  graph: Graph,
  allowed: Readonly<Record<string, RegExp>> = {},
): string[] {
  const inside = /^(ffi\/|src\/|[^/:]+\.ts$)/;
  const mayImport = (file: string, imported: string) =>
    Object.entries(allowed).some(([folder, pattern]) =>
      file.startsWith(`${folder}/`) && pattern.test(imported)
    );
  return [...graph].flatMap(([file, imports]) =>
    imports.filter((it) => !inside.test(it) && !mayImport(file, it)).map((it) =>
      `${file} imports ${it}, which is not of the package: src and ffi may import each other only`
    )
  );
}

/** Differences between what the entry points export and what the list says. */
export function symbolChanges(exported: Symbols, listed: Symbols): string[] {
  const entries = new Set([...Object.keys(exported), ...Object.keys(listed)]);
  return [...entries].flatMap((entry) => {
    const found = exported[entry] ?? [];
    const wanted = listed[entry] ?? [];
    return [
      ...found.filter((it) => !wanted.includes(it)).map((it) =>
        `"${entry}" exports ${it}, which is not in public_symbols.json: stop exporting it, or add it there if users need it`
      ),
      ...wanted.filter((it) => !found.includes(it)).map((it) =>
        `"${entry}" does not export ${it}, which is in public_symbols.json: export it, or remove it there and say so in CHANGELOG.md`
      ),
    ];
  });
}

/** Names that a file imports from one that is not of its own folder, with that file. */
export function importedNames(source: string): [name: string, from: string][] {
  return [...source.matchAll(
    /^import (?:type )?\{([^}]*)\} from "([^"]+)";/gm,
  )].flatMap(([, names, from]) =>
    names.split(",").map((it) => it.trim().replace(/^type /, ""))
      .filter((it) => it !== "").map((it): [string, string] => [
        it.split(" as ")[0],
        from,
      ])
  );
}
