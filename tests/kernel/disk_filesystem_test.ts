// VM: --modules usb-storage,sd_mod,sr_mod --processors 1, a class of device
/**
 * Disks with file systems on them, made, mounted, filled and checked by the
 * programs of Linux.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { fileDisk, MassStorage } from "@usb/gadget/mass-storage";
import { Random } from "../support/data/random.ts";
import {
  makeImageFolder,
  StorageBench,
} from "../support/gadgets/storage_bench.ts";
import { shell } from "../support/machine/shell.ts";
import { usedMemory } from "../support/measure/memory.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { soak } from "../support/run/soak.ts";

const MIB = 1 << 20;
const { bulkPacketSize } = gadgetSpeed();

/** Fills a folder with files of random sizes and contents, in folders of 50. */
async function makeFiles(folder: string, count: number): Promise<void> {
  const random = new Random(count);
  for (let n = 0; n < count; n++) {
    const place = `${folder}/a folder ${Math.floor(n / 50)}`;
    await Deno.mkdir(place, { recursive: true });
    const bytes = new Uint8Array(
      random.int(0, random.pick([100, 5000, 60_000])),
    );
    crypto.getRandomValues(bytes);
    await Deno.writeFile(`${place}/file with a long name ${n}.data`, bytes);
  }
  await shell(`
    cd ${folder}
    find . -type f -exec sha256sum {} + >../sums
    mv ../sums .`);
}

const FILE_SYSTEMS = {
  ext4: { make: "mkfs.ext4 -q", check: "fsck.ext4 -fn" },
  vfat: { make: "mkfs.vfat -I", check: "fsck.vfat -n" },
};

for (const [name, { make, check }] of Object.entries(FILE_SYSTEMS)) {
  for (const blockSize of [512, 4096]) {
    Deno.test(`files on ${name}, on blocks of ${blockSize} bytes, outlive unmounting and unplugging`, async () => {
      await using images = await makeImageFolder();
      const files = await images.folder("files");
      const mount = await images.folder("mount");
      await makeFiles(files, soak(500, 25));
      using disk = fileDisk(`${images.path}/image`, {
        create: 64 * MIB,
        blockSize,
      });
      await using bench = await StorageBench.start(
        new MassStorage({ luns: [disk] }),
      );
      await shell(`
        ${make} ${bench.node}
        mount ${bench.node} ${mount}
        cp -r ${files}/. ${mount}
        umount ${mount}
        ${check} ${bench.node}`);
      await bench.unplug();
      await bench.plug();
      await shell(`
        mount -o ro ${bench.node} ${mount}
        (cd ${mount} && sha256sum --quiet -c sums)
        umount ${mount}`);
      // vfat reads single blocks. At super speed they are smaller than a packet:
      // the virtual controller refuses them, and Linux resets the kernel's own
      // function as well.
      if (name === "vfat" && blockSize < bulkPacketSize) return;
      assertEquals(bench.configurations, 2);
    });
  }
}

Deno.test("data is the same in the image and after it was read, in large direct transfers", async () => {
  const size = soak(1024, 16) * MIB;
  await using images = await makeImageFolder();
  const image = `${images.path}/image`;
  using disk = fileDisk(image, { create: size });
  await using bench = await StorageBench.start(
    new MassStorage({ luns: [disk] }),
  );
  // What is written has its checksum taken on the way.
  const sums = await shell(`
    cd ${images.path}
    mkfifo pipe
    sha256sum <pipe >written &
    head -c ${size} /dev/urandom | tee pipe |
      dd of=${bench.node} bs=1M iflag=fullblock oflag=direct conv=fsync 2>&1
    wait
    sha256sum <image >stored
    dd if=${bench.node} bs=1M iflag=direct | sha256sum >read
    cat written stored read`);
  const [written, stored, read] = sums.split("\n").filter((line) =>
    line.endsWith("-")
  );
  assertEquals([stored, read], [written, written]);
  assertEquals(bench.configurations, 1);
});

Deno.test("programs that write and read at the same time get their own data", async () => {
  const jobs = [0, 1, 2, 3];
  const size = soak(32, 1);
  await using images = await makeImageFolder();
  const image = `${images.path}/image`;
  using disk = fileDisk(image, { create: jobs.length * size * MIB });
  await using bench = await StorageBench.start(
    new MassStorage({ luns: [disk] }),
  );
  for (let round = 0; round < soak(10, 1); round++) {
    // Half of them without the page cache.
    await Promise.all(jobs.map((job) => {
      const flags = job % 2 === 0 ? "direct" : "sync";
      const block = [4, 16, 64, 512][job];
      const count = size * 1024 / block;
      return shell(`
        cd ${images.path}
        head -c ${size * MIB} /dev/urandom >data${job}
        dd if=data${job} of=${bench.node} bs=${block}k seek=${job * count} \\
          oflag=${flags} 2>&1
        dd if=${bench.node} bs=${block}k skip=${job * count} count=${count} \\
          iflag=direct | cmp - data${job}`);
    }));
    await shell(`
      cd ${images.path}
      cat ${jobs.map((job) => `data${job}`).join(" ")} | cmp - image`);
    assertEquals(bench.configurations, 1);
  }
});

for (const mode of ["unmap", "writesame_16"]) {
  Deno.test(`blkdiscard and fstrim free the space of an image, with ${mode}`, async () => {
    await using images = await makeImageFolder();
    const mount = await images.folder("mount");
    const image = `${images.path}/image`;
    using disk = fileDisk(image, { create: 64 * MIB });
    await using bench = await StorageBench.start(
      new MassStorage({ luns: [disk] }),
    );
    const used = async () => (await Deno.stat(image)).blocks! * 512;
    const [{ path, name }] = bench.units;
    // usb-storage asks no disk whether it can do this.
    await shell(`
      echo ${mode} >$(echo ${path}/scsi_disk/*/provisioning_mode)
      dd if=/dev/urandom of=${bench.node} bs=1M count=32 oflag=direct 2>&1`);
    assert(
      Number(
        await Deno.readTextFile(`/sys/block/${name}/queue/discard_max_bytes`),
      ) > 0,
    );
    assertEquals(await used(), 32 * MIB);
    // In the middle, not on the borders of pages.
    await shell(`
      blkdiscard --offset ${MIB + 512} --length ${8 * MIB} ${bench.node}
      cmp -n ${8 * MIB} -i ${MIB + 512}:0 ${bench.node} /dev/zero`);
    const left = await used();
    assert(left >= 24 * MIB && left < 24 * MIB + 16_384, `${left}`);

    await shell(`
      mkfs.ext4 -q -E nodiscard ${bench.node}
      mount ${bench.node} ${mount}
      head -c ${16 * MIB} /dev/urandom >${mount}/large
      sync ${mount}/large`);
    const full = await used();
    const trimmed = await shell(`
      rm ${mount}/large
      sync -f ${mount}
      fstrim -v ${mount}
      umount ${mount}
      fsck.ext4 -fn ${bench.node} >/dev/null 2>&1`);
    assert(/MiB|bytes/.test(trimmed), trimmed);
    assert(full - await used() >= 16 * MIB, `${full} ${await used()}`);
    assertEquals(bench.configurations, 1);
  });
}

Deno.test("memory does not grow with what is written and read", async () => {
  await using images = await makeImageFolder();
  const image = `${images.path}/image`;
  using disk = fileDisk(image, { create: 16 * MIB });
  await using bench = await StorageBench.start(
    new MassStorage({ luns: [disk] }),
  );
  const pass = () =>
    shell(`
      dd if=/dev/zero of=${bench.node} bs=1M count=16 oflag=direct 2>&1
      dd if=${bench.node} of=/dev/null bs=1M count=16 iflag=direct 2>&1`);
  await pass();
  const before = await usedMemory(({ rss }) => rss);
  // 10 GiB in all.
  for (let round = 0; round < soak(320, 2); round++) await pass();
  const grown = await usedMemory(({ rss }) => rss) - before;
  assert(grown < 16 * MIB, `${grown} bytes more`);
});
