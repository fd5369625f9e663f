import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);

/** Modules that an entry point reaches, which are not of the package itself. */
async function modulesOutside(entryPoint: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "info",
      "--json",
      "--import-map=tests/import_map.json",
      entryPoint,
    ],
    cwd: root,
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { specifier: string; error?: string }[];
  };
  assert(modules.length > 20, `${modules.length} modules`);
  return modules.flatMap(({ specifier, error }) => {
    assertEquals(error, undefined);
    const inside = [entryPoint, "src/", "ffi/"].some((part) =>
      specifier.startsWith(root.href + part)
    );
    return inside ? [] : [specifier];
  });
}

Deno.test("what mod.ts reaches lies inside the package", async () => {
  assertEquals(await modulesOutside("mod.ts"), []);
});

Deno.test("cli.ts reaches @std/cli, and nothing else outside the package", async () => {
  const outside = await modulesOutside("cli.ts");
  const adapter = new URL("tests/support/parse_args.ts", root).href;
  assertEquals(
    outside.filter((it) => it !== adapter && !it.startsWith("node:")),
    [],
  );
  assert(outside.includes(adapter), outside.join());
});

Deno.test("importing the package needs no permission", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", `import "${new URL("mod.ts", root)}"`],
    cwd: root,
  }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(code, 0);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "mod.ts"],
    cwd: root,
  }).output();
  assert(success);
});

Deno.test("what is wrong with the permission is said, and what is right", async () => {
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
  const shown = /```ts ignore\n([\s\S]*?)```/.exec(readme)![1]
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
      for (const part of ["examples/echo.ts", "mod.ts", "ffi/", "src"]) {
        assert(text.includes(part), text);
      }
      assert(!text.includes("node_modules"), text);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
