// VM: any speed, any architecture
import "../support/run/aio_libraries.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { IMPORT, run, runToItsEnd, START } from "../support/programs/ending.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";

Deno.test("Deno.exit() removes the gadget and keeps its code", async () => {
  const before = gadgetTraces();
  const { status } = await runToItsEnd("Deno.exit(7);");
  assertEquals(status.code, 7);
  assertEquals(gadgetTraces(), before);
});

Deno.test("an uncaught error removes the gadget and is shown", async () => {
  const before = gadgetTraces();
  const { status, output } = await runToItsEnd(
    `setTimeout(() => { throw new Error("by accident"); });`,
  );
  assertEquals(status.code, 1);
  assertStringIncludes(output, "by accident");
  assertEquals(gadgetTraces(), before);
});

Deno.test("an unhandled rejection removes the gadget and is shown", async () => {
  const before = gadgetTraces();
  const { status, output } = await runToItsEnd(
    `Promise.reject(new Error("nobody cared"));`,
  );
  assertEquals(status.code, 1);
  assertStringIncludes(output, "nobody cared");
  assertEquals(gadgetTraces(), before);
});

Deno.test("an error that the program handles leaves the gadget alone", async () => {
  const before = gadgetTraces();
  const { status, output } = await runToItsEnd(`
    addEventListener("unhandledrejection", (event) => event.preventDefault());
    reading.catch(() => {});
    Promise.reject(new Error("expected"));
    setTimeout(async () => {
      console.log(gadget.functions.end.state);
      await gadget.stop();
    }, 20);`);
  assertStringIncludes(output, "enabled\nenabled");
  assertEquals(status.code, 0, output);
  assertEquals(gadgetTraces(), before);
});

Deno.test("SIGINT twice in a row removes the gadget too", async () => {
  const before = gadgetTraces();
  const { status } = await runToItsEnd("reading.catch(() => {});", [
    "SIGINT",
    "SIGINT",
  ]);
  assertEquals(status.signal, "SIGINT");
  assertEquals(gadgetTraces(), before);
});

Deno.test("a stopped gadget lets its process end by itself", async () => {
  const before = gadgetTraces();
  const { status, output } = await runToItsEnd(
    "reading.catch(() => {}); await gadget.stop(); console.log('stopped');",
  );
  assertEquals(output, "enabled\nstopped\n");
  assertEquals(status.code, 0);
  assertEquals(gadgetTraces(), before);
});

Deno.test("a start that has failed lets its process end by itself", async () => {
  const before = gadgetTraces();
  const { status, output } = await run(`${IMPORT}
    const first = usbFunction({
      name: "first",
      interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
    });
    // Refused when its function is open.
    await Gadget.start({
      vendorId: 0x1209,
      productId: 0x0001,
      functions: [first],
    }, { udc: "none" }).catch(({ name }) => console.log(name));`);
  assertEquals(output, "NotFound\n");
  assertEquals(status.code, 0);
  assertEquals(gadgetTraces(), before);
});

for (
  const [what, end] of [
    ["a Worker that was terminated", "worker.terminate()"],
    ["a Worker that still runs", "Deno.exit()"],
  ]
) {
  Deno.test(`the gadget of ${what} is removed when the process ends`, async () => {
    const before = gadgetTraces();
    const { status, output } = await run(
      `${IMPORT}
      console.assert(Gadget); // An import that is not used is left out.
      const worker = new Worker(
        "data:application/javascript,${
        encodeURIComponent(`${IMPORT}${START}postMessage("enabled");`)
      }",
        { type: "module" },
      );
      worker.onmessage = ({ data }) => {
        console.log(data);
        ${end};
      };`,
      { permissions: ["--allow-read"] },
    );
    assertEquals(output, "enabled\n");
    assertEquals(status.code, 0);
    assertEquals(gadgetTraces(), before);
  });
}
