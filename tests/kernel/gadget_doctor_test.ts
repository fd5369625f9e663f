/**
 * What the command line tool and the library say on a machine without gadget
 * support, on one whose modules are not loaded, and on one that is complete
 * because their advice was followed.
 *
 * @module
 */
// VM: --hcd none, any speed, any architecture
import "../support/run/aio_libraries.ts";
import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { bulkPair, FunctionFs, Gadget, usbFunction } from "@usb/gadget";
import { openAio } from "../../ffi/aio/calls.ts";
import { runCli } from "../support/programs/cli.ts";
import { asNobody } from "../support/machine/unprivileged.ts";
import { shell } from "../support/machine/shell.ts";
import { assertDocumented } from "../support/troubleshooting.ts";

const release = Deno.osRelease();
const [major, minor] = release.split(".").map(Number);
const libaio = openAio().library;

const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});

function start(): Promise<Gadget> {
  return Gadget.start({ vendorId: 1, productId: 1, functions: [echo] });
}

/** Hides the modules: as far as they are not loaded, this kernel has none. */
async function withoutModules(work: () => Promise<void>): Promise<void> {
  await shell(`
    mount -t tmpfs none /lib/modules
    mkdir /lib/modules/${release}
    touch /lib/modules/${release}/modules.dep`);
  try {
    await work();
  } finally {
    await shell("umount /lib/modules");
  }
}

/** The machine's name for what `since` brought. */
function feature(name: string, ...since: [number, number]): string {
  const [a, b] = since;
  return major > a || major === a && minor >= b
    ? `ok      ${name}: yes`
    : `note    ${name}: no, needs Linux ${a}.${b}`;
}

Deno.test("doctor on a machine without gadget support names what its kernel lacks", async () => {
  await withoutModules(async () => {
    const { code, text } = await asNobody(() => runCli("doctor"));
    assertEquals(
      text,
      `ok      kernel: Linux ${release}
MISSING permissions: not root
        -> gadgets need root: run it with sudo, in a container also with --privileged
note    options: unknown: neither /boot/config-${release} nor /proc/config.gz can be read
MISSING configfs: not in the running kernel
        -> this kernel (${release}) has no module "configfs"; use one that is built with CONFIG_CONFIGFS_FS
MISSING gadgets: libcomposite is not loaded
        -> this kernel (${release}) has no module "libcomposite"; use one that is built with CONFIG_USB_CONFIGFS
MISSING FunctionFS: the kernel does not have usb_f_fs
        -> this kernel (${release}) has no module "usb_f_fs"; use one that is built with CONFIG_USB_CONFIGFS_F_FS
MISSING controller: no USB device controller
        -> use a board that has one, and load its driver (dwc2, dwc3, musb_hdrc, ...)
ok      libaio: ${libaio}

Gadgets do not work on this machine: 5 things are missing.
`,
    );
    assertEquals(code, 1);
    await assertRejects(
      start,
      Deno.errors.NotFound,
      `Cannot make gadgets: the kernel's configfs is not loaded: /sys/kernel/config: this kernel (${release}) has no module "libcomposite"; use one that is built with CONFIG_USB_CONFIGFS`,
    );
    // As in a container.
    await shell(`rm /lib/modules/${release}/modules.dep`);
    await assertRejects(
      start,
      Deno.errors.NotFound,
      `load it with "sudo modprobe libcomposite", outside of the container if this is one; whether this kernel (${release}) has the module cannot be seen here, /lib/modules/${release} has no list of modules`,
    );
    for (const path of ["/run/nothing", "/run"]) {
      const error = assertThrows(
        () => FunctionFs.open(echo, path),
        Deno.errors.NotFound,
      );
      assertStringIncludes(
        error.message,
        'the kernel has not loaded FunctionFS; "sudo modprobe usb_f_fs" loads it',
      );
    }
  });
});

Deno.test("doctor on a machine whose modules are not loaded names the commands that load them", async () => {
  const { code, text } = await runCli("doctor");
  assertEquals(
    text,
    `ok      kernel: Linux ${release}
ok      permissions: root
note    options: unknown: neither /boot/config-${release} nor /proc/config.gz can be read
MISSING configfs: not in the running kernel
        -> load it with "sudo modprobe configfs"
MISSING gadgets: libcomposite is not loaded
        -> load it with "sudo modprobe libcomposite"
ok      FunctionFS: the kernel loads usb_f_fs on use
MISSING controller: no USB device controller
        -> load the driver of the board's controller, or a virtual one: "sudo modprobe dummy_hcd is_super_speed=1"
ok      libaio: ${libaio}

Gadgets do not work on this machine: 3 things are missing.
`,
  );
  assertEquals(code, 1);
  const missing = await assertRejects(
    start,
    Deno.errors.NotFound,
    'Cannot make gadgets: the kernel\'s configfs is not loaded: /sys/kernel/config: load it with "sudo modprobe libcomposite"',
  );
  await assertDocumented("No configfs", missing.message);
  await shell("modprobe configfs");
  await assertRejects(
    start,
    Deno.errors.NotFound,
    'Cannot make gadgets: the kernel\'s gadget support is not loaded: /sys/kernel/config/usb_gadget: load it with "sudo modprobe libcomposite"',
  );
});

Deno.test("a function without a driver and a machine without a controller are reported with the remedy", async () => {
  await shell("modprobe libcomposite");
  await withoutModules(async () => {
    const error = await assertRejects(start, Deno.errors.NotFound);
    assertEquals(
      error.message.replace(/usb_gadget\/[^:]*/, "PATH"),
      `Cannot make function of type "ffs": No such file or directory (os error 2): /sys/kernel/config/PATH: the kernel has no driver for it: this kernel (${release}) has no module "usb_f_fs"; use one that is built with CONFIG_USB_CONFIGFS_F_FS`,
    );
  });
  const error = await assertRejects(start, Deno.errors.NotFound);
  assertEquals(
    error.message.replace(/"usb-gadget.*?"/, "GADGET"),
    'Cannot bind gadget GADGET: this machine has no USB device controller, or its driver is not loaded: load the driver of the board\'s controller, or a virtual one: "sudo modprobe dummy_hcd is_super_speed=1"',
  );
  await assertDocumented("No controller", error.message);
});

Deno.test("gadgets work after the doctor's advice is followed", async () => {
  // Once more from the beginning.
  await shell("umount /sys/kernel/config; modprobe -r usb_f_fs libcomposite");
  const followed: string[] = [];
  for (;;) {
    const { code, text } = await runCli("doctor", "--json");
    const findings = JSON.parse(text) as { state: string; remedy?: string }[];
    const lacking = findings.find(({ state }) => state === "missing");
    assertEquals(code, lacking === undefined ? 0 : 1);
    if (lacking === undefined) break;
    const command = /"sudo (.+)"/.exec(lacking.remedy ?? "")?.[1] ?? "false";
    await shell(command);
    followed.push(command);
  }
  assertEquals(followed, [
    "modprobe libcomposite",
    "modprobe dummy_hcd is_super_speed=1",
  ]);
  const { code, text } = await runCli("doctor");
  assertEquals(
    text,
    `ok      kernel: Linux ${release}
ok      permissions: root
note    options: unknown: neither /boot/config-${release} nor /proc/config.gz can be read
ok      configfs: mounted on /sys/kernel/config
ok      gadgets: libcomposite is loaded
ok      FunctionFS: usb_f_fs is loaded
ok      controller: dummy_udc.0 (dummy_udc), super-speed, free; no scatter-gather, so no DMABUF
ok      libaio: ${libaio}
${feature("epN_rw files", 7, 3)}
${feature("automatic zero-length packets", 7, 3)}
${feature("DMABUF", 6, 9)}

Gadgets work on this machine.
`,
  );
  assertEquals(code, 0);
  await using gadget = await start();
  await gadget.functions.echo.enabled();
});

Deno.test("a user without rights reads what to do", async () => {
  const error = await assertRejects(
    () => asNobody(start),
    Deno.errors.PermissionDenied,
  );
  assertEquals(
    error.message.replaceAll(/usb-gadget\.\d+\.\d+/g, "NAME"),
    'Cannot claim gadget "NAME": Permission denied (os error 13): /run/usb-gadget/NAME=owner: gadgets need root: run it with sudo, in a container also with --privileged',
  );
  await assertDocumented("Not root", error.message);
});
