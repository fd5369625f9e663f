/**
 * Runs a command in User Mode Linux, as src/vm does in QEMU.
 *
 * @module
 */
import { statfs } from "node:fs/promises";
import { ExitCode, VmError } from "../../src/vm/errors.ts";
import {
  commandScript,
  guestEnvironment,
  mountLines,
} from "../../src/vm/guest/guest.ts";
import {
  type KernelProblem,
  scanKernelLog,
} from "../../src/vm/guest/kernel_log.ts";
import {
  checkMemory,
  existingFolder,
  makeRunFolder,
} from "../../src/vm/host.ts";
import { chunks, type OutputHandler } from "../../src/vm/machine/stream.ts";
import type { VmRunOptions } from "../../src/vm/options.ts";
import { type Job, silent } from "../../src/vm/progress.ts";
import { umlKernel } from "./kernel.ts";
import {
  consoleFile,
  lastProcessor,
  memoryFolder,
  umlCommand,
} from "./machine.ts";

/** What is asked of a run: as in src/vm. */
export type UmlRunOptions =
  & Pick<
    VmRunOptions,
    | "command"
    | "cwd"
    | "env"
    | "shares"
    | "hcd"
    | "speed"
    | "memory"
    | "timeout"
    | "mirror"
    | "allowLog"
    | "progress"
    | "signal"
  >
  & { readonly onStdout: OutputHandler; readonly onStderr: OutputHandler };

/** How a command went. */
export interface UmlResult {
  /** The command's exit code, or 3 if the kernel complained. */
  readonly code: number;
  /** Warnings, oopses and the like in the kernel's log. */
  readonly problems: readonly KernelProblem[];
  /** The kernel's log, line by line. */
  readonly log: readonly string[];
  /** The kernel's release, as `uname -r` prints it. */
  readonly release: string;
}

/**
 * Boots User Mode Linux, runs a command in it and returns when it has ended.
 *
 * @throws {VmError} if the kernel cannot be built, or does not run to the end
 */
export async function runInUml(options: UmlRunOptions): Promise<UmlResult> {
  const { progress = silent, signal, memory = 2048, timeout = 300 } = options;
  const job: Job = { progress, signal };
  const cwd = await existingFolder(options.cwd ?? Deno.cwd(), "start in");
  const shares = await Promise.all(
    (options.shares ?? []).map((path) => existingFolder(path, "share")),
  );
  await checkMemory(memory);
  const { program, release } = await umlKernel(job, options.mirror);
  const folder = await makeRunFolder();
  try {
    await writeRunFiles(folder, { ...options, cwd, shares });
    const [shell, ...args] = umlCommand({
      program,
      folder,
      memory,
      hcd: options.hcd ?? "is_super_speed=1",
      processor: await processor(),
    });
    signal?.throwIfAborted();
    progress.step(`booting User Mode Linux ${release}`);
    const child = new Deno.Command(shell, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { TMPDIR: await findMemoryFolder(memory, folder) },
    }).spawn();
    progress.clear();
    const timedOut = await follow(child, { ...options, timeout });
    const result = await readResult(folder, options.allowLog);
    if (result.code !== undefined) {
      return { ...result, code: result.code, release };
    }
    throw failure(
      timedOut
        ? `The command did not end within ${timeout} s: give it more time with --timeout`
        : "User Mode Linux ended before the command did",
      result.log,
      timedOut ? ExitCode.TimedOut : ExitCode.Failure,
    );
  } finally {
    progress.clear();
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Passes on the output until the kernel has ended, and returns whether it was
 * ended because its time was over.
 */
async function follow(
  child: Deno.ChildProcess,
  { onStdout, onStderr, timeout, signal }:
    & Pick<UmlRunOptions, "onStdout" | "onStderr" | "signal">
    & { timeout: number },
): Promise<boolean> {
  let timedOut = false;
  const kill = () => child.kill("SIGKILL");
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, timeout * 1000);
  signal?.addEventListener("abort", kill);
  try {
    await Promise.all([
      forward(child.stdout, onStdout),
      forward(child.stderr, onStderr),
    ]);
  } catch (error) {
    kill();
    throw error;
  } finally {
    await child.status;
    clearTimeout(timer);
    signal?.removeEventListener("abort", kill);
  }
  signal?.throwIfAborted();
  return timedOut;
}

async function writeRunFiles(
  folder: string,
  { command, cwd, shares, env, speed = "super" }:
    & Pick<UmlRunOptions, "command" | "env" | "speed">
    & { cwd: string; shares: string[] },
): Promise<void> {
  const settings = {
    command,
    cwd,
    shares,
    env: {
      ...guestEnvironment(Deno.env.toObject(), Deno.execPath()),
      GADGET_SPEED: speed,
      GADGET_UDC: "stock",
      ...env,
    },
  };
  const files = {
    "init.sh": await Deno.readTextFile(new URL("init.sh", import.meta.url)),
    mounts: mountLines(settings).map((line) => `${line}\n`).join(""),
    command: commandScript(settings),
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
}

/** What the guest left in the folder of its run; no code if it did not get there. */
async function readResult(
  folder: string,
  allowLog?: readonly RegExp[],
): Promise<Omit<UmlResult, "release" | "code"> & { code?: number }> {
  const read = (file: string) => Deno.readTextFile(file).catch(() => "");
  const [log, code, console] = await Promise.all([
    read(`${folder}/log`),
    read(`${folder}/code`),
    read(consoleFile(folder)),
  ]);
  // A kernel that dies writes to its console only.
  const lines = (log === "" ? console : log).trim().split("\n");
  const problems = scanKernelLog(lines, allowLog);
  if (problems.length > 0) {
    return { code: ExitCode.KernelLog, problems, log: lines };
  }
  return { code: code === "" ? undefined : Number(code), problems, log: lines };
}

function failure(
  reason: string,
  log: readonly string[],
  exitCode: number,
): VmError {
  const last = log.slice(-15).map((line) => `\n  ${line}`).join("");
  return new VmError(`${reason}\nLast lines of the kernel's log:${last}`, {
    exitCode,
    log,
  });
}

async function findMemoryFolder(
  memory: number,
  folder: string,
): Promise<string> {
  const { bavail, bsize } = await statfs("/dev/shm")
    .catch(() => ({ bavail: 0, bsize: 0 }));
  const mounts = await Deno.readTextFile("/proc/mounts");
  return memoryFolder(mounts, bavail * bsize / 2 ** 20, memory, folder);
}

async function processor(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status");
  return lastProcessor(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)![1]);
}

async function forward(
  readable: ReadableStream<Uint8Array>,
  handler: OutputHandler,
): Promise<void> {
  for await (const chunk of chunks(readable)) await handler(chunk);
}
