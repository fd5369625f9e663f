/**
 * Values from Linux's C headers for any architecture, taken from Debian's packages.
 *
 * @module
 */
import { PrivateApt } from "../../../src/vm/debian/apt.ts";
import {
  type Architecture,
  architecture as findArchitecture,
} from "../../../src/vm/architectures.ts";
import { cachedFolder, openCache } from "../../../src/vm/cache.ts";
import { run, runText } from "../../../src/vm/process.ts";
import { silent } from "../../../src/vm/progress.ts";
import { ensureCompiler } from "../../runner/compiler.ts";

const job = { progress: silent };
const here = findArchitecture(Deno.build.arch);

/** The packages with headers, by suite. */
const PACKAGES = {
  "trixie-backports": "linux-libc-dev",
  trixie: "libc6-dev",
};

/** Returns a folder with `usr/include`, downloaded on first use. */
async function headers(architecture: Architecture): Promise<string> {
  const { debian } = architecture;
  const cache = await openCache();
  return await cachedFolder(cache, `headers-${debian}`, job, async (folder) => {
    for (const [suite, name] of Object.entries(PACKAGES)) {
      const apt = new PrivateApt({
        folder: `${folder}/apt-${suite}`,
        architecture: debian,
        suite,
        job,
      });
      await apt.update();
      await apt.unpack([name], folder, name);
      await Deno.remove(`${folder}/apt-${suite}`, { recursive: true });
    }
  });
}

/**
 * Evaluates constant C expressions.
 *
 * This machine's compiler does it with the macros of the architecture. That works
 * because the types of all known architectures have the same sizes.
 *
 * @param includes Headers, such as `linux/aio_abi.h`.
 * @param expressions Integer expressions by name.
 */
export async function evaluate(
  architecture: Architecture,
  includes: readonly string[],
  expressions: Readonly<Record<string, string>>,
): Promise<Record<string, number>> {
  const { gnu, name } = architecture;
  const folder = `${await headers(architecture)}/usr/include`;
  const compiler = await ensureCompiler(here, job);
  const own = await runText(compiler, ["-print-file-name=include"]);
  const source = [
    ...includes.map((file) => `#include <${file}>`),
    ...Object.entries(expressions).map(([name, expression]) =>
      `const unsigned long long value_${name} = ${expression};`
    ),
  ].join("\n");
  const file = await Deno.makeTempFile({ suffix: ".c" });
  try {
    await Deno.writeTextFile(file, source);
    const assembly = new TextDecoder().decode(
      await run(compiler, [
        "-S",
        "-O0",
        "-w",
        "-U__x86_64__",
        "-U__aarch64__",
        `-D__${name}__`,
        "-D_GNU_SOURCE",
        "-nostdinc",
        ...[own.trim(), `${folder}/${gnu}`, folder].flatMap((path) => [
          "-isystem",
          path,
        ]),
        "-o",
        "-",
        file,
      ], { action: `read the headers of ${name}` }),
    );
    return Object.fromEntries(
      // The compiler stores a value of 0 as bytes without content.
      [...assembly.matchAll(/^value_(\w+):\n\s+\.(\w+)\s+(\d+)/gm)].map(
        ([, name, kind, value]) => [name, kind === "zero" ? 0 : Number(value)],
      ),
    );
  } finally {
    await Deno.remove(file);
  }
}
