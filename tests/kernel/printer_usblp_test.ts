// VM: a class of device
/**
 * Printers under usblp, the kernel's driver: /dev/usb/lp0 and its ioctls.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { bulkPair, usbFunction } from "@usb/gadget";
import { endMark, PrinterResetError, type PrintJob } from "@usb/gadget/printer";
import { KernelLog } from "../../src/remedies/kernel_log.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { linesOf, startUsblp } from "../support/host/usblp.ts";
import { shell } from "../support/machine/shell.ts";
import { PrinterBench } from "../support/printer/bench.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

/** Longer than any test waits. */
const NEVER = 600_000;

Deno.test("the host reads the device ID and the status, which the program changes", async () => {
  await using bench = await PrinterBench.start({ serialNumber: "42" });
  const { printer } = bench;
  const id = "MFG:Example;CMD:PCL,PS;MDL:Jet;CLS:PRINTER;SN:42;";
  assertEquals(await bench.run("id", "status"), [id, "18"]);
  const node = bench.node.slice(bench.node.lastIndexOf("/") + 1);
  assertEquals(
    await shell(`cat /sys/class/usbmisc/${node}/device/ieee1284_id`),
    id,
  );
  printer.status = { paperEmpty: true };
  assertEquals(await bench.run("status"), ["38"]);
  printer.status = { selected: false, error: true };
  assertEquals(await bench.run("status"), ["00"]);
  printer.status = {};
  assertEquals(await bench.run("status"), ["18"]);
});

Deno.test("a printer that comes first in a composite device has all of its requests", async () => {
  const other = usbFunction({
    name: "other",
    interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
  });
  await using bench = await PrinterBench.start({
    idleMs: NEVER,
    endOfJob: endMark("!"),
  }, other);
  const steps = ["id", "status", "text=half", "reset", "text=whole!"];
  const id = "MFG:Example;CMD:PCL,PS;MDL:Jet;CLS:PRINTER;";
  assertEquals(await bench.run(...steps), [id, "18", "4", "6"]);
  await until(() => bench.texts.length === 1, "the job has ended");
  assertEquals(bench.texts, ["whole!"]);
});

Deno.test("jobs of all sizes end, however programs write them", async () => {
  await using bench = await PrinterBench.start();
  const sizes = [1, 511, 512, 1024, 8192, 8193, 65_536, 1_000_000]
    .slice(0, soak(8, 5));
  for (const [index, size] of sizes.entries()) {
    const data = pattern(size, index);
    const file = await bench.file("job", data);
    // The driver divides writes into transfers of up to 8 KiB.
    await shell(`${index % 2 ? "cat" : "dd bs=1000 status=none <"} ${file} \\
      >${bench.node}`);
    await bench.ended(index + 1);
    assertEquals(firstDifference(bench.jobs[index].data, data), -1, `${size}`);
  }
  assertEquals(bench.jobs.length, sizes.length);
});

Deno.test("jobs that follow each other at once end at their marks", async () => {
  const count = soak(20, 8);
  await using bench = await PrinterBench.start({
    idleMs: NEVER,
    endOfJob: endMark("\x04"),
  });
  await shell(`for job in $(seq ${count}); do
    { printf "%s " "$job"; head -c $((job * 7777)) /dev/zero | tr '\\0' x
      printf '\\004'; } >${bench.node}
  done`);
  await bench.ended(count);
  assertEquals(
    bench.texts,
    Array.from(
      { length: count },
      (_, index) => `${index + 1} ${"x".repeat((index + 1) * 7777)}\x04`,
    ),
  );
});

Deno.test("a printer without paper lets the host wait, which sees why, and prints on", async () => {
  const paper = Promise.withResolvers<void>();
  const printed: Uint8Array[] = [];
  let isEmpty = false;
  await using bench: PrinterBench = await PrinterBench.start({
    endOfJob: endMark("!"),
    idleMs: NEVER,
    async print({ readable }: PrintJob) {
      for await (const part of readable) {
        printed.push(part);
        if (isEmpty || printed.length < 2) continue;
        isEmpty = true;
        bench.printer.status = { paperEmpty: true };
        await paper.promise;
        bench.printer.status = {};
      }
    },
  });
  const data = new TextEncoder().encode("x".repeat(400_000) + "!");
  const file = await bench.file("job", data);
  using log = new KernelLog();
  const program = startUsblp(bench.node, "abort", `write=${file}`, "status");
  const logged: string[] = [];
  const isLogged = () => {
    logged.push(...log.lines());
    return logged.some((line) => /usblp\d: out of paper/.test(line));
  };
  await until(isLogged, "the driver reports that there is no paper");
  const lines = await linesOf(program);
  assert(/^\d+: No space left on device$/.test(lines[0]), lines[0]);
  assertEquals(lines[1], "38");
  assert(parseInt(lines[0]) < data.length);
  paper.resolve();
  // The driver has withdrawn what the printer did not take.
  const rest = startUsblp(bench.node, "text=rest!", "status");
  assertEquals(await linesOf(rest), ["5", "18"]);
  const text = () =>
    new TextDecoder().decode(
      new Uint8Array(
        printed.flatMap((part) => [...part]),
      ),
    );
  await until(() => text().endsWith("!"), "the job is printed");
  assert(/^x+rest!$/.test(text()));
});

Deno.test("a host that waits for paper prints its job whole", async () => {
  const paper = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  let printed = 0;
  await using bench: PrinterBench = await PrinterBench.start({
    async print({ readable }: PrintJob) {
      bench.printer.status = { paperEmpty: true };
      started.resolve();
      await paper.promise;
      bench.printer.status = {};
      for await (const part of readable) printed += part.byteLength;
    },
  });
  const file = await bench.file("job", pattern(400_000));
  const program = startUsblp(bench.node, `write=${file}`);
  await started.promise;
  paper.resolve();
  assertEquals(await linesOf(program), ["400000"]);
  await until(() => printed === 400_000, "the job is printed");
});

Deno.test("a reset in the middle of a job drops it, and the next one is whole", async () => {
  await using bench = await PrinterBench.start({
    idleMs: NEVER,
    endOfJob: endMark("!"),
  });
  const half = await bench.file("half", pattern(30_000).fill(0x78));
  for (let round = 0; round < soak(50, 5); round++) {
    const steps = [`write=${half}`, "reset", `text=${round}!`];
    assertEquals(await bench.run(...steps), [
      "30000",
      `${round}`.length + 1 + "",
    ]);
    await until(() => bench.texts.length > round, "the next job has ended");
  }
  const cut = bench.jobs.filter(({ failure }) => failure !== undefined);
  assert(cut.length > 0);
  for (const { failure } of cut) assertInstanceOf(failure, PrinterResetError);
  assertEquals(bench.texts, bench.texts.map((_, round) => `${round}!`));
});

Deno.test("the host reads what the program sends", async () => {
  await using bench = await PrinterBench.start({
    endOfJob: endMark("?"),
    async print(job) {
      const text = await new Response(job.readable).text();
      await job.send(new TextEncoder().encode(text.toUpperCase()));
    },
  });
  assertEquals(
    await bench.run("text=status?", "read", "text=again?", "read"),
    ["7", "STATUS?", "6", "AGAIN?"],
  );
  const long = `${"long ".repeat(100)}enough. ?`.padStart(512, ".");
  assertEquals(
    await bench.run(`text=${long}`, "read"),
    ["512", long.toUpperCase()],
  );
});
