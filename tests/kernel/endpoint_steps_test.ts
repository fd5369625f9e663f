/**
 * Steps of a protocol that follow each other quickly: calls of `io_submit`,
 * and turns of the event loop.
 *
 * @module
 */
// VM: any speed
import { assertEquals } from "@std/assert";
import { bulkPair, type EndpointPair } from "@usb/gadget";
import { countCalls } from "../support/measure/call_counter.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { soak } from "../support/run/soak.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
const COMMANDS = soak(1000, 100);
/** Not for the FIFO of dummy_hcd, which takes up to 64 bytes at once. */
const DATA = new Uint8Array(4096);
const STATUS = new Uint8Array(13);

const calls = countCalls();
// Not before: they open the libraries.
const { outcome } = await import("../support/gadgets/control.ts");
const { startEndpoints } = await import("../support/gadgets/endpoints.ts");
const submits = () => calls.io_submit ?? 0;

/** Starts a device with a bulk pair. */
async function start() {
  const gadget = await startEndpoints({ link: bulkPair() });
  return { gadget, link: gadget.endpoints.link };
}

/** Runs `answer` for each command of the host; a read of the next one stands. */
async function serve(
  { out }: EndpointPair,
  answer: (command: Uint8Array) => Promise<unknown>,
): Promise<void> {
  let next = out.read(PACKET);
  for (let left = COMMANDS; left > 0; left--) {
    const command = await next;
    next = out.read(PACKET);
    next.catch(() => {});
    await answer(command);
  }
}

Deno.test("a command, its data and its status cost one io_submit", async () => {
  const { gadget, link } = await start();
  await using _ = gadget;
  let before = 0;
  const serving = serve(
    link,
    () => Promise.all([link.in.write(DATA), link.in.write(STATUS)]),
  );
  for (let command = 0; command < COMMANDS; command++) {
    if (command === 1) before = submits();
    await gadget.host.write(link, new Uint8Array(31));
    const data = await gadget.host.read(link, DATA.length);
    const status = await gadget.host.read(link, PACKET);
    assertEquals([data.length, status.length], [DATA.length, STATUS.length]);
  }
  await serving;
  // The first command also finds out what the kernel can do.
  assertEquals(submits() - before, COMMANDS - 1);
});

Deno.test("what follows a command is submitted in the turn of its completion", async () => {
  const { gadget, link } = await start();
  await using _ = gadget;
  let inTurn = 0;
  const serving = serve(link, async () => {
    const before = submits();
    // It runs before any other callback of the event loop.
    setImmediate(() => {
      if (submits() > before) inTurn++;
    });
    await link.in.write(DATA);
  });
  for (let command = 0; command < COMMANDS; command++) {
    await gadget.host.write(link, new Uint8Array(31));
    await gadget.host.read(link, DATA.length);
  }
  await serving;
  assertEquals(inTurn, COMMANDS);
});

Deno.test("a write, a halt and another write cost two io_submits, and go in one turn from the host's last packet", async () => {
  const { gadget, link } = await start();
  await using _ = gadget;
  let before = 0;
  let inTurn = 0;
  const serving = serve(link, async () => {
    const data = link.in.write(DATA).then(() => {
      const before = submits();
      setImmediate(() => {
        if (submits() > before) inTurn++;
      });
    });
    await Promise.all([data, link.in.halt(), link.in.write(STATUS)]);
  });
  for (let command = 0; command < COMMANDS; command++) {
    if (command === 1) before = submits();
    await gadget.host.write(link, new Uint8Array(31));
    const data = await gadget.host.read(link, DATA.length);
    assertEquals(data.length, DATA.length);
    const halted = gadget.host.read(link, PACKET);
    assertEquals(await outcome(halted), "EPIPE");
    await gadget.host.clearHalt(link.in);
    const status = await gadget.host.read(link, PACKET);
    assertEquals(status.length, STATUS.length);
  }
  await serving;
  assertEquals(submits() - before, 2 * (COMMANDS - 1));
  assertEquals(inTurn, COMMANDS);
});
