/**
 * The contenders of the benchmark, and how each is built.
 *
 * @module
 */
import { openCache, withLock } from "../src/vm/cache.ts";
import { findProgram, run } from "../src/vm/process.ts";
import type { Job } from "../src/vm/progress.ts";
import { install } from "../src/vm/tools.ts";

/** The contenders, in the order of each round. */
export const CONTENDERS = [
  "c-libaio",
  "gadget",
  "gadget-streams",
  "gadget-default-reader",
  "c-threads",
  "kernel-sourcesink",
  "rust-usb-gadget",
  "python-functionfs",
] as const;

/** One of {@linkcode CONTENDERS}. */
export type Standing = typeof CONTENDERS[number];

/** A contender, or this package from another checkout. */
export type Contender = Standing | `gadget:${string}`;

/** The contender that the others are compared with. */
export const REFERENCE: Standing = "c-libaio";

/** The built programs. */
export interface Programs {
  /** The host's program. */
  readonly host: string;
  /** The command lines of the contenders. */
  readonly commands: Partial<Record<Contender, readonly string[]>>;
  /** Why each of the others is skipped. */
  readonly skipped: Partial<Record<Contender, string>>;
  /** The echo example in one file. */
  readonly echoBundle: string;
}

const SOURCE = `${import.meta.dirname}/`;
/** The folder of this checkout. */
export const ROOT = decodeURIComponent(
  new URL("..", import.meta.url).pathname,
);

/** The example that is started as it is and in one file. */
export const ECHO = "examples/echo.ts";

/** Builds the host and the contenders. */
export async function build(
  contenders: readonly Contender[],
  job: Job,
): Promise<Programs> {
  return await withPrograms(job, async (cache) => {
    const host = await compileC("host.c", cache, job, "-lusb-1.0");
    const commands: Programs["commands"] = {};
    const skipped: Programs["skipped"] = {};
    for (const contender of contenders) {
      job.progress.step(`building ${contender}`, "long");
      try {
        commands[contender] = isStanding(contender)
          ? await BUILDERS[contender](cache, job)
          : oursFrom(
            checkoutOf(contender)!,
            "bench/gadgets/gadget.ts",
            "direct",
          );
      } catch (error) {
        job.signal?.throwIfAborted();
        const [reason] = `${error instanceof Error ? error.message : error}`
          .split("\n");
        skipped[contender] = reason;
        job.progress.done(`${contender} is skipped: ${reason}`);
      }
    }
    const echoBundle = `${cache}/echo.js`;
    await run(Deno.execPath(), [
      "bundle",
      "--quiet",
      "--import-map=tests/import_map.json",
      `--output=${echoBundle}`,
      ECHO,
    ], { cwd: ROOT, action: "bundle the echo example", signal: job.signal });
    return { host, commands, skipped, echoBundle };
  });
}

/** Compiles one C program of the benchmark, and returns its file. */
export function compile(
  source: string,
  job: Job,
  ...libraries: string[]
): Promise<string> {
  return withPrograms(
    job,
    (cache) => compileC(source, cache, job, ...libraries),
  );
}

/** Does something with the folder of programs, with a compiler, alone. */
async function withPrograms<T>(
  job: Job,
  body: (cache: string) => Promise<T>,
): Promise<T> {
  const cache = `${await openCache()}/bench`;
  await Deno.mkdir(cache, { recursive: true });
  return await withLock(cache, "build", () => {}, async () => {
    await ensureC(job);
    return await body(cache);
  }, job.signal);
}

function isStanding(contender: Contender): contender is Standing {
  return (CONTENDERS as readonly string[]).includes(contender);
}

const BUILDERS: Record<
  Standing,
  (cache: string, job: Job) => Promise<readonly string[]>
> = {
  "c-libaio": async (cache, job) => [
    await compileC("gadgets/c_libaio.c", cache, job, "-laio", "-lpthread"),
  ],
  "c-threads": async (cache, job) => [
    await compileC("gadgets/c_threads.c", cache, job, "-lpthread"),
  ],
  "gadget": () => Promise.resolve(ours("gadgets/gadget.ts", "direct")),
  "gadget-streams": () => Promise.resolve(ours("gadgets/gadget.ts", "streams")),
  "gadget-default-reader": () =>
    Promise.resolve(ours("gadgets/gadget.ts", "default-reader")),
  // Nothing to build: it is in the kernel.
  "kernel-sourcesink": () => Promise.resolve([]),
  "rust-usb-gadget": async (cache, job) => {
    await need("cargo");
    const target = `${cache}/rust`;
    const manifest = `${SOURCE}gadgets/rust/Cargo.toml`;
    await run("cargo", [
      "build",
      "--release",
      "--quiet",
      `--manifest-path=${manifest}`,
      `--target-dir=${target}`,
    ], { action: "build it with cargo", signal: job.signal });
    return [`${target}/release/bench-gadget`];
  },
  "python-functionfs": async (cache, job) => {
    await need("python3");
    const folder = `${cache}/python`;
    const python = `${folder}/bin/python3`;
    const { signal } = job;
    const check = ["-c", "import functionfs"];
    const there = await run(python, check).then(() => true, () => false);
    if (!there) {
      await run("python3", ["-m", "venv", "--clear", folder], { signal });
      await run(python, ["-m", "pip", "install", "--quiet", "functionfs"], {
        action: "install it with pip",
        signal,
      });
      await run(python, check, { signal });
    }
    return [python, `${SOURCE}gadgets/python_functionfs.py`];
  },
};

/** The command line of a gadget of this package, given its file in `bench`. */
export function ours(file: string, ...args: string[]): string[] {
  return oursFrom(ROOT, `bench/${file}`, ...args);
}

/** The command line of a file of a checkout. */
export function oursFrom(
  checkout: string,
  file: string,
  ...args: string[]
): string[] {
  return denoCommand(importMapOf(checkout), `${checkout}/${file}`, ...args);
}

/** The command line of a program of Deno; flags come before its file. */
export function denoCommand(...flagsAndFile: string[]): string[] {
  return [
    Deno.execPath(),
    "run",
    "--allow-ffi",
    "--no-check",
    ...flagsAndFile,
  ];
}

/** The flag with which files of a checkout use that checkout. */
export function importMapOf(checkout: string): string {
  return `--import-map=${checkout}/tests/import_map.json`;
}

/** The checkout of a contender that is this package. */
export function checkoutOf(contender: Contender): string | undefined {
  if (contender === "gadget") return ROOT;
  return isStanding(contender) ? undefined : contender.slice("gadget:".length);
}

async function ensureC(job: Job): Promise<void> {
  const missing: string[] = [];
  if (await findProgram("gcc") === undefined) missing.push("gcc", "libc6-dev");
  for (
    const [header, name] of [
      ["libusb-1.0/libusb.h", "libusb-1.0-0-dev"],
      ["libaio.h", "libaio-dev"],
    ]
  ) {
    const there = await Deno.stat(`/usr/include/${header}`)
      .then(() => true, () => false);
    if (!there) missing.push(name);
  }
  if (missing.length > 0) await install(missing, job);
}

async function compileC(
  source: string,
  cache: string,
  job: Job,
  ...libraries: string[]
): Promise<string> {
  const program = `${cache}/${source.replace(/.*\//, "").replace(".c", "")}`;
  await run("gcc", [
    "-O2",
    "-Wall",
    "-I/usr/include/libusb-1.0",
    "-o",
    program,
    `${SOURCE}${source}`,
    ...libraries,
  ], { action: `compile ${source}`, signal: job.signal });
  return program;
}

async function need(program: string): Promise<void> {
  if (await findProgram(program) === undefined) {
    throw new Error(`there is no ${program}`);
  }
}
