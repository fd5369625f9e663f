import "../support/run/aio_libraries.ts";
import {
  bulkPair,
  FunctionFs,
  Gadget,
  mountFunctionFs,
  usbFunction,
  waitForUdc,
} from "@usb/gadget";
import { DmaBuffer } from "@usb/gadget/dmabuf";
import { hidRequests } from "@usb/gadget/hid";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { openEndpoints } from "../support/measure/endpoints_on_files.ts";

const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});
const gadget = { vendorId: 0x1209, productId: 1, functions: [echo] };
const { signal } = new AbortController();

Deno.test("an option that nothing reads is refused, and the nearest one named", async () => {
  const path = await Deno.makeTempFile();
  try {
    await using endpoints = openEndpoints(path);
    const { in: tx, out: rx } = endpoints;
    const data = new Uint8Array(1);
    // deno-fmt-ignore
    const rejected: [() => Promise<unknown>, string][] = [
      // @ts-expect-error signal
      [() => rx.read(1, { singal: signal }), 'Cannot read from endpoint "out": there is no option "singal": did you mean "signal"?'],
      // @ts-expect-error signal
      [() => tx.write(data, { signals: signal }), 'Cannot write to endpoint "in": there is no option "signals": did you mean "signal"?'],
      // @ts-expect-error signal
      [() => tx.halt({ abort: signal }), 'there is no option "abort": remove it, or use "signal"'],
      // @ts-expect-error udc
      [() => Gadget.start(gadget, { udcc: "x" }), 'Cannot start gadget: there is no option "udcc": did you mean "udc"?'],
      // @ts-expect-error noDisconnect
      [() => Gadget.start(gadget, { mounts: { echo: { no_disconnect: true } } }), 'there is no option "no_disconnect": did you mean "noDisconnect"?'],
      // @ts-expect-error persistent
      [() => Gadget.cleanUp({ persist: true }), 'there is no option "persist": did you mean "persistent"?'],
      // @ts-expect-error timeout
      [() => waitForUdc({ name: "x", timeoutMs: 5 }), 'there is no option "timeoutMs": did you mean "timeout"?'],
    ];
    for (const [call, message] of rejected) {
      await assertRejects(call, TypeError, message);
    }
    // deno-fmt-ignore
    const thrown: [() => unknown, string][] = [
      // @ts-expect-error depth
      [() => rx.openReadable({ dept: 4 }), 'there is no option "dept": did you mean "depth"?'],
      // @ts-expect-error depth
      [() => rx.transfers({ Depth: 4 }), 'there is no option "Depth": did you mean "depth"?'],
      // @ts-expect-error zlp
      [() => tx.openWritable({ zpl: "write" }), 'there is no option "zpl": did you mean "zlp"?'],
      // @ts-expect-error interfaceOffset
      [() => FunctionFs.open(echo, "/nowhere", { offset: 1 }), 'there is no option "offset": did you mean "interfaceOffset"?'],
      // @ts-expect-error fmode
      [() => mountFunctionFs("x", { path: "/nowhere", filemode: 1 }), 'there is no option "filemode": did you mean "fmode"?'],
      // @ts-expect-error heap
      [() => DmaBuffer.allocate(1, { heep: "system" }), 'there is no option "heep": did you mean "heap"?'],
      // @ts-expect-error getReport
      [() => hidRequests({ getreport: () => data }), 'there is no option "getreport": did you mean "getReport"?'],
    ];
    for (const [call, message] of thrown) {
      assertThrows(call, TypeError, message);
    }
    // A field without a value is as good as none; only an object's own count.
    const options = { signal, other: undefined };
    assertEquals(await tx.write(data, options), 1);
    assertEquals((await rx.read(1, Object.create(options))).length, 1);
  } finally {
    await Deno.remove(path);
  }
});
