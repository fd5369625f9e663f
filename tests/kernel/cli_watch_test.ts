/**
 * `watch` on the command line, beside a gadget of another process.
 *
 * @module
 */
// VM: any speed, newest kernel
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { Gadget } from "@usb/gadget";
import { TestHost } from "@usb/gadget/testing";
import { link } from "../support/gadgets/link_function.ts";
import { startCli } from "../support/programs/cli.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { until } from "../support/waiting/until.ts";

const { maxSpeed } = gadgetSpeed();
const INSTANCES = "/sys/kernel/tracing/instances";

function instances(): string[] {
  return [...Deno.readDirSync(INSTANCES)].map(({ name }) => name);
}

/** Starts `watch`, and waits until it records. */
async function startWatch(...args: string[]) {
  const command = startCli("watch", ...args);
  const { pid } = command.process;
  const pipe = `${INSTANCES}/usb-gadget.${pid}/trace_pipe`;
  await until(
    () => {
      try {
        return [...Deno.readDirSync(`/proc/${pid}/fd`)].some(({ name }) =>
          Deno.readLinkSync(`/proc/${pid}/fd/${name}`) === pipe
        );
      } catch {
        return false; // A file was closed in between.
      }
    },
    "the command watches",
  );
  return command;
}

/** Transfers 1000 bytes to a gadget. */
async function useGadget() {
  const gadget = await Gadget.start({
    vendorId: 0x1209,
    productId: 0x0001,
    maxSpeed,
    functions: [link("link")],
  });
  {
    const { endpoints } = gadget.functions.link;
    await using host = await TestHost.open(gadget);
    const read = endpoints.link.read(1000);
    await host.write(endpoints.link, new Uint8Array(1000));
    assertEquals((await read).length, 1000);
  }
  await gadget.stop();
}

Deno.test("watch prints states, endpoints and transfers, and leaves nothing in the kernel", async () => {
  const before = instances();
  await using lines = await startWatch("--each", "--json");
  await using sums = await startWatch();
  await useGadget();
  const { status, text } = await lines.end("SIGTERM");
  assertEquals(status.code, 0, text);
  const events = text.trim().split("\n").map((it) => JSON.parse(it));
  assertEquals(events[0], { type: "watching" });
  assertEquals(
    events.filter((it) => it.type === "device").map((it) => it.event)
      .filter((it) => it !== "set_state"),
    ["connect", "disconnect"],
  );
  const transfer = events.find((it) => it.length === 1000);
  const { endpoint } = transfer;
  assertEquals(
    events.filter((it) => it.type === "endpoint" && it.endpoint === endpoint)
      .map((it) => it.event),
    ["enable", "disable"],
  );
  const summary = await sums.end("SIGINT");
  assertEquals(summary.status.code, 0, summary.text);
  const [first, ...rest] = summary.text.trimEnd().split("\n");
  assertEquals(first, "Watching the gadgets of this machine.");
  assert(rest.some((it) => it.endsWith(": enable")), summary.text);
  assert(rest.some((it) => it.includes(", 1000 bytes")), summary.text);
  assertEquals(instances(), before);
});

Deno.test("what a killed watch has left is removed by the next one", async () => {
  const before = instances();
  await using killed = await startWatch();
  await killed.end("SIGKILL");
  assertEquals(instances().length, before.length + 1);
  await using next = await startWatch();
  await next.end("SIGTERM");
  assertEquals(instances(), before);
});
