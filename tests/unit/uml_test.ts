import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseBed } from "../../bench/beds.ts";
import { costTable, parseCosts } from "../../bench/calibrate.ts";
import { checkMachine, missingToolsMessage } from "../../bench/uml/kernel.ts";
import { kernelConfig, unmetOptions } from "../../bench/uml/kernel_config.ts";
import {
  kernelParameters,
  lastProcessor,
  memoryFolder,
  umlCommand,
} from "../../bench/uml/machine.ts";
import { reportAll } from "../../bench/report.ts";
import type { Results } from "../../bench/results.ts";
import { EDITS } from "../../bench/uml/source_edits.ts";
import { UsageError, VmError } from "../../src/vm/errors.ts";
import { mountLines } from "../../src/vm/guest/guest.ts";

/** The shape of the functions that are edited. */
const VDSO = `#include <linux/time.h>

int __vdso_clock_gettime(clockid_t clock, struct __kernel_timespec *ts)
{
	long ret;

	return ret;
}

int __vdso_gettimeofday(struct __kernel_old_timeval *tv, struct timezone *tz)
{
	long ret;

	return ret;
}
`;

const VMA = `#include <linux/mm.h>

static struct page *um_vdso;

static int __init init_vdso(void)
{
	BUG_ON(vdso_end - vdso_start > PAGE_SIZE);
	return 0;
}

int arch_setup_additional_pages(struct linux_binprm *bprm, int uses_interp)
{
	return 0;
}
`;

function apply(name: string, source: string): string {
  return EDITS.find(({ file }) => file.endsWith(name))!.apply(source);
}

/** Each line of the source that is not in the edited one. */
function lost(source: string, edited: string): string[] {
  const lines = new Set(edited.split("\n"));
  return source.split("\n").filter((line) => !lines.has(line));
}

Deno.test("the edits let programs read the clock first, and ask the kernel else", () => {
  const edited = apply("um_vdso.c", VDSO);
  assertEquals(lost(VDSO, edited), []);
  for (const name of ["clock_gettime", "gettimeofday"]) {
    const [, body] = edited.split(`int __vdso_${name}(`);
    assert(body.indexOf("read_clock(") < body.indexOf("return ret;"), name);
  }
});

Deno.test("the edits keep a place for the clock behind the vDSO", () => {
  const edited = apply("vma.c", VMA);
  assertEquals(lost(VMA, edited), [
    "	BUG_ON(vdso_end - vdso_start > PAGE_SIZE);",
  ]);
  assert(edited.includes("late_initcall(set_clock);"));
  const clock = /^struct counter_clock \{[^}]*\};/m;
  assertEquals(
    clock.exec(edited)![0],
    clock.exec(apply("um_vdso.c", VDSO))![0],
  );
});

Deno.test("the edits turn on what USB needs without a PCI bus", () => {
  const edited = apply("Kconfig", "endmenu\n");
  assert(edited.startsWith("endmenu\n\nconfig USB_WITHOUT_PCI\n"), edited);
});

Deno.test("the edits refuse unexpected source", () => {
  assertThrows(
    () => apply("um_vdso.c", VDSO.replaceAll("long ret", "int ret")),
    VmError,
    'Cannot edit "um_vdso.c": it has 0 in place of 1 matches',
  );
  assertThrows(
    () => apply("vma.c", VMA.replaceAll("PAGE_SIZE", "SIZE")),
    VmError,
    'Cannot edit "vma.c"',
  );
});

Deno.test("kernelConfig() sets each option once, and unmetOptions() finds those that the kernel dropped", () => {
  const config = kernelConfig();
  const names = config.trim().split("\n").map((line) => {
    assert(/^CONFIG_[A-Z0-9_]+=\S+$/.test(line), line);
    return line.split("=")[0];
  });
  assertEquals(names.length, new Set(names).size);
  const finished = config.replace("CONFIG_STATIC_LINK=n\n", "");
  assertEquals(unmetOptions(config, finished), []);
  assertEquals(
    unmetOptions(config, finished.replace("CONFIG_AIO=y\n", "")),
    ["CONFIG_AIO=y"],
  );
});

const MACHINE = {
  program: "/cache/linux",
  folder: "/tmp/run",
  memory: 2048,
  hcd: "is_super_speed=1 num=8",
  processor: 1,
};

Deno.test("umlCommand() pins to one processor, and ends with what started it", () => {
  const [shell, option, script, name, ...rest] = umlCommand(MACHINE);
  assertEquals([shell, option, name], ["sh", "-c", "sh"]);
  assertEquals(
    rest.join(" ").split(" mem=")[0],
    "/tmp/run/console setpriv --pdeathsig KILL taskset --cpu-list 1 /cache/linux",
  );
  assert(script.includes("3>&1 4>&2"), script);
});

Deno.test("kernelParameters() has one virtual processor, and system calls by seccomp", () => {
  const words = kernelParameters(MACHINE);
  for (
    const word of [
      "mem=2048M",
      "ncpus=1",
      "seccomp=on",
      "con1=null,fd:3",
      "con2=null,fd:4",
      "dummy_hcd.is_super_speed=1",
      "dummy_hcd.num=8",
      "RUN=/tmp/run",
    ]
  ) assert(words.includes(word), word);
  // What follows is for the first process.
  assertEquals(words.slice(-3), ["init=/bin/sh", "--", "/tmp/run/init.sh"]);
});

Deno.test("lastProcessor() reads the kernel's list of processors", () => {
  assertEquals(["0\n", "0-3\n", "0-1,4,6-7", "2,5"].map(lastProcessor), [
    0,
    3,
    7,
    5,
  ]);
});

Deno.test("memoryFolder() takes /dev/shm if the guest's memory fits and runs there", () => {
  const mounts = (options: string) =>
    `proc /proc proc rw 0 0\ntmpfs /dev/shm tmpfs ${options} 0 0\n`;
  const choose = (text: string, free: number) =>
    memoryFolder(text, free, 2048, "/tmp/run");
  assertEquals(choose(mounts("rw,nosuid"), 4096), "/dev/shm");
  assertEquals(choose(mounts("rw,nosuid"), 64), "/tmp/run");
  assertEquals(choose(mounts("rw,nosuid,noexec"), 4096), "/tmp/run");
  assertEquals(choose("proc /proc proc rw 0 0\n", 4096), "/tmp/run");
});

Deno.test("User Mode Linux is refused where it cannot be built, with what to do", () => {
  checkMachine({ os: "linux", arch: "x86_64" });
  assertThrows(
    () => checkMachine({ os: "linux", arch: "aarch64" }),
    UsageError,
    'Cannot use bed "uml" on linux with architecture "aarch64": User Mode Linux needs linux with "x86_64"; use --bed qemu',
  );
  assertEquals(
    missingToolsMessage(["gcc", "flex"], "not root"),
    'Cannot build User Mode Linux without "gcc" and "flex": run "sudo apt-get install --no-install-recommends gcc libc6-dev flex"',
  );
  assertEquals(
    missingToolsMessage(["flex"], "no apt"),
    'Cannot build User Mode Linux without "flex" and "apt-get", which fetches the kernel\'s source: use a Debian or Ubuntu system, or --bed qemu',
  );
});

Deno.test("parseBed() accepts only known beds", () => {
  assertEquals(parseBed("uml"), "uml");
  assertThrows(
    () => parseBed("kvm"),
    UsageError,
    'Cannot use "kvm" for --bed: choose "qemu" or "uml"',
  );
});

Deno.test("a kernel without modules has no folder for them", () => {
  assertEquals(
    mountLines({ cwd: "/srv", env: { HOME: "/root" }, shares: [] }),
    ["tmpfs /tmp mode=1777", "tmpfs /run mode=755"],
  );
});

Deno.test("costTable() compares the costs in each place with the first", () => {
  const costs = (call: number, fault: number) =>
    parseCosts(`system call: ${call}\npage fault: ${fault}\nnoise\n`);
  assertEquals(
    costTable(
      new Map([["natively", costs(0.137, 2)], ["uml", costs(9, 24)]]),
    ),
    `
| microseconds | natively |        uml |
| ------------ | -------: | ---------: |
| system call  |     0.14 | 9.0 (x 66) |
| page fault   |      2.0 |  24 (x 12) |`.slice(1),
  );
});

Deno.test("reportAll() has a part for each bed that was measured, with what it distorts", () => {
  const results = (accel: string): Results => ({
    machine: "a machine",
    kernel: "7.3.4",
    accel,
    rounds: 5,
    cells: [],
    start: [],
  });
  const titles = (text: string) =>
    [...text.matchAll(/^## .*$|^Linux .*$/gm)].map(([line]) => line);
  const qemu = [
    "## QEMU",
    "Linux 7.3.4, emulation (QEMU, TCG), a machine; medians of 5 rounds",
  ];
  assertEquals(titles(reportAll({ qemu: results("tcg") })), qemu);
  assertEquals(
    titles(reportAll({ qemu: results("tcg"), uml: results("uml") })),
    [
      "## User Mode Linux",
      "Linux 7.3.4, User Mode Linux, a machine; medians of 5 rounds",
      ...qemu,
    ],
  );
});
