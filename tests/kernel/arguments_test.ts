// VM: any speed
import "../support/libraries.ts";
import { assertEquals, assertRejects } from "@std/assert";
import {
  bulkIn,
  bulkOut,
  bulkPair,
  DmaBuffer,
  type FunctionFs,
  type Gadget,
} from "@usb/gadget";
import { close } from "../../ffi/file.ts";
import {
  dmabufRows,
  endpointRows,
  functionRows,
  gadgetRows,
  transferRows,
} from "../support/argument_rows.ts";
import { startEndpoints } from "../support/endpoint_gadget.ts";
import { pattern } from "../support/pattern.ts";
import { Vgem } from "../support/vgem.ts";
import {
  assertRefused,
  detachedBytes,
  NO_BYTES,
} from "../support/wrong_arguments.ts";

Deno.test("a refused write sends nothing, and a refused read takes nothing", async () => {
  await using test = await startEndpoints({ tx: bulkIn(), rx: bulkOut() });
  const { endpoints: { tx, rx }, device, addresses: [input, out] } = test;
  tx.autoZlp = true;
  for (let round = 0; round < 20; round++) {
    const received = device.bulkIn(input, 1024);
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
      device.bulkOut(out, pattern(100, round)),
    ]);
    assertEquals(taken, pattern(100, round));
  }
});

Deno.test("arguments of a running gadget are refused, by name, and nothing changes", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, gadget, fs, device, addresses } = test;
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
    device.bulkIn(addresses[0], 1024),
    link.write(pattern(100)),
  ]);
  assertEquals(chunk, pattern(100));
});
