import "../support/libraries.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { gadgetTraces } from "../support/leftovers.ts";

/** How a program has ended, and what it said. */
interface End {
  readonly status: Deno.CommandStatus;
  readonly output: string;
}

const IMPORT = `import { bulkPair, Gadget, usbFunction } from "${new URL(
  "../../mod.ts",
  import.meta.url,
)}";`;

/** Runs a program that has a gadget with a read in the kernel, and then ends. */
function runToItsEnd(
  ending: string,
  signals: Deno.Signal[] = [],
): Promise<End> {
  return run(
    `${IMPORT}
    const gadget = await Gadget.start({
      vendorId: 0x1209,
      productId: 0x0001,
      functions: [usbFunction({
        name: "end",
        interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
      })],
    });
    await gadget.functions.end.enabled();
    const reading = gadget.functions.end.endpoints.link.read(512);
    console.log("enabled");
    ${ending}`,
    signals,
  );
}

/** Runs a program; sends it signals when it says that it is enabled. */
async function run(code: string, signals: Deno.Signal[] = []): Promise<End> {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--allow-ffi",
      `data:application/typescript,${encodeURIComponent(code)}`,
    ],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(process.stderr).text();
  let output = "";
  for await (
    const text of process.stdout.pipeThrough(new TextDecoderStream())
  ) {
    output += text;
    if (output.includes("enabled")) {
      for (const signal of signals.splice(0)) process.kill(signal);
    }
  }
  return { status: await process.status, output: output + await stderr };
}

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
    // Refused when the first one is open.
    const second = { ...first, name: "second", speeds: ["high", "super"] };
    await Gadget.start({
      vendorId: 0x1209,
      productId: 0x0001,
      functions: [first, second],
    }).catch(({ message }) => console.log(message.split(":")[0]));`);
  assertEquals(output, 'Cannot define function "second"\n');
  assertEquals(status.code, 0);
  assertEquals(gadgetTraces(), before);
});
