import { assertEquals, assertStringIncludes } from "@std/assert";

const root = new URL("../../", import.meta.url);

/** Where a command of the pages is run, and by what words; or why it is not. */
type Proof = { readonly test: string; readonly words: string } | string;

const VM_IN_EVERY_TEST =
  "each kernel test runs in that VM, started by its code";
const REGISTRY = "there is no registry in the tests";
const SYSTEM = "it belongs to another program of the system";

const COMMANDS: Readonly<Record<string, Proof>> = {
  "deno add jsr:@usb/gadget": REGISTRY,
  'sudo "$(command -v deno)" run --allow-ffi echo.ts': "the shell's own work",
  "sudo deno run --allow-ffi examples/echo.ts": {
    test: "kernel/echo_test.ts",
    words: 'startExample("echo.ts")',
  },
  "npx --yes deno@2.9.6 task demo": "it is the demo: run by hand",
  "npx --yes deno@2.9.6 task test": "CI runs it, and with it this test",
  "deno compile --allow-ffi --target aarch64-unknown-linux-gnu echo.ts": {
    test: "unit/package_test.ts",
    words: '"compile"',
  },
  "deno compile --allow-ffi --target aarch64-unknown-linux-gnu --output usb-echo echo.ts":
    { test: "unit/package_test.ts", words: '"compile"' },
  "sudo deno run --allow-ffi jsr:@usb/gadget/cli doctor": {
    test: "kernel/gadget_doctor_test.ts",
    words: 'runCli("doctor")',
  },
  "sudo deno run --allow-ffi jsr:@usb/gadget/cli watch": {
    test: "kernel/cli_watch_test.ts",
    words: "startWatch()",
  },
  "sudo deno run --allow-ffi jsr:@usb/gadget/cli share --address 192.0.2.1": {
    test: "kernel/usbip_test.ts",
    words: 'startCli("share"',
  },
  "sudo deno install --global --root /usr/local --name usb-gadget --allow-ffi --allow-read jsr:@usb/gadget/cli":
    REGISTRY,
  "usb-gadget completion | sudo tee /etc/bash_completion.d/usb-gadget": {
    test: "unit/cli_file_test.ts",
    words: "completionScript(",
  },
  "usb-gadget unit /etc/board.toml | sudo tee /etc/systemd/system/board.service":
    { test: "unit/cli_file_test.ts", words: "formatUnit(" },
  "sudo systemctl enable --now board.service": SYSTEM,
  "dfu-util -D firmware.bin": {
    test: "kernel/dfu_util_test.ts",
    words: "bench.download(",
  },
  "dfu-util -U firmware.bin": {
    test: "kernel/dfu_util_test.ts",
    words: "bench.upload(",
  },
  "dfu-util -s 0x08000000:leave -D firmware.bin": {
    test: "kernel/dfu_dfuse_test.ts",
    words: '"-s", "0x08000000:leave"',
  },
  "dfu-util -s 0x08000000:4096 -U first_page.bin": {
    test: "kernel/dfu_dfuse_test.ts",
    words: "bench.upload(",
  },
  "sudo modprobe g_ffs functions=mtp,hid idVendor=0x1209 idProduct=0x0001": {
    test: "kernel/mtp_legacy_test.ts",
    words: "modprobe g_ffs",
  },
  "sudo modprobe usbip-vudc": {
    test: "support/host/usbip.ts",
    words: "modprobe usbip-vudc",
  },
  "sudo modprobe vhci-hcd": {
    test: "support/host/usbip.ts",
    words: "modprobe vhci-hcd",
  },
  "sudo usbip attach -r 127.0.0.1 -b usbip-vudc.0": {
    test: "support/host/usbip.ts",
    words: '"attach", "-r", "127.0.0.1"',
  },
  "ssh -N -L 3240:127.0.0.1:3240 lab.example &": SYSTEM,
  "sudo deno run --allow-ffi examples/handoff.ts": {
    test: "kernel/pair_handoff_test.ts",
    words: "handoff.ts",
  },
  "sudo cat /dev/handoff/ep1_rw": {
    test: "kernel/pair_handoff_test.ts",
    words: 'startServer("cat"',
  },
  "sudo dd if=data of=/dev/handoff/ep1_rw bs=64k conv=notrunc": {
    test: "kernel/pair_handoff_test.ts",
    words: '"dd"',
  },
  "sudo apt-get install --no-install-recommends qemu-system-x86 busybox-static kmod xz-utils":
    "the tasks do it on a machine that lacks them",
  "deno run --allow-all jsr:@usb/gadget/vm -- deno run --allow-ffi gadget.ts":
    VM_IN_EVERY_TEST,
  "deno run --allow-all jsr:@usb/gadget/vm --vmlinuz arch/x86/boot/bzImage --modules-dir /tmp/out/lib/modules/7.4.0 -- uname -r":
    { test: "unit/vm_test.ts", words: 'vmlinuz: "/k"' },
  "deno run --allow-all jsr:@usb/gadget/vm --prepare --kernel 6.12":
    VM_IN_EVERY_TEST,
};

/** The commands in the blocks of the pages that are for a shell. */
async function documented(): Promise<Set<string>> {
  const pages = [new URL("README.md", root)];
  for await (const { name } of Deno.readDir(new URL("docs/", root))) {
    if (name.endsWith(".md")) pages.push(new URL(`docs/${name}`, root));
  }
  const commands = new Set<string>();
  for (const page of pages) {
    const text = await Deno.readTextFile(page);
    for (const [, block] of text.matchAll(/^```sh\n([^]*?)^```/gm)) {
      const lines = block.replaceAll(/\\\n\s*/g, "").split("\n");
      for (const line of lines) {
        const command = line.replace(/\s+#.*$/, "").trim();
        if (command !== "") commands.add(command);
      }
    }
  }
  return commands;
}

Deno.test("each command of the README and the pages is run by a test, or has a reason", async () => {
  assertEquals(
    [...await documented()].sort(),
    Object.keys(COMMANDS).sort(),
  );
  for (const [command, proof] of Object.entries(COMMANDS)) {
    if (typeof proof === "string") continue;
    const { test, words } = proof;
    const source = await Deno.readTextFile(new URL(`tests/${test}`, root));
    assertStringIncludes(source, words, command);
  }
});
