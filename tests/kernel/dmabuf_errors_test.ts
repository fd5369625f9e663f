// VM: any speed
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bulkPair, Gadget, usbFunction } from "@usb/gadget";
import { DmaBuffer } from "@usb/gadget/dmabuf";
import { kernelHas } from "../../src/compile/kernel_version.ts";
import { O_RDONLY } from "../../ffi/abi.ts";
import { close, open, readTextFile, writeFile } from "../../ffi/file.ts";
import { unplug } from "../support/gadgets/cable.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { testKernel } from "../support/run/kernel_version.ts";
import { openFiles } from "../support/machine/leftovers.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { Vgem } from "../support/dmabuf/vgem.ts";
import "../support/run/aio_libraries.ts";

// These run on the stock dummy_hcd, which cannot scatter-gather.

const SIZE_LIMIT = "/sys/module/udmabuf/parameters/size_limit_mb";
const { maxSpeed } = gadgetSpeed();
const modern = kernelHas(testKernel(), { major: 6, minor: 9 });
const expected = modern ? "no scatter-gather" : "old kernel";
const message = modern
  ? "the driver of the USB device controller cannot scatter-gather"
  : "this kernel has no DMABUF transfers, they come with Linux 6.9";

Deno.test("attach() says why DMABUFs cannot be transferred here", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link: { in: tx, out: rx } }, fs, gadget } = test;
  // Older kernels have no other DMABUFs.
  using vgem = await Vgem.open();
  const { fd } = vgem.allocate(4096);
  await using buffer = DmaBuffer.fromFileDescriptor(fd);
  close(fd);
  assertEquals(await fs.dmabufSupport(), expected);
  for (const endpoint of [tx, rx]) {
    for (let round = 0; round < 3; round++) {
      await assertRejects(
        () => endpoint.attach(buffer),
        Deno.errors.NotSupported,
        `Cannot attach a DMABUF to endpoint "link": ${message}: ${endpoint.path}`,
      );
    }
  }
  // Without a controller only the age of the kernel is known.
  unplug(gadget);
  if (!modern) {
    await assertRejects(() => tx.attach(buffer), Deno.errors.NotSupported);
    return;
  }
  for (let unbound = false; !unbound;) {
    unbound = test.fs.state === "unbound";
    await delay(1);
  }
  const controller = new AbortController();
  const attaching = tx.attach(buffer, controller);
  const asking = fs.dmabufSupport(controller);
  controller.abort(new Error("enough"));
  await assertRejects(() => attaching, Error, "enough");
  await assertRejects(() => asking, Error, "enough");
  const waiting = [tx.attach(buffer), fs.dmabufSupport()].map((each) =>
    assertRejects(() => each, Deno.errors.BadResource, "function is closed")
  );
  await gadget.stop();
  await Promise.all(waiting);
});

Deno.test("dmabufSupport() answers as soon as there is a controller, without a host", async () => {
  await using gadget = await Gadget.start({
    vendorId: 0x1209,
    productId: 0x0001,
    maxSpeed,
    functions: [
      usbFunction({
        name: "test",
        interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
      }),
      usbFunction({ name: "none", interfaces: [{ class: 0xff }] }),
    ],
  });
  const { test, none } = gadget.functions;
  assertEquals(await test.dmabufSupport(), expected);
  await assertRejects(() => none.dmabufSupport(), TypeError, "no endpoints");
});

Deno.test("a DmaBuffer refuses what is none", async () => {
  const files = openFiles();
  for (const size of [0, -1, 1.5, NaN, 2 ** 60]) {
    assertThrows(() => DmaBuffer.allocate(size), RangeError, `is ${size}`);
  }
  for (const heap of ["", "../null", "/dev/null"]) {
    assertThrows(() => DmaBuffer.allocate(1, { heap }), TypeError, heap);
  }
  assertThrows(
    () => DmaBuffer.allocate(1, { heap: "none" }),
    Deno.errors.NotFound,
    'Cannot open DMA heap "none"',
  );
  const fd = open("/dev/null", O_RDONLY);
  assertThrows(
    () => DmaBuffer.fromFileDescriptor(fd),
    TypeError,
    `Cannot use file descriptor ${fd}: it is not a DMABUF`,
  );
  close(fd);
  assertThrows(
    () => DmaBuffer.fromFileDescriptor(12_345),
    Error,
    "Cannot inspect file descriptor 12345",
  );
  if (!modern) {
    // Debian's older kernels have no udmabuf.
    assertThrows(
      () => DmaBuffer.allocate(1),
      Deno.errors.NotFound,
      "the kernel needs CONFIG_UDMABUF",
    );
    assertEquals(openFiles(), files);
    return;
  }
  const limit = readTextFile(SIZE_LIMIT);
  writeFile(SIZE_LIMIT, "1");
  assertThrows(() => DmaBuffer.allocate(2 << 20), Error, SIZE_LIMIT);
  writeFile(SIZE_LIMIT, limit);
  assertEquals(openFiles(), files);
  // Nothing was lost.
  await using buffer = DmaBuffer.allocate(5000);
  assertEquals(buffer.size % 4096, 0);
  await buffer.access("readwrite", (bytes) => {
    assertEquals(bytes.byteLength, buffer.size);
    assert(bytes.every((byte) => byte === 0));
    bytes[4999] = 7;
  });
  await using same = DmaBuffer.fromFileDescriptor(buffer.fd);
  assertEquals([same.size, same.exporter], [buffer.size, buffer.exporter]);
  assertEquals(await same.access("read", (bytes) => bytes[4999]), 7);
  await assertRejects(
    () =>
      buffer.access("read", () => {
        throw new Error("of the caller");
      }),
    Error,
    "of the caller",
  );
  assertEquals(await same.access("read", (bytes) => bytes[4999]), 7);
});

Deno.test("a DmaBuffer whose memory a program tries to move can be used and closed", async () => {
  if (!modern) {
    // Debian's older kernels have no udmabuf; a unit test has the mapping.
    assertThrows(() => DmaBuffer.allocate(1), Deno.errors.NotFound);
    return;
  }
  const mappings = () =>
    readTextFile("/proc/self/maps").split("\n")
      .filter((line) => line.includes("dmabuf")).length;
  const files = openFiles();
  for (let round = 0; round < 20; round++) {
    const buffer = DmaBuffer.allocate(100_000);
    const moves: readonly ((bytes: Uint8Array<ArrayBuffer>) => unknown)[] = [
      (bytes) => bytes.buffer.transfer(),
      (bytes) => structuredClone(bytes, { transfer: [bytes.buffer] }),
    ];
    for (const move of moves) {
      await assertRejects(() => buffer.access("write", move), Error);
    }
    let kept = new Uint8Array();
    await buffer.access("readwrite", (bytes) => {
      assertEquals(bytes.byteLength, buffer.size);
      bytes.fill(round);
      kept = bytes;
    });
    assertEquals(mappings(), 1);
    await buffer.close();
    await buffer.close();
    assertEquals(kept.byteLength, 0);
    assertEquals(mappings(), 0);
    assertEquals(openFiles(), files);
  }
});
