import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Registry, startRegistry } from "../runner/registry.ts";

/** Runs Deno in an empty folder with an empty cache, and this package in a registry. */
async function withRegistry(
  args: (registry: Registry) => string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  await using registry = await startRegistry();
  const folder = await Deno.makeTempDir();
  try {
    const output = await new Deno.Command(Deno.execPath(), {
      args: args(registry),
      cwd: folder,
      env: {
        DENO_DIR: `${folder}/deno`,
        JSR_URL: registry.url,
        NO_COLOR: "1",
      },
    }).output();
    const decoder = new TextDecoder();
    return {
      code: output.code,
      stdout: decoder.decode(output.stdout),
      stderr: decoder.decode(output.stderr),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the command line of ./vm runs from a registry", async () => {
  const { code, stdout, stderr } = await withRegistry(() => [
    "run",
    "--allow-all",
    "jsr:@usb/gadget/vm",
    "--help",
  ]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(
    stdout,
    "Usage: deno run --allow-all jsr:@usb/gadget/vm",
  );
  // Nothing comes from elsewhere.
  for (const [, from] of stderr.matchAll(/^Download (.*)$/gm)) {
    assert(from.startsWith("http://127.0.0.1:"), from);
  }
});

Deno.test("from a registry, runInVm() has all that it gives to the guest", async () => {
  const { code, stdout, stderr } = await withRegistry(({ packageUrl }) => [
    "eval",
    "--quiet",
    `import { runInVm, VmError } from "jsr:@usb/gadget/vm";
    import { buildRunArchive } from "${packageUrl}src/vm/guest/guest.ts";
    try {
      await runInVm({ command: ["true"], cwd: "/does/not/exist" });
    } catch (error) {
      console.log(error instanceof VmError, error.message);
    }
    const archive = await buildRunArchive({
      command: ["true"],
      cwd: "/",
      env: {},
      modules: [],
      hcd: "none",
      consoleLevel: 5,
      shares: [],
      release: "7.3",
      modulesDir: "/",
      marker: "x",
    });
    console.log(new TextDecoder().decode(archive).includes("second_stage()"));`,
  ]);
  assertEquals(code, 0, stderr);
  assertEquals(
    stdout,
    'true Cannot start in "/does/not/exist": it is not a folder of this machine\ntrue\n',
  );
});

Deno.test("from a registry, all entry points find their modules", async () => {
  const { exports } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  ) as { exports: Record<string, string> };
  const { code, stderr } = await withRegistry(() => [
    "cache",
    // "./cli" has a dependency.
    ...Object.keys(exports).filter((it) => it !== "./cli")
      .map((it) => `jsr:@usb/gadget${it.slice(1)}`),
  ]);
  assertEquals(code, 0, stderr);
});
