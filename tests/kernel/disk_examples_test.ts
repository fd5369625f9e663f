// VM: --modules usb-storage,sd_mod,sr_mod --processors 1, a class of device, newest kernel
/**
 * The examples of disks, as programs of Linux see them.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { writeFile } from "../../ffi/file.ts";
import { waitForNoDevice } from "../../src/testing/usbfs/find.ts";
import { makeImageFolder } from "../support/gadgets/storage_bench.ts";
import { waitForUnits } from "../support/host/scsi.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { startExample } from "../support/programs/example.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const MIB = 1 << 20;

/** The node of an example's disk. */
async function nodeOfDisk(): Promise<string> {
  // Linux waits for a second before it asks a new disk anything.
  writeFile("/sys/module/usb_storage/parameters/delay_use", "0");
  const [{ node }] = await waitForUnits(ids, 1);
  return node;
}

/** Runs an example that does not become a device; returns its exit code and output. */
async function runInVain(name: string, ...args: string[]) {
  await using program = startExample(name, { args });
  const { code } = await program.process.status;
  return { code, text: (await program.end("SIGKILL")).text };
}

Deno.test("examples/disk.ts is a disk in a file, which keeps what was written", async () => {
  const before = gadgetTraces();
  {
    await using images = await makeImageFolder();
    const image = `${images.path}/image`;
    {
      await using program = startExample("disk.ts", { args: [image, "8"] });
      const node = await nodeOfDisk();
      await shell(`
        cd ${images.path}
        head -c ${8 * MIB} /dev/urandom >data
        dd if=data of=${node} bs=1M oflag=direct 2>&1
        cmp data image`);
      assertEquals((await program.end("SIGINT")).text, "");
    }
    await waitForNoDevice(ids);
    {
      await using program = startExample("disk.ts", { args: [image] });
      const node = await nodeOfDisk();
      await shell(`
        cd ${images.path}
        dd if=${node} bs=1M iflag=direct | cmp - data`);
      assertEquals((await program.end("SIGINT")).text, "");
    }
    await waitForNoDevice(ids);

    const usage = await runInVain("disk.ts");
    assertEquals(usage.code, 2);
    assertStringIncludes(usage.text, "Usage: disk.ts FILE [SIZE");
    const { code, text } = await runInVain("disk.ts", `${image}.missing`);
    assertEquals(code, 1);
    assertMatch(
      text,
      new RegExp(`Cannot open file: No such file .*: ${image}.missing`),
    );
  }
  assertEquals(gadgetTraces(), before);
});

Deno.test("examples/failing_disk.ts fails at the blocks of its arguments, and only there", async () => {
  const before = gadgetTraces();
  {
    await using program = startExample("failing_disk.ts", {
      args: ["4711", "8000-8002"],
    });
    const node = await nodeOfDisk();
    for (
      const way of ["if=NODE of=/dev/null skip", "if=/dev/zero of=NODE seek"]
    ) {
      const flag = way.endsWith("skip") ? "iflag" : "oflag";
      const failing = await shell(`
        for block in 4710 4711 4712 7999 8000 8001 8002 8003; do
          dd bs=512 count=1 ${flag}=direct ${
        way.replace("NODE", node)
      }=$block \\
            2>/tmp/errors && continue
          grep -Eq 'Input/output error|No data available' /tmp/errors ||
            { cat /tmp/errors >&2; exit 1; }
          echo $block
        done
        rm /tmp/errors`);
      assertEquals(failing.split("\n"), ["4711", "8000", "8001", "8002", ""]);
    }
    // A program that copies what it can.
    const text = await shell(`
      dd if=${node} of=/dev/null bs=512 iflag=direct skip=4700 count=20 \\
        conv=noerror,sync 2>&1`);
    assert(/^19\+1 records in$/m.test(text), text);
    assertEquals((await program.end("SIGINT")).text, "");
    await waitForNoDevice(ids);

    const { code, text: usage } = await runInVain("failing_disk.ts", "7-");
    assertEquals(code, 2);
    assertStringIncludes(usage, "Usage: failing_disk.ts BLOCK");
  }
  assertEquals(gadgetTraces(), before);
});
