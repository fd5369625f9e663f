/**
 * Signals that end the process: the program handles them if it listens, else the
 * package removes its gadgets right before the end.
 *
 * @module
 */
// VM: any speed, newest kernel
import "../support/run/aio_libraries.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  IMPORT,
  importFrom,
  run,
  runToItsEnd,
  START,
} from "../support/programs/ending.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";

const RAISE = `
  const libc = Deno.dlopen("libc.so.6", {
    raise: { parameters: ["i32"], result: "i32" },
  }).symbols;`;

for (
  const signal of [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGUSR2",
    "SIGALRM",
    "SIGTERM",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
  ] as const
) {
  Deno.test(`${signal} removes the gadget and ends the process by itself`, async () => {
    const before = gadgetTraces();
    // Nothing of the program runs after the signal.
    const { status, output } = await runToItsEnd(
      `reading.finally(() => console.log("settled"));`,
      [signal],
    );
    assertEquals(output, "enabled\n");
    assertEquals(status.signal, signal);
    assertEquals(gadgetTraces(), before);
  });
}

Deno.test("SIGUSR1 starts Deno's inspector, and the gadget stays", async () => {
  const before = gadgetTraces();
  const { status, output } = await runToItsEnd(
    `reading.catch(() => {});
    // Deno listens from half a second after its start.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    console.log("waited");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    console.log("bound", gadget.bound);
    Deno.exit(7);`,
    [],
    { reactions: [["waited", "SIGUSR1"]] },
  );
  assertStringIncludes(output, "enabled\nwaited\nbound true\n");
  assertStringIncludes(output, "Debugger listening");
  assertEquals([status.code, status.signal], [7, null]);
  assertEquals(gadgetTraces(), before);
});

for (
  const [name, listen] of [
    ["Deno.addSignalListener()", "Deno.addSignalListener"],
    ["process.on()", "process.on"],
  ]
) {
  Deno.test(`a listener of ${name} decides when and how the process ends`, async () => {
    const before = gadgetTraces();
    const { status, output } = await runToItsEnd(
      `${listen}("SIGTERM", async () => {
        console.log("signal");
        await new Promise((resolve) => setTimeout(resolve, 1000));
        console.log("bound", gadget.bound);
        Deno.exit(7);
      });
      console.log("listening");`,
      [],
      { reactions: [["listening", "SIGTERM"]] },
    );
    assertEquals(output, "enabled\nlistening\nsignal\nbound true\n");
    assertEquals([status.code, status.signal], [7, null]);
    assertEquals(gadgetTraces(), before);
  });
}

Deno.test("a listener receives each signal once, and the gadget stays", async () => {
  const before = gadgetTraces();
  const { status, output } = await runToItsEnd(
    `let count = 0;
    const reload = () => {
      console.log("reload", ++count, gadget.bound);
      // From here on the program no longer handles SIGHUP.
      if (count === 3) Deno.removeSignalListener("SIGHUP", reload);
      // The next signal may come while the package checks for listeners.
      console.log("ready", count);
    };
    Deno.addSignalListener("SIGHUP", reload);
    console.log("ready 0");`,
    [],
    {
      reactions: [0, 1, 2, 3].map((count) => [`ready ${count}`, "SIGHUP"]),
    },
  );
  assertEquals(
    output,
    "enabled\nready 0\n" +
      [1, 2, 3].map((n) => `reload ${n} true\nready ${n}\n`).join(""),
  );
  assertEquals(status.signal, "SIGHUP");
  assertEquals(gadgetTraces(), before);
});

for (
  const [name, listen] of [
    ["process.once()", `process.once("SIGTERM", listener);`],
    [
      "Deno.addSignalListener() that removes itself",
      `Deno.addSignalListener("SIGTERM", function once() {
        Deno.removeSignalListener("SIGTERM", once);
        listener();
      });`,
    ],
  ]
) {
  for (const when of ["before", "after"]) {
    Deno.test(`a listener of ${name}, added ${when} the gadget, handles one signal`, async () => {
      const before = gadgetTraces();
      const listening = `
        const listener = async () => {
          console.log("signal");
          await new Promise((resolve) => setTimeout(resolve, 500));
          console.log("bound", gadget.bound);
        };
        ${listen}`;
      const { status, output } = await run(
        `${IMPORT}
        ${when === "before" ? listening : ""}
        ${START}
        ${when === "after" ? listening : ""}
        const reading = gadget.functions.end.endpoints.link.read(512);
        console.log("listening");
        await reading;`,
        { reactions: [["listening", "SIGTERM"], ["bound", "SIGTERM"]] },
      );
      assertEquals(output, "listening\nsignal\nbound true\n");
      assertEquals(status.signal, "SIGTERM");
      assertEquals(gadgetTraces(), before);
    });
  }
}

Deno.test("a signal that a Worker listens to does not end the process", async () => {
  const before = gadgetTraces();
  const worker = `
    Deno.addSignalListener("SIGTERM", () => {
      setTimeout(() => postMessage("exit"), 1500);
    });
    postMessage("listening");`;
  const { status, output } = await runToItsEnd(
    `
    reading.catch(() => {});
    const worker = new Worker(
      "data:application/javascript,${encodeURIComponent(worker)}",
      { type: "module" },
    );
    worker.onmessage = ({ data }) => {
      console.log(data);
      if (data === "exit") Deno.exit(7);
    };`,
    [],
    { reactions: [["listening", "SIGTERM"]] },
  );
  assertStringIncludes(output, "enabled\nlistening\nexit\n");
  assertEquals([status.code, status.signal], [7, null]);
  assertEquals(gadgetTraces(), before);
});

Deno.test("a signal removes the gadget of a Worker", async () => {
  const before = gadgetTraces();
  const worker = `${IMPORT}${START}
    postMessage("enabled");`;
  const { status, output } = await run(
    `const worker = new Worker(
      "data:application/javascript,${encodeURIComponent(worker)}",
      { type: "module" },
    );
    worker.onmessage = ({ data }) => console.log(data);`,
    { reactions: [["enabled", "SIGTERM"]], permissions: ["--allow-read"] },
  );
  assertEquals(output, "enabled\n");
  assertEquals(status.signal, "SIGTERM");
  assertEquals(gadgetTraces(), before);
});

Deno.test("two copies of the package do not take each other for the program", async () => {
  const before = gadgetTraces();
  const folder = await Deno.makeTempDir();
  const root = new URL("../../", import.meta.url).pathname;
  await shell(`cp -r ${root}/mod.ts ${root}/src ${root}/ffi ${folder}/`);
  const copy = importFrom(`file://${folder}/mod.ts`)
    .replace("Gadget,", "Gadget as Other,");
  try {
    const { status, output } = await runToItsEnd(
      `${copy.replace(/bulkPair, |, usbFunction/g, "")}
      await Other.start({
        vendorId: 0x1209,
        productId: 0x0002,
        functions: [usbFunction({ name: "other", interfaces: [{ class: 0xff }] })],
      }, { name: "other", bind: false });
      console.log("both");`,
      [],
      { reactions: [["both", "SIGTERM"]] },
    );
    assertEquals(output, "enabled\nboth\n");
    assertEquals(status.signal, "SIGTERM");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assertEquals(gadgetTraces(), before);
});

Deno.test("a signal that was ignored at the start stays ignored", async () => {
  const before = gadgetTraces();
  const { status, output } = await runToItsEnd(
    `setInterval(() => console.log("alive", gadget.bound), 100);`,
    ["SIGQUIT"],
    {
      // As a shell does with a job in the background.
      wrapper: ["env", "--ignore-signal=QUIT"],
      reactions: [["enabled", "SIGQUIT"], ["alive true\nalive", "SIGTERM"]],
    },
  );
  assertStringIncludes(output, "enabled\nalive true\nalive true\n");
  assertEquals(status.signal, "SIGTERM");
  assertEquals(gadgetTraces(), before);
});

Deno.test("SIGTERM while Gadget.start() makes the gadget leaves nothing half built", async () => {
  const before = gadgetTraces();
  // Mount options are read when the directory of the gadget is complete.
  const { status, output } = await run(`${IMPORT}${RAISE}
    const options = {
      mounts: {
        get end() {
          console.log("raise");
          libc.raise(15);
          return {};
        },
      },
    };
    ${START.replace("})],\n  });", "})],\n  }, options);")}
    console.log("not reached");`);
  assertEquals(output, "raise\n");
  assertEquals(status.signal, "SIGTERM");
  assertEquals(gadgetTraces(), before);
});
