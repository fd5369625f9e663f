// VM: any architecture
import "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bulkIn, bulkPair } from "@usb/gadget";
import { plug, unplug } from "../support/gadgets/cable.ts";
import { addressesOf, startEndpoints } from "../support/gadgets/endpoints.ts";
import { pattern } from "../support/data/pattern.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();

Deno.test("descriptor() has the address that the host uses, and the packet size of the speed", async () => {
  await using test = await startEndpoints({
    extra: bulkIn(),
    link: bulkPair(),
  });
  const { endpoints: { extra, link }, host } = test;
  const nodes = [];
  for (const each of [extra, link.in, link.out]) {
    nodes.push(await each.descriptor());
  }
  assertEquals(nodes.map(({ address }) => address), addressesOf(host));
  for (const { maxPacketSize, transferType } of nodes) {
    assertEquals([maxPacketSize, transferType], [PACKET, "bulk"]);
  }
  assertEquals(link.in.maxPacketSize, PACKET);
});

Deno.test("what waits for the host waits without blocking, and can be aborted", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, gadget, host } = test;
  const udc = gadget.udc.name;
  unplug(gadget);
  const calls = [
    () => link.in.descriptor(),
    () => link.out.flush(),
    () => link.in.clearHalt(),
  ];
  let settled = 0;
  const waiting = calls.map((call) => call().then(() => settled++));
  await assertRejects(() =>
    link.in.descriptor({ signal: AbortSignal.timeout(100) })
  );
  assertEquals(settled, 0);
  plug(gadget, udc);
  await host.plug();
  await Promise.all(waiting);
});

Deno.test("fifoStatus() fails if the controller does not support it; flush() leaves transfers alone", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  const { endpoints: { link }, host } = test;
  const written = link.write(pattern(5000));
  const reading = link.read(5000);
  await assertRejects(
    () => link.in.fifoStatus(),
    Deno.errors.NotSupported,
    'Cannot read the FIFO status of endpoint "link": Operation not supported (os error 95)',
  );
  await link.in.flush();
  await link.out.flush();
  assertEquals(await host.read(link, 8192), pattern(5000));
  await host.write(link, pattern(5000));
  assertEquals(await reading, pattern(5000));
  await written;
});

Deno.test("interfaceRevmap() finds the function's interface behind the host's number", async () => {
  await using test = await startEndpoints({ link: bulkPair() });
  assertEquals(test.fs.interfaceRevmap(0), 0);
  assertThrows(() => test.fs.interfaceRevmap(5), Error, "os error 33"); // EDOM
});
