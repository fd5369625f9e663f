// VM: --processors 1, a class of device, newest kernel
/**
 * examples/phone.ts and examples/camera.ts, as a user runs them.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { waitForDevice } from "../../src/testing/usbfs/find.ts";
import { makeImageFolder } from "../support/gadgets/storage_bench.ts";
import { getFile, listFiles, sendFile } from "../support/host/mtp_tools.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { startExample } from "../support/programs/example.ts";

Deno.test("examples/phone.ts offers the files of a directory, which the host can read and add to", async () => {
  const before = gadgetTraces();
  await using images = await makeImageFolder();
  const directory = await images.folder("directory");
  await Deno.writeTextFile(`${directory}/here`, "from the device");
  await Deno.writeTextFile(`${images.path}/there`, "from the host");
  await using phone = startExample("phone.ts", { args: [directory] });
  await waitForDevice({ vendorId: 0x1209, productId: 0x0001 });
  const [file] = await listFiles();
  assertEquals(file.name, "here");
  await getFile(file.id, `${images.path}/got`);
  await sendFile(`${images.path}/there`);
  await shell(`
    cd ${images.path}
    cmp got directory/here
    cmp there directory/there`);
  assertEquals((await phone.end("SIGINT")).text, "");
  assertEquals(gadgetTraces(), before);
});

Deno.test("examples/phone.ts explains its argument", async () => {
  await using phone = startExample("phone.ts");
  assertEquals((await phone.process.status).code, 2);
  const { text } = await phone.end("SIGKILL");
  assertStringIncludes(text, "Usage: phone.ts DIRECTORY");
});

Deno.test("examples/camera.ts takes pictures, which gphoto2 downloads", async () => {
  const before = gadgetTraces();
  await using images = await makeImageFolder();
  await using camera = startExample("camera.ts");
  await waitForDevice({ vendorId: 0x1209, productId: 0x0001 });
  const text = await shell(`
    cd ${images.path}
    gphoto2 --capture-image-and-download
    gphoto2 --capture-image-and-download --keep
    gphoto2 --folder /store_00010001/DCIM/100TEST --get-file IMG_0002.BMP --filename got
    cmp got IMG_0002.BMP`);
  assertStringIncludes(text, "IMG_0001.BMP");
  assertEquals((await Deno.stat(`${images.path}/got`)).size, 196_662);
  assertEquals((await camera.end("SIGINT")).text, "");
  assertEquals(gadgetTraces(), before);
});
