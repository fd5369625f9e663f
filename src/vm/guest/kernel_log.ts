/**
 * Reads the guest's kernel log and finds what must not be in it.
 *
 * @module
 */

/**
 * Something that the kernel complained about: a warning, an oops, a task that
 * hangs.
 *
 * @category Virtual machine
 */
export interface KernelProblem {
  /** The line that gave it away, without its time. */
  title: string;
  /** The line and what belongs to it. */
  lines: string[];
}

/** How a kernel that found a bug, or hit one, says so. */
const COMPLAINTS: readonly RegExp[] = [
  /\bWARNING: /,
  /\bBUG: /,
  /\bOops\b/,
  /\bgeneral protection fault\b/,
  /\b(KASAN|KCSAN|KMSAN|UBSAN|KFENCE): /,
  /\bblocked for more than \d+ seconds/,
  /\bCall Trace:/,
  /\bKernel panic\b/i,
  /\brefcount_t: /,
  /\blist_(add|del) corruption/,
  /\b(soft|hard) lockup\b/i,
  /\bINFO: .*(stall|locking|usage|inconsistent)/,
  /\bUnable to handle kernel\b/i,
];

/** What closes the report that a complaint begins. */
const END_OF_REPORT = /---\[ end (trace|Kernel panic)|<\/TASK>/;

/** What init.sh writes begins with this. */
export const OWN_LINE = "gadget-vm: ";

/** Longer reports are cut. */
const REPORT_LINES = 80;

/**
 * Finds complaints in the lines of a kernel log.
 *
 * @param allow complaints whose first line matches one of these are let pass
 */
export function scanKernelLog(
  lines: readonly string[],
  allow: readonly RegExp[] = [],
): KernelProblem[] {
  const problems: KernelProblem[] = [];
  for (let index = 0; index < lines.length; index++) {
    const title = withoutTime(lines[index]);
    // init.sh lists processes, and their arguments may say anything.
    if (title.startsWith(OWN_LINE)) continue;
    if (!COMPLAINTS.some((pattern) => pattern.test(title))) continue;
    const start = /cut here/.test(lines[index - 1] ?? "") ? index - 1 : index;
    const end = endOfReport(lines, index);
    if (!allow.some((pattern) => pattern.test(title))) {
      problems.push({ title, lines: lines.slice(start, end + 1) });
    }
    index = end;
  }
  return problems;
}

/** Whether an emulated kernel died by the fault of QEMU before 8.1. */
export function isQemuFault(problems: readonly KernelProblem[]): boolean {
  return problems.some(({ title }) => /\bint3\b/.test(title));
}

/** The last line of the report that begins at `index`. */
function endOfReport(lines: readonly string[], index: number): number {
  const limit = Math.min(index + REPORT_LINES, lines.length - 1);
  let end = index;
  let open = /Call Trace:/.test(lines[index]);
  for (let next = index + 1; next <= limit; next++) {
    const line = lines[next];
    if (/cut here/.test(line)) break;
    if (/Call Trace:/.test(line)) open = true;
    if (END_OF_REPORT.test(line)) {
      end = next;
      open = false;
      if (/---\[ end trace/.test(line)) break;
    }
  }
  // A kernel that dies in the middle of its report does not close it.
  return open ? limit : end;
}

/** Removes the time in front of a line: `[    1.234567] `. */
export function withoutTime(line: string): string {
  return line.replace(/^\[\s*\d+\.\d+\] ?/, "");
}

/**
 * Turns what `/dev/kmsg` says into lines as the console shows them. A record is
 * "priority,sequence,microseconds,flags;text", and lines that begin with a
 * space carry properties of the device.
 */
export function parseKmsg(text: string): string[] {
  const lines: string[] = [];
  for (const record of text.split("\n")) {
    const match = /^\d+,\d+,(\d+),[^;]*;(.*)$/.exec(record);
    if (match === null) continue;
    const [, microseconds, message] = match;
    const seconds = (Number(microseconds) / 1e6).toFixed(6).padStart(12);
    const unescaped = message.replace(
      /\\x([0-9a-f]{2})/g,
      (_, hex) => String.fromCharCode(parseInt(hex, 16)),
    );
    for (const part of unescaped.split("\n")) {
      lines.push(`[${seconds}] ${part}`);
    }
  }
  return lines;
}

/**
 * Joins the two views of the kernel's log. A kernel that dies reaches only the
 * console; a quiet message reaches only kmsg.
 */
export function joinLogs(kmsg: string, console: string): string[] {
  const lines = parseKmsg(kmsg);
  const known = new Set(lines);
  const shown = console.split("\n").map((line) => line.replace(/\r$/, ""));
  // The last line may be half there.
  const rest = shown.pop() ?? "";
  if (!lines.some((line) => line.startsWith(rest))) shown.push(rest);
  for (const line of shown) {
    if (line !== "" && !known.has(line)) lines.push(line);
  }
  return lines.filter((line) => !line.includes(`${OWN_LINE}end `));
}
