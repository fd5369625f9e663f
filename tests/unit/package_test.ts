import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);

Deno.test("cli.ts reaches @std/cli and @std/toml, and nothing else outside the package", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--import-map=tests/import_map.json", "cli.ts"],
    cwd: root,
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { specifier: string; error?: string }[];
  };
  assertEquals(modules.filter(({ error }) => error !== undefined), []);
  const map = new URL("tests/import_map.json", root);
  const { imports } = JSON.parse(await Deno.readTextFile(map));
  const adapters = ["@std/cli/parse-args", "@std/toml"]
    .map((name) => new URL(imports[name], map).href);
  const outside = modules.map(({ specifier }) => specifier).filter((it) =>
    !["cli.ts", "src/", "ffi/"].some((part) => it.startsWith(root.href + part))
  );
  // What the adapters use.
  const ours = outside.filter((it) => !/^(node|npm):/.test(it));
  assertEquals(ours, adapters);
});

Deno.test("importing the package needs no permission", async () => {
  const { exports } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  ) as { exports: Record<string, string> };
  const { "./cli": _, ...libraries } = exports;
  const imports = Object.values(libraries)
    .map((file) => `import "${new URL(file, root)}";`).join("");
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      `data:application/typescript,${encodeURIComponent(imports)}`,
    ],
    cwd: root,
  }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(code, 0);
});

Deno.test("an error about the permission says what is wrong and what is right", async () => {
  const mod = new URL("mod.ts", root);
  const code = `
    import { listUdcs } from "${mod}";
    try {
      listUdcs();
    } catch (error) {
      console.log(error.name, error.message);
    }`;
  for (
    const args of [
      [],
      ["--allow-ffi=/usr/lib"],
      ["--allow-ffi=libc.so.6"],
      ["--allow-ffi", "--deny-ffi=/usr/lib"],
    ]
  ) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--no-check",
        ...args,
        `data:application/typescript,${encodeURIComponent(code)}`,
      ],
      cwd: root,
    }).output();
    assertEquals(
      new TextDecoder().decode(stdout),
      "NotCapable Cannot use USB gadgets: they need --allow-ffi, without paths (--allow-ffi=PATH and --deny-ffi=PATH forbid pointers)\n",
      args.join(" "),
    );
  }
});

Deno.test("README.md shows examples/echo.ts as it is", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const example = await Deno.readTextFile(new URL("examples/echo.ts", root));
  const withoutComments = example.replaceAll(/^\/\/.*\n/gm, "")
    .replaceAll(/ *\/\/ typed.*/g, "").trim();
  const shown = /```ts ignore\n(import \{ bulkPair[^]*?)```/.exec(readme)![1]
    .replaceAll(/ *\/\/ typed.*/g, "").trim();
  assertEquals(shown, withoutComments);
});

Deno.test("deno compile finds all of the package for each architecture, without a network", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const arch of ["x86_64", "aarch64"]) {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "compile",
          "--no-check",
          "--cached-only",
          "--import-map=tests/import_map.json",
          "--allow-ffi",
          `--target=${arch}-unknown-linux-gnu`,
          `--output=${folder}/echo-${arch}`,
          "examples/echo.ts",
        ],
        cwd: root,
        // Any file will do for what is put behind it; it is not run here.
        env: { DENORT_BIN: Deno.execPath(), NO_COLOR: "1" },
      }).output();
      const decoder = new TextDecoder();
      const text = decoder.decode(stdout) + decoder.decode(stderr);
      assertEquals(code, 0, text);
      for (const part of ["examples/echo.ts", "mod.ts", "ffi", "src"]) {
        assert(text.includes(part), text);
      }
      assert(!text.includes("node_modules"), text);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** The URLs of the files that are published. */
async function published(): Promise<Set<string>> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-check"],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  const paths = text.matchAll(/^ +(file:\/\/\S+) \([\d.]+K?M?B\)$/gm);
  return new Set([...paths].map(([, path]) => path));
}

Deno.test("links in the README and the pages lead to what is published, or elsewhere", async () => {
  const files = await published();
  const pages = [...files].filter((it) => it.endsWith(".md"));
  assert(pages.length > 20, `only ${pages.length} pages`);
  const dead: string[] = [];
  for (const page of pages) {
    const text = await Deno.readTextFile(new URL(page));
    const links = [
      ...text.matchAll(/\]\(([^)\s]+)\)/g),
      ...text.matchAll(/^\[[^\]]+\]: (\S+)$/gm),
    ].map(([, link]) => link);
    for (const link of links) {
      const { href, protocol } = new URL(link.replace(/#.*/, ""), page);
      const leads = protocol !== "file:" || files.has(href) ||
        [...files].some((it) => it.startsWith(`${href.replace(/\/$/, "")}/`));
      if (!leads) dead.push(`${page.slice(root.href.length)}: ${link}`);
    }
  }
  assertEquals(dead, []);
});
