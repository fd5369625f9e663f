// VM: --modules usb-storage,sd_mod,sr_mod --processors 1, a class of device
/**
 * Disks that are unplugged while Linux writes to them, and whose process is
 * killed: what was flushed is in the image, and file systems are repaired.
 *
 * GADGET_SEED=N unplugs at the same writes as a run that has printed N.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals } from "@std/assert";
import { Gadget } from "@usb/gadget";
import {
  type BlockDevice,
  fileDisk,
  MassStorage,
} from "@usb/gadget/mass-storage";
import { writeFile } from "../../ffi/file.ts";
import { waitForNoDevice } from "../../src/testing/usbfs/find.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import {
  makeImageFolder,
  StorageBench,
} from "../support/gadgets/storage_bench.ts";
import { RecordWriter } from "../support/host/record_writer.ts";
import { waitForUnits } from "../support/host/scsi.ts";
import { shell } from "../support/machine/shell.ts";
import { startExample } from "../support/programs/example.ts";
import { soak } from "../support/run/soak.ts";

const MIB = 1 << 20;
const SIZE = 16 * MIB;
/** Of a disk with records only. */
const RECORDS_SIZE = MIB;

/** A disk that does something in the middle of a write or a flush. */
function interruptible(disk: BlockDevice) {
  let left = Infinity;
  let interrupt = () => {};
  const count = () => {
    if (--left === 0) interrupt();
  };
  return {
    disk: {
      ...disk,
      async write(lba: number, from: Uint8Array<ArrayBuffer>) {
        count();
        await disk.write!(lba, from);
        count();
      },
      async flush() {
        count();
        await disk.flush!();
        count();
      },
    },
    /** Runs `body` before or after one of the next operations. */
    after(operations: number, body: () => void): void {
      left = operations;
      interrupt = body;
    },
  };
}

Deno.test("what fsync has acknowledged is in the image, whenever the disk is unplugged", async () => {
  const seed = testSeed();
  const random = new Random(seed);
  await using images = await makeImageFolder();
  const image = `${images.path}/image`;
  using file = fileDisk(image, { create: RECORDS_SIZE });
  const { disk, after } = interruptible(file);
  await using bench = await StorageBench.start(
    new MassStorage({ luns: [disk] }),
  );
  const records = new RecordWriter(RECORDS_SIZE);
  for (let round = 0; round < soak(200, 6); round++) {
    after(random.int(1, 60), () => bench.gadget.unbind());
    await records.writeUntilFailure(bench.node);
    assert(!bench.gadget.bound);
    await bench.unplug();
    records.check(await Deno.readFile(image), `seed ${seed}, round ${round}`);
    await bench.plug();
    const path = `${images.path}/read`;
    await shell(`dd if=${bench.node} of=${path} bs=64k iflag=direct 2>&1`);
    records.check(await Deno.readFile(path), `seed ${seed}, replugged`);
  }
  assert(records.acknowledged > 0);
});

Deno.test("ext4 is repaired, and has the files that were synced, whenever the disk is unplugged", async () => {
  const seed = testSeed();
  const random = new Random(seed);
  await using images = await makeImageFolder();
  const mount = await images.folder("mount");
  using file = fileDisk(`${images.path}/image`, { create: SIZE });
  const { disk, after } = interruptible(file);
  await using bench = await StorageBench.start(
    new MassStorage({ luns: [disk] }),
  );
  await shell(`mkfs.ext4 -q ${bench.node}`);
  for (let round = 0; round < soak(200, 3); round++) {
    await shell(`mount ${bench.node} ${mount}; rm -rf ${mount}/*`);
    after(random.int(1, 100), () => bench.gadget.unbind());
    // Prints the number of each file that is safe.
    const { stdout } = await new Deno.Command("sh", {
      args: [
        "-c",
        `
        cd ${mount} || exit
        n=0
        while [ $n -lt 200 ] && seq $n 2000 >file$n && sync file$n; do
          echo $n
          n=$((n + 1))
        done`,
      ],
      stderr: "null",
    }).output();
    const safe = new TextDecoder().decode(stdout).trim().split("\n")
      .filter((line) => line !== "").map(Number);
    assert(!bench.gadget.bound, `${safe.length} files`);
    await shell(`umount ${mount}`);
    await bench.unplug();
    await bench.plug();
    const { code } = await new Deno.Command("fsck.ext4", {
      args: ["-fy", bench.node],
      stdout: "null",
      stderr: "null",
    }).output();
    assert(code <= 1, `seed ${seed}, round ${round}: fsck ended with ${code}`);
    await shell(`
      fsck.ext4 -fn ${bench.node} >/dev/null 2>&1
      mount ${bench.node} ${mount}`);
    for (const n of safe) {
      const text = await Deno.readTextFile(`${mount}/file${n}`);
      const lines = Array.from({ length: 2001 - n }, (_, at) => `${n + at}\n`);
      assertEquals(text, lines.join(""), `seed ${seed}, round ${round}: ${n}`);
    }
    await shell(`umount ${mount}`);
  }
});

Deno.test("what fsync has acknowledged is in the image, whenever the process of the disk is killed", async () => {
  const random = new Random(testSeed());
  const ids = { vendorId: 0x1209, productId: 0x0001 };
  writeFile("/sys/module/usb_storage/parameters/delay_use", "0");
  await using images = await makeImageFolder();
  const image = `${images.path}/image`;
  const records = new RecordWriter(RECORDS_SIZE);
  for (let round = 0; round < soak(200, 2); round++) {
    await using program = startExample("disk.ts", {
      args: [image, `${RECORDS_SIZE / MIB}`],
    });
    const [{ node }] = await waitForUnits(ids, 1);
    const acknowledged = records.nextAcknowledgement();
    const written = records.writeUntilFailure(node);
    await Promise.race([
      acknowledged,
      written.then((error) => {
        throw new Error(`round ${round}: ${node} failed at once`, {
          cause: error,
        });
      }),
    ]);
    await delay(random.int(0, 300));
    program.process.kill("SIGKILL");
    await program.process.status;
    await Gadget.cleanUp();
    await written;
    await waitForNoDevice(ids);
    records.check(await Deno.readFile(image), `round ${round}`);
  }
});
