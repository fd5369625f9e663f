/**
 * The command line of the kernel that is a program, and of what runs it.
 *
 * @module
 */

/** One run of the kernel. */
export interface UmlMachine {
  /** The kernel. */
  readonly program: string;
  /** A folder for the files of the run, whose path has no spaces. */
  readonly folder: string;
  /** The guest's memory in megabytes. */
  readonly memory: number;
  /** Parameters of dummy_hcd, with spaces between. */
  readonly hcd: string;
  /** The processor of this machine that everything runs on. */
  readonly processor: number;
}

/**
 * The file descriptors of the command's output. 1 and 2 are the kernel's, which
 * writes to them before it has consoles.
 */
const OUTPUT = 3;
const ERRORS = 4;

/** Gives the kernel its file descriptors, and what it writes itself a file. */
const SCRIPT =
  `log=$1; shift; exec "$@" ${OUTPUT}>&1 ${ERRORS}>&2 >"$log" 2>&1`;

/** The file that receives what the kernel writes to its own console. */
export function consoleFile(folder: string): string {
  return `${folder}/console`;
}

/**
 * The whole command line. Each program of it becomes the next one, so that the
 * process is the kernel; and when that ends, all processes of the guest end.
 */
export function umlCommand(machine: UmlMachine): string[] {
  const { program, folder, processor } = machine;
  return [
    "sh",
    "-c",
    SCRIPT,
    "sh",
    consoleFile(folder),
    // It makes a session of its own, which Ctrl+C does not reach.
    ..."setpriv --pdeathsig KILL".split(" "),
    // Unpinned, each change between kernel and process wakes a processor.
    ..."taskset --cpu-list".split(" "),
    `${processor}`,
    program,
    ...kernelParameters(machine),
  ];
}

/** The kernel's own parameters, and behind "--" those of its first process. */
export function kernelParameters(
  { folder, memory, hcd }: Pick<UmlMachine, "folder" | "memory" | "hcd">,
): string[] {
  return [
    `mem=${memory}M`,
    // With more, threads of one process still run one at a time, and need
    // milliseconds to take turns.
    "ncpus=1",
    // System calls by signals within the process; ptrace switches between two.
    "seccomp=on",
    "rootfstype=hostfs",
    "rootflags=/",
    "ro",
    "con=null",
    "con0=null,fd:2",
    `con1=null,fd:${OUTPUT}`,
    `con2=null,fd:${ERRORS}`,
    `uml_dir=${folder}/`,
    "umid=uml",
    "noreboot",
    "panic=-1",
    "quiet",
    "loglevel=5",
    ...hcd.split(" ").filter((word) => word !== "")
      .map((word) => `dummy_hcd.${word}`),
    `RUN=${folder}`,
    "init=/bin/sh",
    "--",
    `${folder}/init.sh`,
  ];
}

/**
 * The processor to pin to, by the kernel's list of those that this process may
 * use, such as "0-3,8": the last one, because interrupts prefer the first.
 */
export function lastProcessor(allowed: string): number {
  return Number(allowed.trim().split(/[,-]/).at(-1));
}

/** Where memory file systems usually are. */
const SHARED_MEMORY = "/dev/shm";

/**
 * The folder for the file that is the guest's memory. In a container the usual
 * one is often too small, or nothing may be executed there.
 *
 * @param mounts the content of /proc/mounts
 * @param free the megabytes that are free in /dev/shm
 * @param folder the folder that is used otherwise, though it may lie on a disk
 */
export function memoryFolder(
  mounts: string,
  free: number,
  memory: number,
  folder: string,
): string {
  const mount = mounts.split("\n").map((line) => line.split(" "))
    .findLast(([, where]) => where === SHARED_MEMORY);
  const usable = mount !== undefined && !mount[3].split(",").includes("noexec");
  return usable && free >= memory ? SHARED_MEMORY : folder;
}
