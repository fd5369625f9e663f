// VM: --modules usb-storage,sd_mod,sr_mod --processors 1, a class of device
/**
 * Disks under fio, which checks what it has written: 5 minutes in a soak run.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { fileDisk, MassStorage } from "@usb/gadget/mass-storage";
import {
  makeImageFolder,
  StorageBench,
} from "../support/gadgets/storage_bench.ts";
import { shell } from "../support/machine/shell.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { soak } from "../support/run/soak.ts";

const MIB = 1 << 20;
const { bulkPacketSize } = gadgetSpeed();
const JOBS = 2;
/** MiB of the disk that a job has for itself. */
const SHARE = soak(64, 4);

for (const blockSize of [512, 4096]) {
  Deno.test(`fio reads what it has written at random, in ${JOBS} jobs, on blocks of ${blockSize} bytes`, async () => {
    await using images = await makeImageFolder();
    using disk = fileDisk(`${images.path}/image`, {
      create: JOBS * SHARE * MIB,
      blockSize,
    });
    await using bench = await StorageBench.start(
      new MassStorage({ luns: [disk] }),
    );
    // Linux makes one transfer of requests that are side by side. The virtual
    // controller refuses those with less than a packet in their middle.
    const unit = Math.max(blockSize, bulkPacketSize);
    const report = await shell(`
      cd ${images.path}
      fio --name=job --filename=${bench.node} --output-format=json \\
        --numjobs=${JOBS} --size=${SHARE}M --offset_increment=${SHARE}M \\
        --ioengine=libaio --iodepth=4 --direct=1 --rw=randrw \\
        --bsrange=${unit}-256k --blockalign=${unit} --fsync=50 \\
        --time_based --runtime=${soak(150, 4)} \\
        --verify=crc32c --verify_fatal=1 --verify_backlog=64`);
    const { jobs } = JSON.parse(report.slice(report.indexOf("{")));
    assertEquals(jobs.length, JOBS);
    for (const { error, read, write } of jobs) {
      assertEquals(error, 0);
      assert(read.total_ios > 0 && write.total_ios > 0, "fio has done nothing");
    }
    assertEquals(bench.configurations, 1, "the host has reset the device");
  });
}
