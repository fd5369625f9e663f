// VM: any speed, newest kernel
import "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects } from "@std/assert";
import {
  bulkIn,
  bulkOut,
  bulkPair,
  type FunctionFs,
  type Gadget,
} from "@usb/gadget";
import { DmaBuffer } from "@usb/gadget/dmabuf";
import { close } from "../../ffi/file.ts";
import {
  dmabufRows,
  endpointRows,
  functionRows,
  gadgetRows,
  transferRows,
} from "../support/arguments/rows.ts";
import { startEndpoints } from "../support/gadgets/endpoints.ts";
import { pattern } from "../support/data/pattern.ts";
import { Vgem } from "../support/dmabuf/vgem.ts";
import {
  assertRefused,
  detachedBytes,
  NO_BYTES,
} from "../support/arguments/wrong_values.ts";

Deno.test("a refused write sends nothing, and a refused read consumes nothing", async () => {
  await using test = await startEndpoints({ tx: bulkIn(), rx: bulkOut() });
  const { endpoints: { tx, rx }, host } = test;
  tx.autoZlp = true;
  for (let round = 0; round < 20; round++) {
    const received = host.read(tx, 1024);
    for (const wrong of NO_BYTES) {
      await assertRejects(() => tx.write(wrong as never), TypeError);
      if (typeof wrong !== "number") {
        await assertRejects(() => rx.read(wrong as never), TypeError);
      }
    }
    await assertRejects(
      () => rx.read(64, { signal: {} as AbortSignal }),
      TypeError,
    );
    const writer = tx.writable.getWriter();
    const closed = assertRejects(() => writer.closed, TypeError);
    await assertRejects(() => writer.write(detachedBytes()), TypeError);
    await closed;
    const [chunk] = await Promise.all([
      received,
      tx.write(pattern(100, round)),
    ]);
    assertEquals(chunk, pattern(100, round));
    const [taken] = await Promise.all([
      rx.read(1024),
      host.write(rx, pattern(100, round)),
    ]);
    assertEquals(taken, pattern(100, round));
  }
});

Deno.test("calls on a running gadget refuse wrong arguments by name and change nothing", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, gadget, fs, host } = test;
  using vgem = await Vgem.open();
  const { fd } = vgem.allocate(4096);
  await using buffer = DmaBuffer.fromFileDescriptor(fd);
  close(fd);
  await assertRefused([
    ...transferRows("EndpointPair", link, link),
    ...endpointRows(link.in),
    ...endpointRows(link.out),
    ...dmabufRows(buffer),
    ...functionRows(fs as FunctionFs),
    ...gadgetRows(gadget as Gadget),
  ]);
  assertEquals([gadget.bound, fs.state], [true, "enabled"]);
  const [chunk] = await Promise.all([
    host.read(link, 1024),
    link.write(pattern(100)),
  ]);
  assertEquals(chunk, pattern(100));
});
