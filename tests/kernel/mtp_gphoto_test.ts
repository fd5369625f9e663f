// VM: a class of device
/**
 * MTP under gphoto2, the host of cameras.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { MtpBench } from "../support/gadgets/mtp_bench.ts";
import { shell } from "../support/machine/shell.ts";
import { startProgram } from "../support/programs/example.ts";

const ROOT = "/store_00010001";

Deno.test("gphoto2 lists, gets, sends and deletes files, and makes and removes folders", async () => {
  await using bench = await MtpBench.start();
  const { device, host } = bench;
  await shell(`
    cd ${device}
    mkdir -p DCIM/100TEST empty
    head -c 200000 /dev/urandom >DCIM/100TEST/IMG_1.jpg
    head -c 1012 /dev/urandom >DCIM/100TEST/grüße.jpg
    mkdir ${host}/got; mkdir ${host}/sent
    head -c 100500 /dev/urandom >${host}/sent/up.bin`);
  const summary = await bench.run("gphoto2 --summary");
  assertStringIncludes(summary, "Model: Phone");
  const folders = await bench.run("gphoto2 --list-folders");
  assertStringIncludes(folders, "- DCIM");
  const files = await bench.run("gphoto2 --list-files");
  assertStringIncludes(files, "IMG_1.jpg");
  assertStringIncludes(files, "grüße.jpg");
  await bench.run(`
    cd got
    gphoto2 --folder ${ROOT}/DCIM/100TEST --get-all-files`);
  await bench.expectSame(`${device}/DCIM/100TEST`, `${host}/got`);

  await bench.run(`
    gphoto2 --folder ${ROOT} --mkdir made
    gphoto2 --folder ${ROOT}/made --upload-file sent/up.bin --filename up.bin
    gphoto2 --folder ${ROOT}/DCIM/100TEST --delete-file grüße.jpg
    gphoto2 --folder ${ROOT} --rmdir empty`);
  await bench.expectSame(`${device}/made`, `${host}/sent`);
  assertEquals(
    await shell(`cd ${device}; find . -mindepth 1 | sort`),
    "./DCIM\n./DCIM/100TEST\n./DCIM/100TEST/IMG_1.jpg\n./made\n./made/up.bin\n",
  );
});

Deno.test("gphoto2 --wait-event sees a file that another program puts into the directory", async () => {
  await using bench = await MtpBench.start();
  await using waiting = startProgram("stdbuf", {
    args: ["--output=L", "gphoto2", "--wait-event=FILEADDED"],
    cwd: bench.host,
  });
  // Again and again: gphoto2 does not say when it has listed the folder.
  let count = 0;
  const writing = setInterval(() => {
    Deno.writeTextFileSync(`${bench.device}/event${++count}.txt`, "new");
  }, 1000);
  const { success } = await waiting.process.status;
  clearInterval(writing);
  const { text } = await waiting.end("SIGKILL");
  assertEquals(success, true, text);
  assertStringIncludes(text, `FILEADDED event`);
});
