import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { examine, formatFindings, type Machine } from "../../src/cli/doctor.ts";
import {
  type Environment,
  findEnvironment,
} from "../../src/cli/environment.ts";
import { parseOptions } from "../../src/cli/kernel_options.ts";

const root = new URL("../../", import.meta.url);

async function cli(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--allow-ffi",
      "--import-map=tests/import_map.json",
      "cli.ts",
      ...args,
    ],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

const bare: Machine = {
  release: "6.12.1",
  environment: undefined,
  options: new Map([["CONFIG_USB_CONFIGFS", "n"]]),
  root: false,
  configfs: undefined,
  gadgets: false,
  moduleState: () => "missing",
  moduleRemedy: (name) => `get ${name}`,
  udcs: [],
  aio: "syscall",
  leftovers: [],
  probe: () => {
    throw new Error("Cannot probe");
  },
};

/** A machine that has everything, and whatever of it another test needs. */
const complete: Machine = {
  ...bare,
  root: true,
  options: new Map([["CONFIG_A", "y"], ["CONFIG_B", "m"]]),
  configfs: "/sys/kernel/config",
  gadgets: true,
  moduleState: () => "loaded",
  udcs: [{
    name: "dummy_udc.0",
    driver: "g1",
    state: "configured",
    maximumSpeed: "super-speed",
    controllerDriver: "dummy_udc",
  }],
  aio: "libaio.so.1",
  leftovers: ["old"],
  probe: () => ({ rwProxy: true, zlp: true, dmabuf: false }),
};

Deno.test("doctor reports what a machine without gadget support lacks", () => {
  assertEquals(
    formatFindings(examine(bare)),
    `ok      kernel: Linux 6.12.1
MISSING permissions: not root
        -> gadgets need root: run it with sudo, in a container also with --privileged
MISSING options: CONFIG_USB_CONFIGFS=n
        -> use a kernel that is built with CONFIG_USB_CONFIGFS
MISSING configfs: not in the running kernel
        -> get configfs
MISSING gadgets: libcomposite is not loaded
        -> get libcomposite
MISSING FunctionFS: the kernel does not have usb_f_fs
        -> get usb_f_fs
MISSING controller: no USB device controller
        -> use a board that has one, and load its driver (dwc2, dwc3, musb_hdrc, ...)
note    libaio: not installed; system calls are used instead

Gadgets do not work on this machine: 6 things are missing.`,
  );
});

Deno.test("doctor reports the features of a complete machine", () => {
  assertEquals(
    formatFindings(examine(complete)),
    `ok      kernel: Linux 6.12.1
ok      permissions: root
ok      options: CONFIG_A=y, CONFIG_B=m
ok      configfs: mounted on /sys/kernel/config
ok      gadgets: libcomposite is loaded
ok      FunctionFS: usb_f_fs is loaded
ok      controller: dummy_udc.0 (dummy_udc), super-speed, taken by g1, configured; no scatter-gather, so no DMABUF
ok      libaio: libaio.so.1
note    leftovers: gadgets of processes that have ended: old
        -> remove them with "clean"
ok      epN_rw files: yes
ok      automatic zero-length packets: yes
note    DMABUF: no, needs Linux 6.9

Gadgets work on this machine.`,
  );
});

Deno.test("doctor knows containers and WSL", () => {
  const system = (files: Record<string, string>) => ({
    exists: (path: string) => Object.hasOwn(files, path),
    read: (path: string) => files[path],
    link: (path: string) => files[path],
  });
  const cases = [
    ["6.12.1", {}, undefined],
    ["6.12.1", { "/.dockerenv": "" }, "docker"],
    [
      "6.12.1",
      { "/.dockerenv": "", "/proc/self/ns/pid": "pid:[4026531836]" },
      undefined,
    ],
    [
      "6.12.1",
      { "/.dockerenv": "", "/proc/self/ns/pid": "pid:[4026532201]" },
      "docker",
    ],
    ["6.12.1", { "/run/.containerenv": "", "/.dockerenv": "" }, "podman"],
    ["6.12.1", { "/proc/1/environ": "TERM=linux\0container=lxc\0" }, "lxc"],
    ["6.12.1", { "/proc/1/environ": "notcontainer=lxc" }, undefined],
    [
      "6.12.1",
      { "/run/systemd/container": "systemd-nspawn" },
      "systemd-nspawn",
    ],
    ["6.6.87-microsoft-standard-WSL2", {}, "WSL"],
    ["6.6.87-microsoft-standard-WSL2", { "/.dockerenv": "" }, "docker"],
    [
      "6.6.87-microsoft-standard-WSL2",
      { "/run/systemd/container": "wsl" },
      "WSL",
    ],
  ] as const;
  for (const [release, files, expected] of cases) {
    const found = findEnvironment(release, system(files));
    assertEquals(found?.manager ?? found?.kind, expected);
  }
  const texts = [{ kind: "container", manager: "docker" }, { kind: "WSL" }]
    .map((it) => {
      const environment = it as Environment;
      const [, finding] = examine({ ...complete, environment });
      assertEquals([finding.name, finding.state], ["environment", "note"]);
      return `${finding.text}: ${finding.remedy}`;
    });
  assertStringIncludes(texts[0], "a container (docker): gadgets need --priv");
  assertStringIncludes(texts[1], "WSL: if its kernel lacks something");
});

Deno.test("doctor reports a machine that seems complete and does not work", () => {
  const findings = examine({ ...complete, probe: bare.probe });
  assertEquals(findings.at(-1), {
    name: "gadgets",
    state: "missing",
    text: "Cannot probe",
  });
});

Deno.test("parseOptions() reads what the kernel was built with", () => {
  const text = "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=m\nCONFIG_D=4\n";
  assertEquals(
    [...parseOptions(text, ["CONFIG_A", "CONFIG_B", "CONFIG_C", "CONFIG_E"])],
    [["CONFIG_A", "y"], ["CONFIG_B", "n"], ["CONFIG_C", "m"], [
      "CONFIG_E",
      "n",
    ]],
  );
});

Deno.test("the command line works with --allow-ffi alone", async () => {
  const doctor = await cli("doctor", "--json");
  assertEquals(doctor.err, "");
  const findings = JSON.parse(doctor.out) as { name: string }[];
  assertEquals(findings[0].name, "kernel");
  const list = await cli("list", "--json");
  assertEquals([list.err, list.code], ["", 0]);
  assert(Array.isArray(JSON.parse(list.out)));
  const help = await cli("--help");
  assertEquals([help.err, help.code], ["", 0]);
  assertStringIncludes(help.out, "Usage:");
});

Deno.test("a wrong command line prints the help", async () => {
  for (const args of [[], ["nope"], ["list", "--nope"], ["list", "name"]]) {
    const { code, err } = await cli(...args);
    assertEquals(code, 2);
    assertStringIncludes(err, "Usage:");
  }
  const { code, err } = await cli("show", "nothing");
  assertEquals(code, 1);
  assertStringIncludes(err, 'Cannot find gadget "nothing"');
});
