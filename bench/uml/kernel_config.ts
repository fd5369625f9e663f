/**
 * The configuration of the User Mode Linux kernel: what gadgets, their host and
 * Deno need, and nothing else. All of it is built in, there are no modules.
 *
 * @module
 */

/** Options that are on, by what they are for. */
const ON: Readonly<Record<string, string>> = {
  // SMP, because kernels of real machines have it: locks cost the same.
  machine: "64BIT EXPERT SMP CC_OPTIMIZE_FOR_PERFORMANCE NO_HZ_IDLE " +
    "HIGH_RES_TIMERS HOSTFS NULL_CHAN MCONSOLE MAGIC_SYSRQ STDERR_CONSOLE",
  messages: "PRINTK PRINTK_TIME BUG DEBUG_BUGVERBOSE KALLSYMS DEBUG_KERNEL " +
    "DETECT_HUNG_TASK SCHEDSTATS",
  processes: "MULTIUSER BINFMT_ELF BINFMT_SCRIPT POSIX_TIMERS FUTEX EPOLL " +
    "SIGNALFD TIMERFD EVENTFD AIO ADVISE_SYSCALLS MEMBARRIER MEMFD_CREATE " +
    "FILE_LOCKING INOTIFY_USER SECCOMP SECCOMP_FILTER NAMESPACES PID_NS NET_NS",
  files:
    "SHMEM TMPFS TMPFS_XATTR PROC_FS SYSCTL PROC_CHILDREN SYSFS DEBUG_FS " +
    "DEVTMPFS OVERLAY_FS CONFIGFS_FS UNIX98_PTYS NET UNIX",
  // FunctionFS maps memory for DMA, and USB wants I/O memory.
  usb: "UML_DMA_EMULATION UML_IOMEM_EMULATION USB_SUPPORT USB " +
    "USB_ANNOUNCE_NEW_DEVICES USB_MON USB_GADGET USB_DUMMY_HCD " +
    "USB_LIBCOMPOSITE USB_CONFIGFS USB_CONFIGFS_F_FS USB_CONFIGFS_F_LB_SS " +
    "DMA_SHARED_BUFFER UDMABUF",
  disks: "BLOCK SCSI BLK_DEV_SD USB_STORAGE USB_CONFIGFS_MASS_STORAGE",
};

/** Other values. The consoles that the command line does not name are unused. */
const VALUES: Readonly<Record<string, string>> = {
  NR_CPUS: "2",
  LOG_BUF_SHIFT: "17",
  CON_CHAN: '"null"',
  STATIC_LINK: "n",
  HZ_PERIODIC: "n",
};

/** The options that the kernel is configured with; all others are off. */
export function kernelConfig(): string {
  const on = Object.values(ON).flatMap((names) => names.split(" "))
    .map((name) => `CONFIG_${name}=y\n`);
  const values = Object.entries(VALUES)
    .map(([name, value]) => `CONFIG_${name}=${value}\n`);
  return [...on, ...values].join("");
}

/**
 * The wanted options that a finished configuration does not have: the kernel's
 * build drops options whose conditions are not met, without a word.
 */
export function unmetOptions(wanted: string, finished: string): string[] {
  const lines = new Set(finished.split("\n"));
  return wanted.split("\n").filter((line) =>
    line !== "" && !line.endsWith("=n") && !lines.has(line)
  );
}
