/**
 * Boots a VM and runs a command in it.
 *
 * @module
 */

import { chooseAccelerator } from "./machine/accel.ts";
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
} from "./guest/guest.ts";
import { guestRoot } from "./debian/guest_root.ts";
import { checkMemory, existingFolder, makeRunFolder } from "./host.ts";
import {
  debianKernel,
  givenKernel,
  type KernelImage,
} from "./guest/kernel_image.ts";
import { isQemuFault, scanKernelLog } from "./guest/kernel_log.ts";
import { givenMirror } from "./debian/mirror.ts";
import type { VmOptions, VmResult, VmRunOptions } from "./options.ts";
import { type Job, silent } from "./progress.ts";
import type { Accelerator } from "./machine/qemu.ts";
import {
  type Dialogue,
  runSession,
  type SessionResult,
} from "./machine/session.ts";
import { sgUdc } from "./udc/sg_udc.ts";
import { concat } from "./machine/stream.ts";
import { ensureTools, type Tools } from "./tools.ts";
import { DEFAULT_KERNEL } from "./debian/versions.ts";

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

/**
 * Fetches and builds what a run needs, so that the next one starts at once. In
 * CI, the folder `usb-gadget-vm` in the user's cache folder is worth keeping.
 *
 * @throws {VmError} if something is missing
 *
 * @category Virtual machine
 */
export async function prepareVm(
  options: VmOptions = {},
): Promise<Pick<VmResult, "release" | "accelerator">> {
  await using prepared = await prepare(options);
  const accelerator = await selectAccelerator(prepared, options);
  return { release: prepared.image.release, accelerator };
}

/**
 * Boots a VM, runs a command in it and returns when it has ended.
 *
 * ```ts ignore
 * import { runInVm } from "@usb/gadget/vm";
 *
 * const { code, stdout } = await runInVm({ command: ["uname", "-r"] });
 * console.log(code, new TextDecoder().decode(stdout)); // 0 7.3.4+deb13-amd64
 * ```
 *
 * @throws {VmError} if the VM does not start, or the time is over
 *
 * @category Virtual machine
 */
export function runInVm(options: VmRunOptions): Promise<VmResult> {
  return runDialogue(options);
}

/** Does {@linkcode runInVm}, and speaks with the command meanwhile. */
export async function runDialogue(
  options: VmRunOptions,
  dialogue?: Dialogue,
): Promise<VmResult> {
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
    dialogue,
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
    qemuFault: accelerator === "tcg" && isQemuFault(problems),
    log: result.log,
    stdout: concat(...stdout),
    stderr: concat(...stderr),
    release: image.release,
    accelerator,
    bootSeconds: result.bootSeconds,
  };
}

/** What is wrong with the options, whatever this machine has. */
function checkOptions(options: VmOptions): Architecture {
  const { vmlinuz, modulesDir } = options;
  const architecture = findArchitecture(options.arch ?? Deno.build.arch);
  givenMirror(options.mirror);
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

async function prepare(options: VmOptions): Promise<Prepared> {
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
        folders: [await Deno.realPath("."), cache],
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
  options: VmOptions,
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
  & Omit<VmRunOptions, keyof VmOptions>
  & Required<Pick<VmRunOptions, "cwd" | "onStdout" | "onStderr">>
  & { readonly dialogue?: Dialogue };

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
    input: options.dialogue !== undefined,
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
      processors: options.processors ?? 2,
      shares,
    },
    program: tools.qemu,
    folder: sockets,
    marker,
    timeout: options.timeout ?? 300,
    onStdout: options.onStdout,
    onStderr: options.onStderr,
    onConsole: options.onConsole,
    dialogue: options.dialogue,
    onReady: () => job.progress.clear(),
    signal: job.signal,
  });
}
