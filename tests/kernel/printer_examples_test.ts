// VM: a class of device, newest kernel
/**
 * examples/printer.ts, as a user runs it.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { makeImageFolder } from "../support/gadgets/storage_bench.ts";
import { runUsblp, waitForUsblp } from "../support/host/usblp.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { startExample } from "../support/programs/example.ts";
import { until } from "../support/waiting/until.ts";

const IDS = { vendorId: 0x1209, productId: 0x0001 };

Deno.test("examples/printer.ts writes each job into a file, and nothing of one that is reset", async () => {
  const before = gadgetTraces();
  await using images = await makeImageFolder();
  const directory = await images.folder("directory");
  await using printer = startExample("printer.ts", {
    args: [directory],
    permissions: ["--allow-ffi", "--allow-read", "--allow-write"],
  });
  const node = await waitForUsblp(IDS);
  const files = () => [...Deno.readDirSync(directory)].map((it) => it.name);
  const isPrinted = (id: number) => () => files().includes(`job${id}.prn`);
  await shell(`head -c 300000 /dev/urandom >${images.path}/one
    cat ${images.path}/one >${node}`);
  await until(isPrinted(1), "the first job is a file");
  await shell(`cmp ${images.path}/one ${directory}/job1.prn`);
  await runUsblp(node, `write=${images.path}/one`, "reset", "text=two");
  await until(
    () => files().length > 1 && !files().some((it) => it.endsWith(".part")),
    "the second job is a file",
  );
  const name = files().find((it) => it !== "job1.prn")!;
  assertEquals(await Deno.readTextFile(`${directory}/${name}`), "two");
  assertEquals((await printer.end("SIGINT")).text, "");
  assertEquals(gadgetTraces(), before);
});

Deno.test("examples/printer.ts explains its argument", async () => {
  await using printer = startExample("printer.ts");
  assertEquals((await printer.process.status).code, 2);
  const { text } = await printer.end("SIGKILL");
  assertStringIncludes(text, "Usage: printer.ts DIRECTORY");
});
