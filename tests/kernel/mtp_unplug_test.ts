// VM: a class of device
/**
 * Hosts that leave in the middle of a transfer: reset, unplugged, or killed. The
 * next one finds a device that works, and no file that is not complete.
 *
 * GADGET_SEED=N leaves at the same places as a run that has printed N.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { setTimeout as delay } from "node:timers/promises";
import { assertEquals } from "@std/assert";
import { directoryStore } from "@usb/gadget/mtp";
import { OperationCode } from "../../src/classes/mtp/protocol/codes.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { MtpBench } from "../support/gadgets/mtp_bench.ts";
import { makeImageFolder } from "../support/gadgets/storage_bench.ts";
import { abandonTransfer } from "../support/mtp/abandon.ts";
import { handlesOf, sendFile, startMtp } from "../support/mtp/bus_bench.ts";
import { soak } from "../support/run/soak.ts";

const SIZE = 2_000_000;

async function namesIn(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).sort();
}

for (const how of ["resetPort", "replug"] as const) {
  const what = how === "replug" ? "an unplugged cable" : "a reset of the port";
  Deno.test(`${what} leaves no half of a file, and a device that works`, async () => {
    const seed = testSeed();
    const random = new Random(seed);
    await using folder = await makeImageFolder();
    await Deno.writeFile(`${folder.path}/old`, pattern(SIZE, 1));
    await using bench = await startMtp(directoryStore(folder.path));
    for (let round = 0; round < soak(70, 4); round++) {
      const where = `seed ${seed}, round ${round}`;
      const [old] = await handlesOf(bench.host);
      await abandonTransfer(bench.host, random, old, SIZE);
      await bench[how]();
      const { host } = bench;
      assertEquals((await handlesOf(host)).length, 1, where);
      const next = pattern(random.int(0, 100_000), round);
      const handle = await sendFile(host, "next", next);
      const data = await host.pass(OperationCode.GetObject, [handle]);
      assertEquals(firstDifference(data, next), -1, where);
      assertEquals(await namesIn(folder.path), ["next", "old"], where);
      await host.pass(OperationCode.DeleteObject, [handle]);
    }
    assertEquals(bench.errors, []);
  });
}

Deno.test("programs of a host that are killed leave no half of a file, and a device that works", async () => {
  const random = new Random(testSeed());
  await using bench = await MtpBench.start();
  const { device, host } = bench;
  await Deno.writeFile(`${device}/old`, pattern(4 * SIZE, 1));
  await Deno.writeFile(`${host}/new`, pattern(4 * SIZE, 2));
  await Deno.writeFile(`${host}/small`, pattern(1000, 3));
  for (let round = 0; round < soak(35, 2); round++) {
    for (const isGet of [true, false]) {
      const args = isGet ? ["--get-file", "old"] : ["--upload-file", "new"];
      const program = new Deno.Command("gphoto2", {
        args: ["--folder", "/store_00010001", "--force-overwrite", ...args],
        cwd: host,
        stdout: "null",
        stderr: "null",
      }).spawn();
      await delay(random.int(0, 2000));
      try {
        program.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await program.status;
      // Killed before it has read the response to its first command, which has
      // transaction 0 in all sessions, it leaves that to the next program.
      await bench.run(`
        rm -f old
        send() { gphoto2 --folder /store_00010001 --upload-file small; }
        send 2> errors || {
          cat errors >&2
          grep -q "Session Already Opened" errors && send
        }
        cmp small ${device}/small
        rm ${device}/small`);
      const names = await namesIn(device);
      assertEquals(names.filter((it) => it !== "new"), ["old"]);
      await bench.run(`[ ! -e ${device}/new ] || cmp new ${device}/new
        rm -f ${device}/new`);
    }
  }
});
