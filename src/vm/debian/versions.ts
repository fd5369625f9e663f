/**
 * The kernels that can be asked for, and which of Debian's packages make one.
 *
 * @module
 */

import { list, UsageError, VmError } from "../errors.ts";

/** A kernel series and the Debian suites that have it, the preferred one first. */
export const KERNELS: Readonly<Record<string, readonly string[]>> = {
  "7.3": ["trixie-backports", "sid"],
  // Backports first: its headers fit the compiler of bookworm.
  "6.12": ["bookworm-backports", "trixie"],
  "6.1": ["bookworm"],
};

/** The kernel that is used when none is asked for. */
export const DEFAULT_KERNEL = "7.3";

/** A package as apt lists it. */
export interface PackageVersion {
  name: string;
  version: string;
  /** Bytes to download. */
  size: number;
}

/** The packages that make one kernel. */
export interface KernelPackages {
  /** The release, as `uname -r` gives it: `7.3.4+deb13-amd64`. */
  release: string;
  packages: PackageVersion[];
}

/** The suites that have a kernel. */
export function suitesOf(kernel: string): readonly string[] {
  const suites = KERNELS[kernel];
  if (suites === undefined) {
    throw new UsageError(
      `Cannot boot kernel "${kernel}": known are ${
        list(Object.keys(KERNELS))
      }; for another, use --vmlinuz and --modules-dir`,
    );
  }
  return suites;
}

/**
 * Chooses the newest kernel of a series, for ordinary machines: not the builds
 * for clouds, real time or debugging. Debian splits a kernel into one package
 * up to Linux 6.12 and into several since.
 */
export function chooseKernelPackages(
  kernel: string,
  debianArchitecture: string,
  available: readonly PackageVersion[],
): KernelPackages | undefined {
  const series = kernel.replaceAll(".", "\\.");
  const pattern = new RegExp(
    `^linux-(image|modules|base|binary)(-unsigned)?-` +
      `(${series}\\.[\\d.+~a-z]+(?:-\\d+)?-${debianArchitecture})(-unsigned)?$`,
  );
  const releases = new Map<string, Map<string, PackageVersion>>();
  for (const entry of available) {
    const match = pattern.exec(entry.name);
    if (match === null) continue;
    const [, kind, before, release, after] = match;
    const parts = releases.get(release) ?? new Map<string, PackageVersion>();
    releases.set(release, parts);
    const known = parts.get(kind);
    const unsigned = before !== undefined || after !== undefined;
    const newer = known === undefined ||
      compareVersions(entry.version, known.version) > 0;
    // The signed package is the one that machines boot.
    if (
      unsigned ? known === undefined : newer || known.name.includes("-unsigned")
    ) {
      parts.set(kind, entry);
    }
  }
  const complete = [...releases].filter(([, parts]) =>
    parts.has("image") || (parts.has("modules") && parts.has("binary"))
  );
  complete.sort(([a], [b]) => compareVersions(a, b));
  const [release, parts] = complete.at(-1) ?? [];
  if (release === undefined || parts === undefined) return undefined;
  return { release, packages: [...parts.values()] };
}

/** The suite that a suite of backports adds to; undefined for a whole one. */
export function baseSuite(suite: string): string | undefined {
  const [base, backports] = suite.split(/-(?=backports$)/);
  return backports === undefined ? undefined : base;
}

/** What a module of a kernel is built with. */
export interface HeaderPackages {
  /** The headers, without what they depend on. */
  headers: string[];
  /** The kernel's build programs, and the compiler that it was built with. */
  tools: string[];
}

/** Reads what `apt-cache show` prints about a kernel's package of headers. */
export function parseHeaders(text: string): HeaderPackages | undefined {
  const name = /^Package: (.*)$/m.exec(text)?.[1];
  const depends = /^Depends: (.*)$/m.exec(text)?.[1] ?? "";
  const find = (pattern: RegExp) => pattern.exec(depends)?.[0];
  const common = find(/\blinux-headers-[^\s,]+-common\b/);
  const kbuild = find(/\blinux-kbuild-[^\s,]+/);
  const compiler = find(/\bgcc-\d+/);
  if (!name || !common || !kbuild || !compiler) return undefined;
  return { headers: [name, common], tools: [kbuild, compiler] };
}

/** Compares two version numbers by Debian's rules; epochs are left out. */
export function compareVersions(a: string, b: string): number {
  const parts = /(\D*)(\d*)/gy;
  const split = (text: string) =>
    [...text.matchAll(parts)].map(([, word, digits]) =>
      [word, Number(digits)] as const
    );
  const left = split(a);
  const right = split(b);
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [leftWord, leftNumber] = left[index] ?? ["", 0];
    const [rightWord, rightNumber] = right[index] ?? ["", 0];
    const order = compareWords(leftWord, rightWord) || leftNumber - rightNumber;
    if (order !== 0) return order;
  }
  return 0;
}

/** A tilde sorts before the end, letters before everything else. */
function compareWords(a: string, b: string): number {
  const weight = (char: string | undefined) => {
    if (char === "~") return -1;
    if (char === undefined) return 0;
    return /[a-z]/i.test(char) ? char.charCodeAt(0) : char.charCodeAt(0) + 256;
  };
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const order = weight(a[index]) - weight(b[index]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Reads the paragraphs that `apt-cache show` prints. */
export function parsePackages(text: string): PackageVersion[] {
  return text.split("\n\n").flatMap((paragraph) => {
    const field = (name: string) =>
      new RegExp(`^${name}: (.*)$`, "m").exec(paragraph)?.[1];
    const name = field("Package");
    const version = field("Version");
    if (name === undefined || version === undefined) return [];
    return [{ name, version, size: Number(field("Size") ?? 0) }];
  });
}

/** What a mirror without the kernel is answered with. */
export function kernelNotFound(
  kernel: string,
  suites: readonly string[],
): VmError {
  return new VmError(
    `Cannot find kernel "${kernel}" in ${
      list(suites, "or")
    } of the Debian archive; choose another with --kernel, or use one of your own with --vmlinuz FILE --modules-dir DIR`,
  );
}
