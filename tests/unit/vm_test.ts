import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { HELP, parseArguments } from "../../src/vm/arguments.ts";
import { file, packCpio, symlink } from "../../src/vm/guest/cpio.ts";
import { architecture } from "../../src/vm/architectures.ts";
import { ExitCode, list, UsageError, VmError } from "../../src/vm/errors.ts";
import {
  commandScript,
  guestEnvironment,
  mountLines,
  quote,
} from "../../src/vm/guest/guest.ts";
import {
  joinLogs,
  parseKmsg,
  scanKernelLog,
} from "../../src/vm/guest/kernel_log.ts";
import {
  loadOrder,
  moduleName,
  parseModuleIndex,
} from "../../src/vm/guest/modules.ts";
import { missesModules } from "../../src/vm/main.ts";
import { run } from "../../src/vm/process.ts";
import { qemuArguments } from "../../src/vm/machine/qemu.ts";
import { readUntilMarker } from "../../src/vm/machine/stream.ts";
import { isStatic, missingPackagesMessage } from "../../src/vm/tools.ts";
import {
  chooseKernelPackages,
  compareVersions,
  parsePackages,
  suitesOf,
} from "../../src/vm/debian/versions.ts";
import { runInVm } from "../../src/vm/run.ts";

// Arguments

Deno.test("parseArguments() ends the options at the first word", () => {
  const { kernel, command } = parseArguments([
    ..."--kernel 6.1 ls --kernel 7.3 -- x".split(" "),
  ]);
  assertEquals(kernel, "6.1");
  assertEquals(command, ["ls", "--kernel", "7.3", "--", "x"]);
});

Deno.test("parseArguments() ends the options at two dashes", () => {
  const { command, verbose } = parseArguments(["--verbose", "--", "--odd"]);
  assertEquals(command, ["--odd"]);
  assertEquals(verbose, true);
});

Deno.test("parseArguments() keeps the command's arguments as they are", () => {
  const words = ["printf", "a b", "", "it's", "new\nline", "$HOME", "ü"];
  assertEquals(parseArguments(words).command, words);
});

Deno.test("parseArguments() collects repeated options", () => {
  const { env, shares, allowLog } = parseArguments([
    ..."--env A=1 --env=B=x=y --share /a --share /b --allow-log x.y true".split(
      " ",
    ),
  ]);
  assertEquals(env, { A: "1", B: "x=y" });
  assertEquals(shares, ["/a", "/b"]);
  assertEquals(allowLog, [/x.y/]);
});

Deno.test("parseArguments() understands sizes, seconds and lists", () => {
  const { memory, timeout, modules } = parseArguments([
    ..."--memory 4G --timeout 1.5 --modules usbmon,usb-storage true".split(" "),
  ]);
  assertEquals(memory, 4096);
  assertEquals(timeout, 1.5);
  assertEquals(modules, ["usbmon", "usb-storage"]);
});

Deno.test("parseArguments() needs no command with --prepare or --help", () => {
  assertEquals(parseArguments(["--prepare"]).prepare, true);
  assertEquals(parseArguments(["--help"]).help, true);
});

Deno.test("parseArguments() reports wrong arguments", () => {
  const cases: Record<string, string> = {
    "": "No command given: see --help",
    "--kernl 6.1 true": 'Unknown option "--kernl": see --help',
    "--kernel": 'Option "--kernel" needs a value',
    "--kernel= true": 'Option "--kernel" needs a value',
    "--speed warp true": 'Cannot use "warp" for --speed: choose "full", ' +
      '"high" or "super"',
    "--accel hvf true": 'Cannot use "hvf" for --accel',
    "--processors 3 true": 'Cannot use "3" for --processors',
    "--memory lots true": 'Cannot use "lots" for --memory',
    "--memory 1M true": "expected at least 128M",
    "--timeout soon true": 'Cannot use "soon" for --timeout',
    "--env NAME true": 'Cannot set variable "NAME": expected NAME=VALUE',
    "--env =x true": 'Cannot set variable "=x"',
    "--modules a;b true": 'Cannot load module "a;b"',
    "--allow-log ( true": 'Cannot use "(" for --allow-log',
  };
  for (const [line, message] of Object.entries(cases)) {
    const args = line === "" ? [] : line.split(" ");
    const error = assertThrows(() => parseArguments(args), UsageError, message);
    assertEquals(error.exitCode, ExitCode.Usage);
  }
});

Deno.test("every option is in the help text", () => {
  for (const name of ["kernel", "share", "timeout", "vmlinuz", "prepare"]) {
    assertStringIncludes(HELP, `--${name}`);
  }
});

// Kernel log

const WARNING_LOG = `
[    3.000000] usb usb1: Product: Dummy host controller
[    4.000000] ------------[ cut here ]------------
[    4.000001] WARNING: CPU: 1 PID: 77 at drivers/usb/gadget/udc/core.c:9 f+0x1
[    4.000002] Modules linked in: dummy_hcd
[    4.000003] Call Trace:
[    4.000004]  <TASK>
[    4.000005]  usb_ep_queue+0x1/0x2
[    4.000006]  </TASK>
[    4.000007] ---[ end trace 0000000000000000 ]---
[    5.000000] usb 1-1: new high-speed USB device number 2
`.trim().split("\n");

Deno.test("scanKernelLog() reports a WARNING with its lines", () => {
  const problems = scanKernelLog(WARNING_LOG);
  assertEquals(problems.length, 1);
  assertEquals(
    problems[0].title,
    "WARNING: CPU: 1 PID: 77 at drivers/usb/gadget/udc/core.c:9 f+0x1",
  );
  assertEquals(problems[0].lines, WARNING_LOG.slice(1, 9));
});

Deno.test("scanKernelLog() ignores an allowed WARNING", () => {
  assertEquals(scanKernelLog(WARNING_LOG, [/udc\/core\.c:9/]), []);
  assertEquals(scanKernelLog(WARNING_LOG, [/other/]).length, 1);
});

Deno.test("scanKernelLog() finds all kinds of complaints", () => {
  const lines = [
    "BUG: kernel NULL pointer dereference, address: 0000000000000008",
    "Oops: int3: 0000 [#1] SMP NOPTI",
    "general protection fault, probably for non-canonical address 0xdead",
    "BUG: KASAN: slab-use-after-free in ffs_epfile_io+0x1/0x2",
    "KFENCE: use-after-free read in f+0x1",
    "INFO: task deno:77 blocked for more than 60 seconds.",
    "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
    "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [deno:77]",
    "Kernel panic - not syncing: sysrq triggered crash",
    "refcount_t: underflow; use-after-free.",
    "list_add corruption. prev->next should be next",
    "WARNING: possible circular locking dependency detected",
    "UBSAN: array-index-out-of-bounds in f.c:1:2",
  ];
  for (const line of lines) {
    const problems = scanKernelLog([`[    1.000000] ${line}`]);
    assertEquals(problems.map(({ title }) => title), [line]);
  }
});

Deno.test("scanKernelLog() finds nothing in an ordinary log", () => {
  const lines = [
    "Warning: unused kernel parameter",
    "usb 1-1: device descriptor read/64, error -71",
    "debugfs: Directory 'x' with parent 'y' already present!",
    "DEBUG: fine",
    "dummy_hcd dummy_hcd.0: port status 0x00100503 has changes",
    'gadget-vm: process 7 in do_wait: grep "BUG: " log',
  ];
  assertEquals(
    scanKernelLog(lines.map((line) => `[    1.000000] ${line}`)),
    [],
  );
});

Deno.test("scanKernelLog() reports two complaints separately", () => {
  assertEquals(scanKernelLog([...WARNING_LOG, ...WARNING_LOG]).length, 2);
});

Deno.test("scanKernelLog() reports the last words of a kernel as one complaint", () => {
  const lines = [
    "[    1.310489] Oops: int3: 0000 [#1] SMP NOPTI",
    "[    1.316137] Call Trace:",
    "[    1.316691]  <TASK>",
    "[    1.317086]  update_rq_clock+0x39/0x160",
  ];
  const problems = scanKernelLog(lines);
  assertEquals(problems.map((problem) => problem.lines), [lines]);
});

Deno.test("parseKmsg() writes records as the console does", () => {
  const text = "6,339,5140900,-;NET: Registered\n SUBSYSTEM=net\n" +
    "4,340,61000000,-;a\\x0ab \\x5c\n6,341,7";
  assertEquals(parseKmsg(text), [
    "[    5.140900] NET: Registered",
    "[   61.000000] a",
    "[   61.000000] b \\",
  ]);
});

Deno.test("joinLogs() adds the lines that only the console has", () => {
  const console =
    "[    1.000000] known\r\n[    2.000000] last words\r\n[    1.0";
  assertEquals(joinLogs("6,1,1000000,-;known\n", console), [
    "[    1.000000] known",
    "[    2.000000] last words",
  ]);
});

// Packages

function available(...names: string[]) {
  return names.map((name) => ({ name, version: "1", size: 1 }));
}

Deno.test("chooseKernelPackages() takes the newest release of the series", () => {
  const chosen = chooseKernelPackages(
    "6.12",
    "amd64",
    available(
      "linux-image-6.12.9+deb12-amd64",
      "linux-image-6.12.90+deb12.1-amd64",
      "linux-image-6.12.90+deb12-amd64",
      "linux-image-6.1.0-50-amd64",
      "linux-image-6.13.1+deb12-amd64",
    ),
  );
  assertEquals(chosen?.release, "6.12.90+deb12.1-amd64");
});

Deno.test("chooseKernelPackages() excludes special builds", () => {
  const chosen = chooseKernelPackages(
    "6.1",
    "amd64",
    available(
      "linux-image-6.1.0-47-amd64",
      "linux-image-6.1.0-50-cloud-amd64",
      "linux-image-6.1.0-50-rt-amd64",
      "linux-image-6.1.0-50-amd64-dbg",
      "linux-image-amd64",
    ),
  );
  assertEquals(chosen?.release, "6.1.0-47-amd64");
});

Deno.test("chooseKernelPackages() takes all parts of a split kernel, signed ones first", () => {
  const chosen = chooseKernelPackages(
    "7.3",
    "amd64",
    available(
      "linux-binary-unsigned-7.3.4+deb13-amd64",
      "linux-binary-7.3.4+deb13-amd64",
      "linux-base-7.3.4+deb13-amd64",
      "linux-modules-7.3.4+deb13-amd64",
      "linux-modules-7.3.10+deb13-amd64", // its binary package is missing
    ),
  );
  assertEquals(chosen?.release, "7.3.4+deb13-amd64");
  assertEquals(chosen?.packages.map(({ name }) => name).sort(), [
    "linux-base-7.3.4+deb13-amd64",
    "linux-binary-7.3.4+deb13-amd64",
    "linux-modules-7.3.4+deb13-amd64",
  ]);
});

Deno.test("chooseKernelPackages() falls back to an unsigned kernel", () => {
  const name = "linux-image-6.12.95+deb12-amd64-unsigned";
  const chosen = chooseKernelPackages("6.12", "amd64", available(name));
  assertEquals(chosen?.release, "6.12.95+deb12-amd64");
  assertEquals(chosen?.packages.map((entry) => entry.name), [name]);
});

Deno.test("chooseKernelPackages() returns nothing if no package matches", () => {
  assertEquals(chooseKernelPackages("7.3", "amd64", []), undefined);
});

Deno.test("compareVersions() orders as Debian does", () => {
  const ordered = [
    "6.12.9~rc1-1",
    "6.12.9-1",
    "6.12.9-1+b1",
    "6.12.90+deb12-amd64",
    "6.12.90+deb12.1-amd64",
    "6.12.100-1",
    "7.3.4-1~bpo13+1",
    "7.3.4-1",
  ];
  assertEquals(ordered.toReversed().sort(compareVersions), ordered);
  assertEquals(compareVersions("1.0-1", "1.0-1"), 0);
});

Deno.test("parsePackages() reads the output of apt-cache", () => {
  const text = "Package: a\nVersion: 1.0-1\nSize: 42\nDescription: x\n y\n\n" +
    "Package: b\nVersion: 2\n";
  assertEquals(parsePackages(text), [
    { name: "a", version: "1.0-1", size: 42 },
    { name: "b", version: "2", size: 0 },
  ]);
});

// Modules

Deno.test("loadOrder() puts dependencies before a module", () => {
  const index = parseModuleIndex(
    "fs/9p/9p.ko.xz: net/9p/9pnet.ko.xz fs/netfs/netfs.ko.xz\n" +
      "net/9p/9pnet.ko.xz: fs/netfs/netfs.ko.xz\n" +
      "fs/netfs/netfs.ko.xz:\n",
    "drivers/virtio/virtio_pci.ko\n",
  );
  assertEquals(loadOrder(index, ["virtio_pci", "9p"]), [
    "fs/netfs/netfs.ko.xz",
    "net/9p/9pnet.ko.xz",
    "fs/9p/9p.ko.xz",
  ]);
  assertThrows(
    () => loadOrder(index, ["nosuch"]),
    VmError,
    'Cannot find module "nosuch" in this kernel',
  );
});

Deno.test("moduleName() writes names as lsmod does", () => {
  assertEquals(moduleName("drivers/usb-storage.ko.xz"), "usb_storage");
  assertEquals(moduleName("dummy_hcd.ko"), "dummy_hcd");
});

// Guest

Deno.test("commandScript() passes any argument unchanged", async () => {
  const command = [
    "printf",
    "%s|",
    "a b",
    "it's",
    "new\nline",
    "$HOME",
    "",
    "*",
  ];
  const script = commandScript({
    command,
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", "A.B": "'" },
  });
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] })
    .output();
  assertEquals(
    new TextDecoder().decode(stdout),
    command.slice(2).map((word) => `${word}|`).join(""),
  );
});

Deno.test("quote() protects quotes", () => {
  assertEquals(quote("it's"), `'it'\\''s'`);
});

Deno.test("guestEnvironment() passes few variables, and finds Deno and its cache", () => {
  const env = guestEnvironment(
    { HOME: "/home/me", PATH: "/usr/bin:/opt/bin", CI: "true", SECRET: "x" },
    "/opt/deno/deno",
  );
  assert(env.PATH.startsWith("/opt/deno:/usr/bin:/opt/bin:"));
  assertEquals(env.DENO_DIR, "/home/me/.cache/deno");
  assertEquals(env.CI, "true");
  assertEquals(env.SECRET, undefined);
  // The cache is ordered by the addresses of the registries.
  const registries = {
    JSR_URL: "https://jsr.example",
    NPM_CONFIG_REGISTRY: "https://npm.example",
  };
  const inherited = guestEnvironment(registries, "/opt/deno/deno");
  assertEquals(inherited.JSR_URL, registries.JSR_URL);
  assertEquals(inherited.NPM_CONFIG_REGISTRY, registries.NPM_CONFIG_REGISTRY);
});

Deno.test("mountLines() mounts again what a new mount would hide", () => {
  const lines = mountLines({
    cwd: "/tmp/check out/tests",
    env: { HOME: "/root", PATH: "/usr/bin:/bin", DENO_DIR: "/tmp/cache" },
    shares: ["/srv/results"],
    release: "7.3.4-amd64",
    modulesDir: "/var/cache/modules",
  });
  assertEquals(lines, [
    "tmpfs /tmp mode=1777",
    "tmpfs /run mode=755",
    "layer /tmp/check\\040out /tmp/check\\040out",
    "layer /tmp/cache /tmp/cache",
    "layer /lib/modules/7.3.4-amd64 /var/cache/modules",
    "share /srv/results share0",
  ]);
});

Deno.test("a guest of another architecture does not use the host's programs", () => {
  const env = guestEnvironment(
    { HOME: "/home/me", PATH: "/opt/bin" },
    "/opt/deno-x64/deno",
    false,
  );
  assertEquals(env.PATH.split(":")[0], "/opt/deno");
  assertEquals(env.PATH.includes("/opt/bin"), false);
  const lines = mountLines({
    cwd: "/srv/project/tests",
    env,
    shares: ["/srv/results"],
    release: "7.3.4-arm64",
    modulesDir: "/var/cache/modules",
    foreign: {
      root: "/var/cache/root-arm64",
      denoFolder: "/var/cache/deno-arm64",
      folders: ["/srv/project", "/var/cache"],
    },
  });
  assertEquals(lines, [
    "tmpfs /tmp mode=1777",
    "tmpfs /run mode=755",
    "layer /srv/project /srv/project",
    "layer /var/cache /var/cache",
    "layer /home/me/.cache/deno /home/me/.cache/deno",
    "layer /opt/deno /var/cache/deno-arm64",
    "layer /lib/modules/7.3.4-arm64 /var/cache/modules",
    "share /srv/results share0",
  ]);
});

Deno.test("architecture() knows the kernel's and Debian's names", () => {
  assertEquals(architecture("arm64"), architecture("aarch64"));
  assertEquals(architecture("amd64"), architecture("x86_64"));
});

Deno.test("packCpio() writes archives that cpio can read", () => {
  const archive = packCpio([
    file("init", "hello", 0o755),
    symlink("sh", "busybox"),
  ]);
  const text = new TextDecoder().decode(archive);
  assertEquals(archive.length % 4, 0);
  assertEquals(text.slice(0, 6), "070701");
  assertEquals(text.slice(14, 22), (0o100755).toString(16).padStart(8, "0"));
  assertEquals(text.slice(110, 115), "init\0");
  assertEquals(text.slice(116, 121), "hello");
  assertStringIncludes(text, "busybox");
  assertStringIncludes(text, "TRAILER!!!\0");
});

Deno.test("qemuArguments() exports shares for writing and the rest read-only", () => {
  const args = qemuArguments({
    architecture: architecture("x86_64"),
    accelerator: "tcg",
    vmlinuz: "/k",
    initramfs: "/i",
    memory: 2048,
    processors: 1,
    shares: ["/a,b"],
  }, "/s");
  const exports = args.filter((_, index) => args[index - 1] === "-virtfs");
  assertEquals(args[args.indexOf("-smp") + 1], "1");
  assertEquals(exports.length, 2);
  assertStringIncludes(exports[0], "path=/,mount_tag=host");
  assertStringIncludes(exports[0], "readonly=on");
  assertStringIncludes(exports[1], "path=/a,,b,mount_tag=share0");
  assertEquals(exports[1].includes("readonly"), false);
});

Deno.test("qemuArguments() takes the interrupt controller of an arm64 machine with KVM", () => {
  const machineOf = (accelerator: "kvm" | "tcg") => {
    const args = qemuArguments({
      architecture: architecture("arm64"),
      accelerator,
      vmlinuz: "/k",
      initramfs: "/i",
      memory: 2048,
      processors: 2,
      shares: [],
    }, "/s");
    return args[args.indexOf("-machine") + 1];
  };
  assertEquals(machineOf("kvm"), "virt,gic-version=host");
  assertEquals(machineOf("tcg"), "virt");
});

// Streams

async function split(chunks: string[]): Promise<[string, boolean]> {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let text = "";
  const ended = await readUntilMarker(
    ReadableStream.from(chunks.map((chunk) => encoder.encode(chunk))),
    encoder.encode("<END>"),
    (chunk) => void (text += decoder.decode(chunk)),
  );
  return [text, ended];
}

Deno.test("readUntilMarker() forwards what precedes the marker", async () => {
  assertEquals(await split(["a<b<END>"]), ["a<b", true]);
  assertEquals(await split(["a<", "E", "ND>ignored"]), ["a", true]);
  assertEquals(await split(["<E<E", "ND>"]), ["<E", true]);
  assertEquals(await split(["<END>"]), ["", true]);
});

Deno.test("readUntilMarker() forwards everything if the VM ends without the marker", async () => {
  assertEquals(await split(["a", "<EN"]), ["a<EN", false]);
});

// Messages

Deno.test("suitesOf() lists the known kernels for an unknown one", () => {
  assertThrows(
    () => suitesOf("5.10"),
    UsageError,
    'Cannot boot kernel "5.10": known are "7.3", "6.12" and "6.1"',
  );
});

Deno.test("missing packages are named with the command that installs them", () => {
  assertEquals(
    missingPackagesMessage(["qemu-system-x86", "kmod"], "not root"),
    'Cannot start a VM without "qemu-system-x86" and "kmod": run ' +
      '"sudo apt-get install --no-install-recommends qemu-system-x86 kmod"',
  );
  assertStringIncludes(
    missingPackagesMessage(["kmod"], "no apt"),
    "--vmlinuz FILE --modules-dir DIR",
  );
});

Deno.test("missesModules() recognizes what Deno prints without a network", () => {
  for (
    const text of [
      "error: Import 'https://host.example/mod.ts' failed.\n    0: error sending request for url (https://host.example/mod.ts)",
      "error: JSR package manifest for '@std/x' failed to load. Import 'https://host.example/@std/x/meta.json' failed.",
      'error: Failed loading https://host.example/x for package "x"\n    0: error sending request for url (https://host.example/x): client error (Connect): dns error: failed to lookup address information',
    ]
  ) assert(missesModules(text), text);
  assertEquals(missesModules("error: Uncaught Error: failed"), false);
});

Deno.test("run() names a program that is missing", async () => {
  await assertRejects(
    () => run("no-such-program", [], { action: "unpack a module" }),
    VmError,
    'Cannot unpack a module: program "no-such-program" is missing',
  );
});

Deno.test("list() joins values as in a sentence", () => {
  assertEquals(list(["a"]), '"a"');
  assertEquals(list(["a", "b", "c"], "or"), '"a", "b" or "c"');
});

Deno.test("isStatic() is false for dynamically linked programs", async () => {
  assertEquals(await isStatic(Deno.execPath()), false);
});

Deno.test("runInVm() rejects impossible requests before it boots", async () => {
  await assertRejects(
    () => runInVm({ command: ["true"], cwd: "/does/not/exist" }),
    UsageError,
    'Cannot start in "/does/not/exist": it is not a folder of this machine',
  );
  await assertRejects(
    () => runInVm({ command: ["true"], memory: 1e9 }),
    VmError,
    "ask for less with --memory",
  );
  await assertRejects(
    // Also on a machine with too little memory.
    () => runInVm({ command: ["true"], arch: "vax", memory: 1e9 }),
    UsageError,
    'Cannot emulate architecture "vax": known are "x86_64", "amd64", "aarch64" and "arm64"',
  );
});
