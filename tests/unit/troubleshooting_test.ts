import { assertEquals, assertRejects } from "@std/assert";
import {
  bulkPair,
  Gadget,
  kernelFunction,
  usbFunction,
  winUsb,
} from "@usb/gadget";
import {
  assertDocumented,
  documentedMessages,
} from "../support/troubleshooting.ts";

const root = new URL("../../", import.meta.url);
const ids = { vendorId: 0x1209, productId: 0x0001 };
const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});

/** What a command of `deno` prints. */
async function deno(command: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [command, "--quiet", "--import-map=tests/import_map.json", ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

Deno.test("mistakes in definitions have the messages of docs/troubleshooting.md", async () => {
  const mistakes = {
    "A field is mistyped": { manufacurer: "Example", functions: [echo] },
    "A landing page without a scheme": {
      webUsb: { landingPage: "example.org" },
      functions: [echo],
    },
    "A MAC address in another format": {
      functions: [kernelFunction("ecm", { host_addr: "2:0:0:0:0:1" })],
    },
    "winUsb() without microsoftOs": {
      functions: [{ ...echo, microsoftOs: [winUsb()] }],
    },
  };
  for (const [title, definition] of Object.entries(mistakes)) {
    const error = await assertRejects(
      () => Gadget.start({ ...ids, ...definition } as never),
      Error,
    );
    await assertDocumented(title, error.message);
  }
});

Deno.test("a lack of --allow-ffi, another runtime and a forgotten await have documented messages", async () => {
  const start = (prefix = "") => `
    ${prefix}
    const { Gadget, kernelFunction } = await import("@usb/gadget");
    await Gadget.start({
      vendorId: 1, productId: 1, functions: [kernelFunction("ecm")],
    });`;
  const run = (code: string, ...permissions: string[]) =>
    deno(
      "run",
      ...["--no-prompt", "--no-check", "--cached-only", ...permissions],
      `data:application/typescript,${encodeURIComponent(code)}`,
    );
  for (const permission of [[], ["--allow-ffi=/usr/lib/libc.so.6"]]) {
    await assertDocumented(
      "Without --allow-ffi, or with paths",
      await run(start(), ...permission),
    );
  }
  await assertDocumented(
    "Another runtime",
    await run(start("delete globalThis.Deno;"), "--allow-read"),
  );
  const program = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      program,
      `import { Gadget } from "@usb/gadget";
      const gadget = Gadget.start({ vendorId: 1, productId: 1, functions: [] });
      gadget.functions;`,
    );
    await assertDocumented("A forgotten await", await deno("check", program));
  } finally {
    await Deno.remove(program);
  }
});

Deno.test("a test shows each message of docs/troubleshooting.md", async () => {
  const sources: string[] = [];
  for (const folder of ["tests/unit", "tests/kernel"]) {
    for await (const { name } of Deno.readDir(new URL(folder, root))) {
      if (!name.endsWith(".ts")) continue;
      const source = await Deno.readTextFile(
        new URL(`${folder}/${name}`, root),
      );
      if (source.includes("assertDocumented(")) sources.push(source);
    }
  }
  const titles = [...(await documentedMessages()).keys()];
  assertEquals(
    titles.filter((title) =>
      !sources.some((source) => source.includes(`"${title}"`))
    ),
    [],
  );
});
