/**
 * Tests that fail, each in its own way. What is reported about them is in
 * failures.txt.
 *
 * @module
 */
import { bulkPair, usbFunction } from "@usb/gadget";
import { gadgetTest } from "@usb/gadget/testing";
import { assertEquals } from "@std/assert";

const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
  async serve({ endpoints: { link } }) {
    for await (const data of link.transfers()) {
      if (data[0] === 7) throw new RangeError("seven is not a number");
      await link.write(data);
    }
  },
});
const device = {
  vendorId: 0x1209,
  productId: 0x0001,
  functions: [echo],
} as const;
const libc = () =>
  Deno.dlopen("libc.so.6", {
    memset: { parameters: ["usize", "i32", "usize"], result: "void" },
    open: { parameters: ["buffer", "i32"], result: "i32" },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  }).symbols;

gadgetTest("an assertion", device, async ({ gadget, host }) => {
  const { link } = gadget.functions.echo.endpoints;
  await host.write(link, new Uint8Array([1, 2, 3]));
  console.log("The host has written");
  assertEquals(await host.read(link, 1024), new Uint8Array([1, 2, 4]));
});

gadgetTest("a function that throws", device, async ({ gadget, host }) => {
  const { link } = gadget.functions.echo.endpoints;
  await host.write(link, new Uint8Array([7]));
  await host.read(link, 1024);
});

gadgetTest("a host that waits for too much", device, async ({
  gadget,
  host,
}) => {
  await host.read(gadget.functions.echo.endpoints.link, 1024);
}, { timeout: 20_000 });

gadgetTest("a test that waits", device, async () => {
  console.log("I am going to wait");
  await new Promise(() => {});
}, { timeout: 10_000 });

gadgetTest("a loop without end", device, () => {
  for (;;);
}, { timeout: 10_000 });

gadgetTest("a crash", device, () => {
  console.log("Here it comes");
  libc().memset(8n, 1, 8n);
});

gadgetTest("an error that is not caught", device, async () => {
  setTimeout(() => {
    throw new TypeError("from a timer");
  }, 1);
  await new Promise(() => {});
});

gadgetTest("a leak", device, () => {
  Deno.openSync("/etc/passwd");
}, { sanitizeResources: true });

gadgetTest("a module that does not exist", device, () => {}, {
  modules: ["no_such_module"],
});

// More memory in one piece than the kernel gives.
gadgetTest("a WARNING of the kernel", device, ({ gadget }) => {
  const { path } = gadget.functions.echo.endpoints.link.in;
  const { open, write } = libc();
  const file = open(new TextEncoder().encode(`${path}\0`), 1);
  write(file, new Uint8Array(8 << 20), 8n << 20n);
}, { sanitizeResources: false });

gadgetTest("the end of the kernel", device, async () => {
  await Deno.writeTextFile("/proc/sysrq-trigger", "c");
});

gadgetTest("passes after all that", device, async ({ gadget, host }) => {
  const { link } = gadget.functions.echo.endpoints;
  await host.write(link, new Uint8Array([1]));
  assertEquals(await host.read(link, 1024), new Uint8Array([1]));
});
