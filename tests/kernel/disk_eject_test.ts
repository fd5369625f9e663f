// VM: --modules usb-storage,sd_mod,sr_mod --processors 1, a class of device
/**
 * Media that the program takes out: when the host lets it, and when it does not.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { MassStorage, memoryDisk, overlayDisk } from "@usb/gadget/mass-storage";
import {
  makeImageFolder,
  StorageBench,
} from "../support/gadgets/storage_bench.ts";
import {
  assertEmpty,
  assertSame,
  contentsOf,
  randomDisk,
  sha256,
} from "../support/disk/contents.ts";
import { shell } from "../support/machine/shell.ts";
import { until } from "../support/waiting/until.ts";

const MIB = 1 << 20;

Deno.test("a reset overlay, ejected and inserted, is the disk of the beginning", async () => {
  await using images = await makeImageFolder();
  const mount = await images.folder("mount");
  const base = memoryDisk(16 * MIB);
  const storage = new MassStorage({ luns: [base] });
  await using bench = await StorageBench.start(storage);
  const { node } = bench;
  const [drive] = storage.luns;
  await shell(`
    mkfs.ext4 -q -O ^has_journal ${node}
    mount ${node} ${mount}
    echo old >${mount}/file
    umount ${mount}`);
  await drive.eject();
  const before = await sha256(await contentsOf(base));
  const overlay = overlayDisk(base);
  for (let round = 0; round < 3; round++) {
    drive.insert(overlay);
    const text = await shell(`
      mount ${node} ${mount}
      cat ${mount}/file
      echo new >${mount}/file
      head -c 100000 /dev/urandom >${mount}/other
      umount ${mount}
      mount ${node} ${mount}
      cat ${mount}/file
      umount ${mount}`);
    assertEquals(text, "old\nnew\n");
    assert(overlay.changedBytes > 100_000);
    assertEquals(await drive.eject(), overlay);
    overlay.reset();
  }
  assertEquals(await sha256(await contentsOf(base)), before);
});

Deno.test("a mounted medium that is pulled out cannot be read, and works when it is back", async () => {
  await using images = await makeImageFolder();
  const mount = await images.folder("mount");
  const medium = memoryDisk(16 * MIB);
  const storage = new MassStorage({ luns: [medium] });
  await using bench = await StorageBench.start(storage);
  const { node } = bench;
  const [drive] = storage.luns;
  await shell(`
    mkfs.ext4 -q -O ^has_journal ${node}
    mount ${node} ${mount}
    head -c ${4 * MIB} /dev/urandom >${images.path}/data
    cp ${images.path}/data ${mount}
    umount ${mount}`);
  for (let round = 0; round < 3; round++) {
    await shell(`
      mount -o ro ${node} ${mount}
      cmp -n ${MIB} ${images.path}/data ${mount}/data`);
    assert(drive.locked);
    assertEquals(await drive.eject({ force: true }), medium);
    assertEquals([drive.medium, drive.locked], [undefined, false]);
    await assertRejects(
      () =>
        shell(`
          echo 3 >/proc/sys/vm/drop_caches
          dd if=${mount}/data of=/dev/null bs=64k iflag=direct 2>&1`),
      Error,
      "Input/output error",
    );
    await shell(`umount ${mount}`);
    await assertEmpty(node);
    drive.insert(medium);
    await shell(`
      mount -o ro ${node} ${mount}
      cmp ${images.path}/data ${mount}/data
      umount ${mount}`);
    assertEquals(drive.locked, false);
  }
  assertEquals(bench.configurations, 1);
});

Deno.test("eject() ends with its signal while the host has the medium open, and the medium stays", async () => {
  const medium = randomDisk(MIB);
  const storage = new MassStorage({ luns: [medium] });
  await using bench = await StorageBench.start(storage);
  const { node } = bench;
  const [drive] = storage.luns;
  // In this process, it would wait for itself.
  const user = new Deno.Command("sh", {
    args: ["-c", `exec sleep 1000 <${node}`],
  }).spawn();
  try {
    await until(() => drive.locked, "the host has the medium open");
    for (const abortsFirst of [true, false]) {
      const stop = new AbortController();
      const reason = new Error("No longer wanted");
      if (abortsFirst) stop.abort(reason);
      const ejecting = drive.eject({ signal: stop.signal });
      stop.abort(reason);
      const error = await assertRejects(() => ejecting, Error);
      assertEquals(error, reason);
      assertEquals([drive.medium, drive.locked], [medium, true]);
      await assertSame(node, medium);
    }
  } finally {
    user.kill();
    await user.status;
  }
  const stop = new AbortController();
  assertEquals(await drive.eject({ signal: stop.signal }), medium);
  await assertEmpty(node);
});
