/**
 * Installs the programs that kernel tests run as the host of a device. The VM
 * sees this machine's files; one of another architecture has its own, see
 * src/vm/debian/guest_root.ts.
 *
 * @module
 */
import { type Architecture, isNative } from "../../src/vm/architectures.ts";
import { findProgram, run } from "../../src/vm/process.ts";
import type { Job } from "../../src/vm/progress.ts";
import { install } from "../../src/vm/tools.ts";
import { PYTHON_LIBRARIES } from "../support/programs/python.ts";

/** What a test runs as a host, and the Debian package that has it. */
export interface HostProgram {
  /** The name of a program, or the path of a file that a program reads. */
  readonly file: string;
  readonly package: string;
  /** What Python's registry has it as; the Debian package is its installer, then. */
  readonly python?: string;
  /** The test files that need it have this in their name; undefined: any. */
  readonly tests?: string;
}

/** Everything that tests use. */
export const HOST_PROGRAMS: readonly HostProgram[] = [
  { file: "lsusb", package: "usbutils" },
  { file: "xkbcli", package: "libxkbcommon-tools", tests: "hid_" },
  {
    file: "/usr/share/X11/xkb/rules/evdev",
    package: "xkb-data",
    tests: "hid_",
  },
  // Dead keys: xkbcli reads the tables of X11.
  {
    file: "/usr/share/X11/locale/en_US.UTF-8/Compose",
    package: "libx11-data",
    tests: "hid_",
  },
  { file: "fido2-token", package: "fido2-tools", tests: "hid_" },
  { file: "evtest", package: "evtest", tests: "hid_" },
  { file: "fftest", package: "joystick", tests: "hid_" },
  { file: "busybox", package: "busybox-static", tests: "disk_" },
  { file: "dmsetup", package: "dmsetup", tests: "disk_device" },
  { file: "eject", package: "eject", tests: "disk_" },
  { file: "fio", package: "fio", tests: "disk_fio" },
  { file: "fsck.vfat", package: "dosfstools", tests: "disk_" },
  { file: "mcopy", package: "mtools", tests: "disk_" },
  { file: "mkfs.ext4", package: "e2fsprogs", tests: "disk_" },
  { file: "mkfs.xfs", package: "xfsprogs", tests: "disk_device" },
  { file: "sg_raw", package: "sg3-utils", tests: "disk_" },
  { file: "mkfs.ext4", package: "e2fsprogs", tests: "mtp_store" },
  { file: "mkfs.vfat", package: "dosfstools", tests: "mtp_store" },
  // A file system in user space, of an older kind
  { file: "ntfs-3g", package: "ntfs-3g", tests: "mtp_store" },
  { file: "usbip", package: "usbip", tests: "usbip_" },
  { file: "xorriso", package: "xorriso", tests: "disk_" },
  { file: "dfu-util", package: "dfu-util", tests: "dfu_" },
  { file: "fftest", package: "joystick", tests: "xbox_" },
  { file: "fastboot", package: "fastboot", tests: "fastboot_" },
  { file: "openocd", package: "openocd", tests: "cmsis_dap_" },
  { file: "gphoto2", package: "gphoto2", tests: "mtp_" },
  { file: "hackrf_transfer", package: "hackrf", tests: "hackrf_" },
  { file: "ip", package: "iproute2", tests: "mtp_composite" },
  { file: "jmtpfs", package: "jmtpfs", tests: "mtp_fuse" },
  { file: "mtp-connect", package: "mtp-tools", tests: "mtp_" },
  { file: "cupsd", package: "cups", tests: "printer_cups" },
  { file: "perl", package: "perl-base", tests: "printer_" },
  {
    file: "/usr/lib/python3/dist-packages/usb/core.py",
    package: "python3-usb",
    tests: "usbtmc_",
  },
  {
    file: "/usr/lib/python3/dist-packages/pyvisa_py/usb.py",
    package: "python3-pyvisa-py",
    tests: "usbtmc_",
  },
  {
    file: `${PYTHON_LIBRARIES}/usbtmc/usbtmc.py`,
    package: "python3-pip",
    python: "python-usbtmc==0.8",
    tests: "usbtmc_",
  },
  { file: "opensc-tool", package: "opensc", tests: "ccid_" },
  { file: "pcscd", package: "pcscd", tests: "ccid_" },
  {
    file: "/usr/lib/pcsc/drivers/ifd-ccid.bundle",
    package: "libccid",
    tests: "ccid_",
  },
  { file: "pcsc_scan", package: "pcsc-tools", tests: "ccid_" },
];

/** The programs that some test files need. */
export function hostProgramsFor(paths: readonly string[]): HostProgram[] {
  const names = paths.map((path) => path.slice(path.lastIndexOf("/") + 1));
  return HOST_PROGRAMS.filter(({ tests }) =>
    tests === undefined || names.some((name) => name.includes(tests))
  );
}

/** Installs what some test files need, where it is missing. */
export async function ensureHostPrograms(
  paths: readonly string[],
  architecture: Architecture,
  job: Job,
): Promise<void> {
  if (!isNative(architecture)) return;
  const missing: HostProgram[] = [];
  for (const program of hostProgramsFor(paths)) {
    if (!await isInstalled(program.file)) missing.push(program);
  }
  const packages = missing.map((program) => program.package);
  if (packages.length > 0) await install(packages, job);
  const libraries = missing.flatMap(({ python = [] }) => python);
  if (libraries.length > 0) await installPython(libraries, job);
}

/** Installs libraries of Python, without what they depend on. */
async function installPython(libraries: string[], job: Job): Promise<void> {
  job.progress.step(`installing ${libraries.join(", ")}`);
  await run("/usr/bin/python3", [
    ...["-m", "pip", "install", "--quiet", "--no-deps"],
    ...["--target", PYTHON_LIBRARIES, ...libraries],
  ], {
    action: `install ${libraries.join(", ")} for Python`,
    signal: job.signal,
  });
}

async function isInstalled(file: string): Promise<boolean> {
  if (!file.startsWith("/")) return await findProgram(file) !== undefined;
  return await Deno.stat(file).then(() => true, () => false);
}
