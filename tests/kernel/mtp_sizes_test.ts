// VM: a class of device
/**
 * Sizes of files at which transfers end in another way: with the header's 12 bytes
 * they fill a packet or not, of any speed.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { MtpBench } from "../support/gadgets/mtp_bench.ts";
import { listFiles, runLibmtp } from "../support/host/mtp_tools.ts";
import { shell } from "../support/machine/shell.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { soak } from "../support/run/soak.ts";

const MIB = 1 << 20;
const isFull = gadgetSpeed().bulkPacketSize === 64;
const SIZES = [
  ...[0, 1, 499, 500, 501, 511, 512, 513, 1011, 1012, 1013],
  ...(isFull ? [51, 52, 53] : [MIB - 12, MIB, MIB + 12]),
  ...(isFull ? [MIB / 8 - 12] : [soak(64, 4) * MIB - 12]),
];

/** Writes a file of each size. */
async function writeFiles(path: string): Promise<void> {
  for (const size of SIZES) {
    await shell(`head -c ${size} /dev/urandom >${path}/${size}`);
  }
}

Deno.test("libmtp gets files of all sizes, one after another", async () => {
  await using bench = await MtpBench.start();
  await writeFiles(bench.device);
  const files = await listFiles();
  await runLibmtp(
    ...files.map(({ id, name }) => ({
      do: "get" as const,
      id,
      path: `${bench.host}/${name}`,
    })),
  );
  await bench.expectSame();
});

Deno.test("libmtp sends files of all sizes, one after another", async () => {
  await using bench = await MtpBench.start();
  await writeFiles(bench.host);
  await runLibmtp(
    ...SIZES.map((size) => ({
      do: "send" as const,
      path: `${bench.host}/${size}`,
      name: `${size}`,
    })),
  );
  await bench.expectSame();
});

Deno.test("gphoto2 gets files of all sizes", async () => {
  await using bench = await MtpBench.start();
  await writeFiles(bench.device);
  await bench.run("gphoto2 --folder /store_00010001 --get-all-files");
  await bench.expectSame();
});
