import "../support/libraries.ts";
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  bulkPair,
  FunctionFs,
  Gadget,
  listUdcs,
  mountFunctionFs,
  usbFunction,
} from "@usb/gadget";
import { main } from "../../cli.ts";
import { gadgetTraces } from "../support/leftovers.ts";
import { gadgetSpeed } from "../support/speed.ts";
import { listUsbDevices } from "../support/usbfs_find.ts";

const { maxSpeed } = gadgetSpeed();
const root = new URL("../../", import.meta.url);

const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});

async function run(command: string, ...args: string[]) {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  const error = new TextDecoder().decode(stderr);
  return { success, text, error };
}

async function shell(script: string): Promise<string> {
  const { success, text, error } = await run("sh", "-ec", script);
  if (!success) throw new Error(error);
  return text;
}

/** Runs the command line in this process: starting another takes its time in emulation. */
async function cli(...args: string[]): Promise<{ code: number; text: string }> {
  const { log } = console;
  const lines: string[] = [];
  console.log = (line: string) => void lines.push(line);
  try {
    const code = await main(args);
    return { code, text: lines.map((it) => `${it}\n`).join("") };
  } finally {
    console.log = log;
  }
}

/** Loads dummy_hcd anew, and puts it back afterwards. */
async function withControllers(count: number, work: () => Promise<void>) {
  await shell(
    `modprobe -r dummy_hcd; modprobe dummy_hcd is_super_speed=1 num=${count}`,
  );
  try {
    await work();
  } finally {
    await shell("modprobe -r dummy_hcd; modprobe dummy_hcd is_super_speed=1");
  }
}

Deno.test("two and eight gadgets live in one process, each on a controller of its own", async () => {
  const traces = gadgetTraces();
  for (const count of [2, 8]) {
    await withControllers(count, async () => {
      assertEquals(listUdcs().length, count);
      const gadgets = await Promise.all(
        Array.from({ length: count }, (_, index) =>
          Gadget.start({
            vendorId: 0x1209,
            productId: 0x0010 + index,
            maxSpeed,
            functions: [echo],
          })),
      );
      await Promise.all(gadgets.map((it) => it.functions.echo.enabled()));
      assertEquals(new Set(gadgets.map((it) => it.udc.name)).size, count);
      const there = (await listUsbDevices()).filter((it) =>
        it.vendorId === 0x1209
      );
      assertEquals(there.length, count);
      await assertRejects(
        () => Gadget.start({ vendorId: 1, productId: 1, functions: [echo] }),
        Deno.errors.Busy,
        "is taken",
      );
      await Promise.all(gadgets.map((it) => it.stop()));
    });
  }
  assertEquals(gadgetTraces(), traces);
});

Deno.test("the command line sees what there is: doctor, list, show, clean", async () => {
  await using gadget = await Gadget.start({
    vendorId: 0x1209,
    productId: 0x0001,
    product: "Echo",
    maxSpeed,
    functions: [echo],
  });
  const list = await cli("list");
  const instance = `${gadget.name}-echo`;
  assertEquals(
    list.text.replace(/, ready\n/, "\n").replace(/\(\w+\)/, "(deno)"),
    `${gadget.name}  1209:0001 "Echo"
  controller: dummy_udc.0
  owner: process ${Deno.pid}
  c.1: ffs.${instance}
  ffs.${instance}: on /run/usb-gadget/${gadget.name}/echo
    held by ${Deno.pid} (deno)
`,
  );
  const show = await cli("show", gadget.name);
  assertMatch(show.text, /bulk/i);
  assertEquals((await cli("clean")).text, "Nothing to remove.\n");
  await gadget.stop();
  const whole = await cli("doctor");
  assertEquals(whole.code, 0, whole.text);
  const [major, minor] = Deno.osRelease().split(".").map(Number);
  const since = (a: number, b: number) =>
    major > a || major === a && minor >= b;
  const feature = (name: string, a: number, b: number) =>
    since(a, b)
      ? `ok      ${name}: yes`
      : `note    ${name}: no, needs Linux ${a}.${b}`;
  assertEquals(
    whole.text,
    `ok      kernel: Linux ${Deno.osRelease()}
ok      permissions: root
ok      configfs: mounted on /sys/kernel/config
ok      gadgets: libcomposite is loaded
ok      FunctionFS: usb_f_fs is loaded
ok      controller: dummy_udc.0 (dummy_udc), super-speed, free
ok      libaio: ${/libaio: (.*)/.exec(whole.text)![1]}
${feature("epN_rw files", 7, 3)}
${feature("automatic zero-length packets", 7, 3)}
${feature("DMABUF", 6, 9)}

Gadgets work on this machine.
`,
  );
  // The drivers of other functions, from other tests, hold libcomposite.
  await shell(`
    modprobe -r dummy_hcd
    for module in $(cut -d " " -f 1 /proc/modules | grep "^usb_f_"); do
      modprobe -r "$module"
    done
    test ! -e /sys/module/libcomposite || modprobe -r libcomposite`);
  try {
    const without = await cli("doctor");
    assertEquals(without.code, 1);
    assertEquals(
      without.text.split("\n").filter((it) => !it.includes("libaio")).join(
        "\n",
      ),
      `ok      kernel: Linux ${Deno.osRelease()}
ok      permissions: root
ok      configfs: mounted on /sys/kernel/config
MISSING gadgets: libcomposite is not loaded
        -> load it with "sudo modprobe libcomposite"
ok      FunctionFS: the kernel loads usb_f_fs on use
MISSING controller: no USB device controller
        -> load the driver of the board's controller, or a virtual one: "sudo modprobe dummy_hcd is_super_speed=1"

Gadgets do not work on this machine: 2 things are missing.
`,
    );
    await assertRejects(
      () => Gadget.start({ vendorId: 1, productId: 1, functions: [echo] }),
      Deno.errors.NotFound,
      'the kernel\'s gadget support is not there: load it with "sudo modprobe libcomposite"',
    );
  } finally {
    await shell(
      "modprobe -a dummy_hcd libcomposite usb_f_fs; modprobe -r dummy_hcd; modprobe dummy_hcd is_super_speed=1",
    );
  }
});

Deno.test("g_ffs registers when all of its functions are ready, and leaves with the first", async () => {
  await shell(
    "modprobe g_ffs functions=a,b idVendor=0x1209 idProduct=0x0020",
  );
  const driver = () => listUdcs()[0].driver;
  try {
    const open = (name: string) => {
      const mount = mountFunctionFs(name, { path: `/run/legacy-${name}` });
      const definition = usbFunction({
        name,
        interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
      });
      return { mount, fs: FunctionFs.open(definition, mount.path) };
    };
    const a = open("a");
    assertEquals(driver(), "");
    const b = open("b");
    assertEquals(driver(), "g_ffs");
    await Promise.all([a.fs.enabled(), b.fs.enabled()]);
    await b.fs.close();
    assertEquals(driver(), "");
    await a.fs.close();
    a.mount.unmount();
    b.mount.unmount();
    await assertRejects(
      () =>
        Promise.resolve().then(() =>
          mountFunctionFs("c", { path: "/run/legacy-c" })
        ),
      Deno.errors.NotFound,
      'no gadget has a FunctionFS instance "c"',
    );
  } finally {
    await shell("modprobe -r g_ffs");
  }
});
