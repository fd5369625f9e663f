// VM: any speed
/**
 * What the kernel makes for its functions: each handle is compared with what the
 * host has of that function.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { Gadget, type KernelFunction, kernelFunction } from "@usb/gadget";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import { waitForNoDevice } from "../../src/testing/usbfs/find.ts";
import { endpointsOf } from "../support/host/interface_endpoints.ts";
import { shell } from "../support/machine/shell.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const ids = { vendorId: 0x1209, productId: 0x0001, serialNumber: "1" };
const { maxSpeed } = gadgetSpeed();

/** Binds anew between two checks, which the handles outlive. */
async function checkTwice(
  gadget: Gadget,
  check: () => void | Promise<void>,
): Promise<void> {
  await check();
  gadget.unbind();
  await waitForNoDevice(ids);
  await gadget.bind();
  await check();
}

Deno.test("network functions have their interfaces while the gadget is bound", async () => {
  const net = kernelFunction("ncm", {
    dev_addr: "02:00:00:00:00:01",
    host_addr: "02:00:00:00:01:01",
  }, { name: "net" });
  const more = kernelFunction("ecm", {
    dev_addr: "02:00:00:00:00:02",
    host_addr: "02:00:00:00:01:02",
  }, { name: "more" });
  await using gadget = await Gadget.start({
    ...ids,
    maxSpeed,
    functions: [net, more],
  });
  const { kernel } = gadget;
  const addressOf = (ifname: string) =>
    Deno.readTextFileSync(`/sys/class/net/${ifname}/address`).trim();
  await checkTwice(gadget, () => {
    assertEquals(addressOf(kernel.net.ifname), "02:00:00:00:00:01");
    assertEquals(addressOf(kernel.more.ifname), "02:00:00:00:00:02");
  });
  gadget.unbind();
  assertThrows(
    () => kernel.net.ifname,
    Deno.errors.NotFound,
    `Cannot read the network interface of function "net": it exists while the gadget "${gadget.name}" is bound to a controller`,
  );
  assertThrows(
    // @ts-expect-error Ethernet has no terminal
    () => kernel.net.tty,
    TypeError,
    'Cannot read the terminal of function "net": functions of type "ncm" have none',
  );
  await gadget.apply({ ...gadget.definition, functions: [net] });
  assertEquals(Object.keys(gadget.kernel), ["net"]);
});

/** Types with a file, which sends to the host what a program writes. */
const KINDS: Readonly<
  Record<string, {
    readonly make: (name: string) => KernelFunction;
    /** The interface with the data, of those of the function. */
    readonly data: number;
    readonly handle: "tty" | "node";
    /** What a program writes to send a number, and what the host has of it. */
    readonly written: (number: number) => number[];
    readonly received: (number: number) => number[];
  }>
> = {
  acm: {
    make: (name) => kernelFunction("acm", {}, { name }),
    data: 1,
    handle: "tty",
    written: (number) => [0x30 + number],
    received: (number) => [0x30 + number],
  },
  hid: {
    make: (name) =>
      kernelFunction("hid", {
        report_desc: new Uint8Array([5, 1, 9, 6, 0xa1, 1, 0xc0]),
        report_length: 4,
      }, { name }),
    data: 0,
    handle: "node",
    written: (number) => [number, 1, 2, 3],
    received: (number) => [number, 1, 2, 3],
  },
  printer: {
    make: (name) => kernelFunction("printer", {}, { name }),
    data: 0,
    handle: "node",
    written: (number) => [number, number],
    received: (number) => [number, number],
  },
  midi: {
    make: (name) => kernelFunction("midi", { id: name }, { name }),
    data: 1,
    handle: "node",
    // A note, and the event packet that it becomes.
    written: (number) => [0x90, number, 0x7f],
    received: (number) => [0x09, 0x90, number, 0x7f],
  },
};

for (const [type, kind] of Object.entries(KINDS)) {
  Deno.test(`what is written to the file of each ${type} function comes from its interface`, async () => {
    // Takes the first number, and is not bound.
    await using other = await Gadget.start(
      { vendorId: 0x1209, productId: 0x0002, functions: [kind.make("first")] },
      { bind: false },
    );
    // Two printers of one gadget share their descriptors in the kernel (f_printer.c):
    // the endpoints of the first one do not answer.
    const names = type === "printer" ? ["b"] : ["b", "a"];
    const functions = names.map(kind.make);
    await using gadget = await Gadget.start({ ...ids, maxSpeed, functions });
    await checkTwice(gadget, async () => {
      await using device = await UsbfsDevice.find(ids);
      for (const [index, { name, interfaces }] of functions.entries()) {
        const number = index * interfaces! + kind.data;
        await device.claimInterface(number);
        const { input, events } = endpointsOf(device, number);
        const path = gadget.kernel[name][kind.handle]!;
        // Raw, or the terminal waits for the end of a line.
        if (kind.handle === "tty") await shell(`stty raw -F ${path}`);
        const bytes = Uint8Array.from(kind.written(index + 1));
        const writing = Deno.writeFile(path, bytes, { create: false });
        const got = await device.bulkIn(input || events, 64);
        await writing;
        assertEquals([...got], kind.received(index + 1), `${name} by ${path}`);
        await device.releaseInterface(number);
      }
    });
    assertEquals(Object.keys(other.kernel), ["first"]);
  });
}

Deno.test("midi functions have sound cards", async () => {
  await using gadget = await Gadget.start({
    ...ids,
    maxSpeed,
    functions: [
      kernelFunction("midi", { id: "one" }, { name: "b" }),
      kernelFunction("midi", { id: "two" }, { name: "a" }),
    ],
  });
  const { kernel } = gadget;
  await checkTwice(gadget, () => {
    const idOf = (card: number) =>
      Deno.readTextFileSync(`/sys/class/sound/card${card}/id`).trim();
    assertEquals([kernel.b.card, kernel.a.card].map(idOf), ["one", "two"]);
  });
});
