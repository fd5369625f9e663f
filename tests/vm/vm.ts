/**
 * Runs a command as root in a virtual machine with a stock Debian kernel, over
 * this machine's files. The guest may write anywhere; only what lies in a
 * shared folder stays.
 *
 * ```ts ignore
 * import { runInVm } from "./vm.ts";
 *
 * const { code, stdout } = await runInVm({ command: ["uname", "-r"] });
 * console.log(code, new TextDecoder().decode(stdout)); // 0 7.3.4+deb13-amd64
 * ```
 *
 * @module
 */

import { chooseAccelerator } from "./accel.ts";
import {
  type Architecture,
  architecture as findArchitecture,
  isNative,
} from "./architectures.ts";
import { openCache } from "./cache.ts";
import { ExitCode, UsageError, VmError } from "./errors.ts";
import {
  buildRunArchive,
  type ForeignFiles,
  guestEnvironment,
  type Speed,
  type UdcKind,
} from "./guest.ts";
import { guestRoot } from "./guest_root.ts";
import { checkMemory, existingFolder, makeRunFolder } from "./host.ts";
import { debianKernel, givenKernel, type KernelImage } from "./kernel_image.ts";
import { type KernelProblem, scanKernelLog } from "./kernel_log.ts";
import { type Job, type Progress, silent } from "./progress.ts";
import type { Accelerator } from "./qemu.ts";
import { runSession, type SessionResult } from "./session.ts";
import { sgUdc } from "./sg_udc.ts";
import { concat, type OutputHandler } from "./stream.ts";
import { ensureTools, type Tools } from "./tools.ts";
import { DEFAULT_KERNEL } from "./versions.ts";

export type { KernelProblem, OutputHandler, Progress, Speed, UdcKind };

/** How the machine is made. */
export interface MachineOptions {
  /** A kernel series: "7.3", "6.12" or "6.1". @default {"7.3"} */
  kernel?: string;
  /** A kernel image in place of Debian's; needs `modulesDir`. */
  vmlinuz?: string;
  /** The `/lib/modules/RELEASE` that belongs to `vmlinuz`. */
  modulesDir?: string;
  /** The address of a Debian archive. @default the machine's own */
  mirror?: string;
  /** The device controller, given as `GADGET_UDC`. @default {"stock"} */
  udc?: UdcKind;
  /** The guest's architecture. @default this machine's */
  arch?: string;
  /** "kvm", "tcg", or whichever works. @default {"auto"} */
  accel?: Accelerator | "auto";
  /** Shows what is going on. */
  progress?: Progress;
  /** Ends the VM. */
  signal?: AbortSignal;
}

/** What runs in the machine. */
export interface RunOptions extends MachineOptions {
  /** The program and its arguments. */
  command: readonly string[];
  /** The speed that tests use, given as `GADGET_SPEED`. @default {"super"} */
  speed?: Speed;
  /**
   * Parameters of dummy_hcd, or `"none"`: neither dummy_hcd nor usb_f_fs nor
   * configfs is loaded. @default {"is_super_speed=1"}
   */
  hcd?: string;
  /** Modules to load besides dummy_hcd and usb_f_fs. */
  modules?: readonly string[];
  /** Variables in addition to those that the guest gets from the host. */
  env?: Readonly<Record<string, string>>;
  /** The folder that the command starts in. @default the current one */
  cwd?: string;
  /** The guest's memory in megabytes. @default {2048} */
  memory?: number;
  /** Seconds from power-on to the command's end. @default {300} */
  timeout?: number;
  /** Host folders that the guest may write to, at the same paths. */
  shares?: readonly string[];
  /** Complaints of the kernel to let pass, by their first line. */
  allowLog?: readonly RegExp[];
  /** Receives standard output as it comes; else it is collected. */
  onStdout?: OutputHandler;
  /** Receives standard error as it comes; else it is collected. */
  onStderr?: OutputHandler;
  /** Receives the serial console, with all of the kernel's messages. */
  onConsole?: OutputHandler;
}

/** How it went. */
export interface RunResult {
  /**
   * The command's exit code, 128 + n after signal n; or 3 if the kernel
   * complained, whatever the command said.
   */
  code: number;
  /** The command's own exit code; absent if the kernel died first. */
  commandCode?: number;
  /** What the kernel complained about. */
  problems: KernelProblem[];
  /** The kernel's log, line by line. */
  log: string[];
  /** Standard output, unless `onStdout` took it. */
  stdout: Uint8Array;
  /** Standard error, unless `onStderr` took it. */
  stderr: Uint8Array;
  /** The kernel's release. */
  release: string;
  /** What ran the guest's processor. */
  accelerator: Accelerator;
  /** Seconds from power-on to the command's start. */
  bootSeconds?: number;
}

/**
 * Whether a run failed by a fault of QEMU before 8.1, which can let a processor
 * run code that another one is just patching: the kernel dies of "int3". Such a
 * run says nothing about the command, and may be repeated.
 */
export function isQemuFault(
  { accelerator, problems }: Pick<RunResult, "accelerator" | "problems">,
): boolean {
  return accelerator === "tcg" &&
    problems.some(({ title }) => /\bint3\b/.test(title));
}

/** The folder of this project. */
const PROJECT = await Deno.realPath(new URL("../..", import.meta.url));

/** A kernel with all that is needed to boot it. */
interface Prepared extends AsyncDisposable {
  architecture: Architecture;
  image: KernelImage;
  tools: Tools;
  /** The file of another dummy_hcd than the kernel's own. */
  udcModule?: string;
  /** The files of a guest that cannot use this machine's. */
  foreign?: ForeignFiles;
  cache: string;
  /** A folder for the files of this run. */
  folder: string;
  job: Job;
}

/** Fetches and builds what a run needs, so that the next one starts at once. */
export async function prepareVm(
  options: MachineOptions = {},
): Promise<KernelImage> {
  await using prepared = await prepare(options);
  await selectAccelerator(prepared, options);
  return prepared.image;
}

/** Boots a VM, runs a command in it and returns when it has ended. */
export async function runInVm(options: RunOptions): Promise<RunResult> {
  const cwd = await existingFolder(options.cwd ?? Deno.cwd(), "start in");
  const shares = await Promise.all(
    (options.shares ?? []).map((path) => existingFolder(path, "share")),
  );
  checkOptions(options);
  const memory = options.memory ?? 2048;
  await checkMemory(memory);
  await using prepared = await prepare(options);
  const accelerator = await selectAccelerator(prepared, options);
  const { image, job } = prepared;
  const emulated = accelerator === "tcg" ? " in emulation" : "";
  job.progress.step(`booting Linux ${image.release}${emulated}`);

  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  const result = await boot(prepared, accelerator, {
    ...options,
    cwd,
    shares,
    memory,
    onStdout: options.onStdout ?? ((chunk) => void stdout.push(chunk.slice())),
    onStderr: options.onStderr ?? ((chunk) => void stderr.push(chunk.slice())),
  });
  job.progress.clear();
  const problems = scanKernelLog(result.log, options.allowLog);
  if (result.code === undefined && problems.length === 0) {
    throw new VmError(
      "The VM ended before the command did: see its log with --keep-log",
      { log: result.log },
    );
  }
  return {
    code: problems.length > 0 ? ExitCode.KernelLog : result.code!,
    commandCode: result.code,
    problems,
    log: result.log,
    stdout: concat(...stdout),
    stderr: concat(...stderr),
    release: image.release,
    accelerator,
    bootSeconds: result.bootSeconds,
  };
}

/** What is wrong with the options, whatever this machine has. */
function checkOptions(options: MachineOptions): Architecture {
  const { vmlinuz, modulesDir } = options;
  const architecture = findArchitecture(options.arch ?? Deno.build.arch);
  if ((vmlinuz === undefined) !== (modulesDir === undefined)) {
    throw new UsageError(
      "Cannot use a kernel without its modules: give both --vmlinuz and --modules-dir",
    );
  }
  if (options.udc === "sg" && vmlinuz !== undefined) {
    throw new UsageError(
      "Cannot build a UDC with scatter-gather for a kernel of your own: it takes the headers of one of Debian's",
    );
  }
  return architecture;
}

async function prepare(options: MachineOptions): Promise<Prepared> {
  const architecture = checkOptions(options);
  const { vmlinuz, modulesDir, progress = silent, signal } = options;
  const job: Job = { progress, signal };
  const tools = await ensureTools(architecture, job);
  const cache = await openCache();
  const folder = await makeRunFolder();
  const remove = () => Deno.remove(folder, { recursive: true });
  try {
    const root = isNative(architecture)
      ? undefined
      : await guestRoot(architecture, cache, job, options.mirror);
    const busybox = root?.busybox ?? tools.busybox!;
    const image = vmlinuz !== undefined && modulesDir !== undefined
      ? await givenKernel(vmlinuz, modulesDir, busybox, folder)
      : await debianKernel(
        options.kernel ?? DEFAULT_KERNEL,
        architecture,
        busybox,
        cache,
        job,
        options.mirror,
      );
    const udcModule = options.udc === "sg"
      ? await sgUdc({
        kernel: options.kernel ?? DEFAULT_KERNEL,
        release: image.release,
        architecture,
        cache,
        mirror: options.mirror,
        job,
      })
      : undefined;
    return {
      architecture,
      image,
      tools,
      udcModule,
      foreign: root && {
        root: root.folder,
        denoFolder: root.denoFolder,
        // Programs that were made for the guest lie in the cache.
        folders: [PROJECT, cache],
      },
      cache,
      folder,
      job,
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  } finally {
    progress.clear();
  }
}

/** Finds the accelerator to use, by booting a guest where that is not known. */
async function selectAccelerator(
  prepared: Prepared,
  options: MachineOptions,
): Promise<Accelerator> {
  const { accel = "auto" } = options;
  if (accel !== "auto") return accel;
  const { architecture, image, tools, cache, job } = prepared;
  if (!isNative(architecture)) return "tcg";
  const { mtime, size } = await Deno.stat(tools.qemu);
  const subject = [image.release, `${size}`, mtime?.toISOString() ?? ""];
  return await chooseAccelerator(subject, cache, job, async () => {
    try {
      const result = await boot(prepared, "kvm", {
        command: ["true"],
        cwd: "/",
        timeout: 15,
        onStdout: () => {},
        onStderr: () => {},
      });
      return result.code === 0;
    } catch (error) {
      if (error instanceof VmError && !job.signal?.aborted) return false;
      throw error;
    }
  });
}

/** What a boot needs to know, complete. */
type BootOptions =
  & Omit<RunOptions, keyof MachineOptions>
  & Required<Pick<RunOptions, "cwd" | "onStdout" | "onStderr">>;

async function boot(
  { architecture, image, tools, udcModule, foreign, folder, job }: Prepared,
  accelerator: Accelerator,
  options: BootOptions,
): Promise<SessionResult> {
  const marker = `${crypto.randomUUID()}${crypto.randomUUID()}`;
  const shares = options.shares ?? [];
  const archive = await buildRunArchive({
    command: options.command,
    cwd: options.cwd,
    env: {
      ...guestEnvironment(
        Deno.env.toObject(),
        Deno.execPath(),
        foreign === undefined,
      ),
      GADGET_SPEED: options.speed ?? "super",
      GADGET_UDC: udcModule === undefined ? "stock" : "sg",
      ...options.env,
    },
    modules: options.modules ?? [],
    hcd: options.hcd ?? "is_super_speed=1",
    udcModule,
    consoleLevel: options.onConsole === undefined ? 5 : 7,
    shares,
    release: image.release,
    modulesDir: image.modulesDir,
    marker,
    foreign,
  });
  const sockets = await Deno.makeTempDir({ dir: folder, prefix: accelerator });
  const initramfs = `${sockets}/initramfs`;
  await Deno.copyFile(image.initramfs, initramfs);
  await Deno.writeFile(initramfs, archive, { append: true });
  return await runSession({
    machine: {
      architecture,
      accelerator,
      vmlinuz: image.vmlinuz,
      initramfs,
      memory: options.memory ?? 512,
      shares,
    },
    program: tools.qemu,
    folder: sockets,
    marker,
    timeout: options.timeout ?? 300,
    onStdout: options.onStdout,
    onStderr: options.onStderr,
    onConsole: options.onConsole,
    onReady: () => job.progress.clear(),
    signal: job.signal,
  });
}
