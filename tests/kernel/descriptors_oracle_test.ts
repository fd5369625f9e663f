/**
 * The kernel as oracle: random blocks, valid and invalid, are written to a real
 * ep0, and its result is compared with that of `validateBlocks()`.
 *
 * GADGET_SEED=N starts with the case that a failed run has reported.
 *
 * @module
 */
// VM: any speed
import "../support/run/aio_libraries.ts";
import { assert } from "@std/assert";
import {
  type BlockVerdict,
  validateBlocks,
} from "../kernel_model/validate_blocks.ts";
import { canProxy } from "../../src/check/compile_function.ts";
import { compileFunction } from "@usb/gadget/inspect";
import type { EventfdState } from "../kernel_model/kernel.ts";
import { usbFunction } from "@usb/gadget";
import { EFD_CLOEXEC, O_NONBLOCK, O_RDWR } from "../../ffi/abi.ts";
import { isSystemError } from "../../ffi/errno.ts";
import {
  close,
  exists,
  mkdir,
  open,
  readlink,
  rmdir,
  write,
} from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { arbitraryDefinition } from "../support/descriptors/arbitrary.ts";
import { mutate } from "../support/descriptors/mutate.ts";
import {
  type Blocks,
  randomBlocks,
} from "../support/descriptors/random_blocks.ts";
import { testKernel } from "../support/run/kernel_version.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { soak } from "../support/run/soak.ts";
import { FUNCTIONFS_DESCRIPTORS_MAGIC } from "../../src/compile/functionfs_abi.ts";
import { listMounts, mount, unmount } from "../../ffi/mount.ts";

const GADGETS = "/sys/kernel/config/usb_gadget";

/** The kernel's reaction to the blocks. */
interface KernelVerdict {
  /** The block that was refused, if one was. */
  readonly refused?: "descriptors" | "strings";
  /** The error of that write. */
  readonly errno?: string;
}

/** A mounted FunctionFS instance. */
class FunctionFsInstance implements Disposable {
  /** The mount point. */
  readonly mountPoint: string;
  readonly #name: string;
  readonly #gadget: string;

  /** Creates and mounts an instance. Its name must be unused. */
  constructor(name: string) {
    if (!listMounts().some(({ type }) => type === "configfs")) {
      mount({
        source: "none",
        target: "/sys/kernel/config",
        type: "configfs",
      });
    }
    this.#name = name;
    this.#gadget = `${GADGETS}/${name}`;
    this.mountPoint = `/tmp/${name}`;
    mkdir(this.#gadget);
    mkdir(`${this.#gadget}/functions/ffs.${name}`);
    if (!exists(this.mountPoint)) mkdir(this.mountPoint);
    this.#mount();
  }

  /**
   * Opens ep0, writes the blocks until one is refused, and closes ep0, which makes FunctionFS forget them. Only the
   * flags remain, and a block in the legacy format does not replace them: before such a block the instance is mounted
   * again.
   *
   * @param confirm Called when ep0 is open, which uses a file descriptor. If it returns false, nothing is written.
   * @returns The kernel's reaction, or undefined if nothing was written.
   */
  write(
    descriptors: Uint8Array<ArrayBuffer>,
    strings: Uint8Array<ArrayBuffer>,
    confirm: () => boolean = () => true,
  ): KernelVerdict | undefined {
    if (descriptors[0] === FUNCTIONFS_DESCRIPTORS_MAGIC) {
      unmount(this.mountPoint);
      this.#mount();
    }
    const fd = open(`${this.mountPoint}/ep0`, O_RDWR | O_NONBLOCK);
    try {
      if (!confirm()) return undefined;
      const errno = errnoOf(() => write(fd, descriptors));
      if (errno !== undefined) return { refused: "descriptors", errno };
      const stringsErrno = errnoOf(() => write(fd, strings));
      if (stringsErrno === undefined) return {};
      return { refused: "strings", errno: stringsErrno };
    } finally {
      close(fd);
    }
  }

  /** Unmounts and removes the instance. */
  [Symbol.dispose](): void {
    unmount(this.mountPoint);
    rmdir(this.mountPoint);
    rmdir(`${this.#gadget}/functions/ffs.${this.#name}`);
    rmdir(this.#gadget);
  }

  #mount(): void {
    mount({
      source: this.#name,
      target: this.mountPoint,
      type: "functionfs",
    });
  }
}

function errnoOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return error.code;
  }
}

const COUNT = soak(50_000, 5_000);
/** Blocks made from one definition: compiling it takes longer than a write to ep0. */
const VARIANTS = 10;
/** A file descriptor that is not open. */
const CLOSED_FILE = 4000;
const kernel = testKernel();

Deno.test("ep0 accepts and refuses the same blocks as validateBlocks(), with the same error", () => {
  const seed = testSeed();
  const started = performance.now();
  const tally = { accepted: 0, descriptors: 0, strings: 0, skipped: 0 };
  const rules = new Map<string, number>();
  const wrong: string[] = [];
  const eventfd = libc().eventfd(0, EFD_CLOEXEC);
  {
    using instance = new FunctionFsInstance(`oracle.${Deno.pid}`);
    for (let i = 0; i < COUNT / VARIANTS && wrong.length < 5; i++) {
      const each = (seed + i) >>> 0;
      const random = new Random(each);
      const anyFile = () =>
        random.pick([eventfd, eventfd, 0, CLOSED_FILE, 0x80000000]);
      for (const blocks of variants(random, anyFile)) {
        const { model, real } = ask(instance, blocks);
        if (real === undefined) tally.skipped++;
        else if (real.refused) tally[real.refused]++;
        else tally.accepted++;
        if (!model.accepted) {
          const [{ rule }] = model.problems;
          rules.set(rule, (rules.get(rule) ?? 0) + 1);
        }
        if (real === undefined || agree(model, real)) continue;
        wrong.push(describe(each, blocks, model, real));
      }
    }
  }
  close(eventfd);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const shown = [...rules].sort((a, b) => b[1] - a[1])
    .map(([rule, count]) => `${rule} ${count}`).join(", ");
  console.log(
    `${COUNT} blocks in ${seconds} s, seed ${seed}: ${tally.accepted} accepted, ` +
      `${tally.descriptors} descriptors and ${tally.strings} strings refused, ` +
      `${tally.skipped} skipped (${shown})`,
  );
  assert(wrong.length === 0, wrong.join("\n\n"));
  assert(tally.accepted > COUNT / 20, "too few blocks are accepted");
  assert(tally.descriptors > COUNT / 20, "too few descriptors are refused");
  assert(tally.strings > COUNT / 100, "too few strings are refused");
  assert(tally.skipped < COUNT / 20, "too many blocks are skipped");
});

/** Yields a pair of blocks and mutations of it. */
function* variants(random: Random, anyFile: () => number): Iterable<Blocks> {
  const base = random.chance(0.6) ? compiledBlocks(random, anyFile) : undefined;
  if (base) yield base;
  for (let i = base ? 1 : 0; i < VARIANTS; i++) {
    const { descriptors, strings } = base ?? randomBlocks(random, anyFile);
    yield {
      descriptors: random.chance(base ? 0.8 : 0.1)
        ? mutate(random, descriptors)
        : descriptors,
      strings: random.chance(0.3) ? mutate(random, strings) : strings,
    };
  }
}

/** Returns the blocks of a definition, for the newest kernel: older ones refuse what they do not know. */
function compiledBlocks(random: Random, anyFile: () => number): Blocks {
  const definition = usbFunction(arbitraryDefinition(random));
  const eventfd = anyFile();
  return compileFunction(definition, {
    ...(canProxy(definition) ? { rwProxy: random.chance() } : {}),
    ...(random.chance(0.1) && eventfd < 0x80000000 ? { eventfd } : {}),
  });
}

/** Returns the verdicts of our model and the kernel. Blocks that exhaust memory are not written: the kernel would warn. */
function ask(
  instance: FunctionFsInstance,
  { descriptors, strings }: Blocks,
): { model: BlockVerdict; real?: KernelVerdict } {
  let model: BlockVerdict | undefined;
  const real = instance.write(descriptors, strings, () => {
    model = validateBlocks(descriptors, strings, {
      kernel,
      eventfd: eventfdState,
    });
    return model.errno !== "ENOMEM";
  });
  return { model: model!, real };
}

function eventfdState(fd: number): EventfdState {
  try {
    const target = readlink(`/proc/self/fd/${fd}`);
    return target === "anon_inode:[eventfd]" ? "eventfd" : "other";
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return "closed";
    throw error;
  }
}

function agree(model: BlockVerdict, real: KernelVerdict): boolean {
  return model.errno === real.errno && refusedBlock(model) === real.refused;
}

function refusedBlock({ accepted, errno, problems }: BlockVerdict) {
  if (accepted) return undefined;
  // The endpoint files are created when the strings are written.
  if (errno === "EEXIST") return "strings";
  return problems[0].path.startsWith("strings") ? "strings" : "descriptors";
}

function describe(
  seed: number,
  { descriptors, strings }: Blocks,
  model: BlockVerdict,
  real: KernelVerdict,
): string {
  const verdict = (refused?: string, errno?: string) =>
    refused === undefined ? "accepts" : `refuses ${refused} with ${errno}`;
  const reason = model.accepted
    ? ""
    : `: ${model.problems[0].path}: ${model.problems[0].message}`;
  return [
    `Linux ${verdict(real.refused, real.errno)}, validateBlocks() ${
      verdict(refusedBlock(model), model.errno)
    }${reason}`,
    `descriptors ${descriptors.toHex()}`,
    `strings     ${strings.toHex()}`,
    `again with GADGET_SEED=${seed}`,
  ].join("\n");
}
