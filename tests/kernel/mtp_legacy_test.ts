/**
 * MTP and a keyboard as functions of g_ffs, as the kernel's FunctionFS page has
 * them. In a VM of its own, as gadget_legacy_test.ts.
 *
 * @module
 */
// VM: --hcd none --modules usbhid,hid-generic,evdev --processors 1, newest kernel, any speed
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { listUdcs } from "@usb/gadget";
import { makeImageFolder } from "../support/gadgets/storage_bench.ts";
import { getFile, sendFile } from "../support/host/mtp_tools.ts";
import { TypedNumbers } from "../support/host/typed_numbers.ts";
import { shell } from "../support/machine/shell.ts";
import { startExample } from "../support/programs/example.ts";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../src/testing/usbfs/find.ts";

const ids = { vendorId: 0x1209, productId: 0x0003 };

Deno.test("examples/composite_mtp.ts and composite_keyboard.ts serve the functions of g_ffs", async () => {
  await using images = await makeImageFolder();
  const device = await images.folder("device");
  await shell(`
    modprobe dummy_hcd is_super_speed=1
    modprobe g_ffs functions=mtp,hid idVendor=0x1209 idProduct=0x0003
    for name in mtp hid; do
      mkdir /dev/ffs-$name
      mount -t functionfs $name /dev/ffs-$name
    done
    head -c 300000 /dev/urandom >${images.path}/sent`);
  for (let round = 1; round <= 2; round++) {
    await using mtp = startExample("composite_mtp.ts", { args: [device] });
    await using keyboard = startExample("composite_keyboard.ts");
    await waitForDevice(ids);
    assertEquals(listUdcs()[0].driver, "g_ffs");
    {
      await using numbers = await TypedNumbers.open(ids);
      const exchange = async () => {
        const id = await sendFile(`${images.path}/sent`);
        await getFile(id, `${images.path}/got`);
        await shell(`
          cd ${images.path}
          cmp sent got
          cmp sent device/sent
          rm got device/sent`);
      };
      await Promise.all([exchange(), numbers.take(2)]);
    }
    await (round === 1 ? mtp : keyboard).end("SIGKILL");
    await waitForNoDevice(ids);
  }
  await shell(`
    umount /dev/ffs-mtp /dev/ffs-hid
    rmdir /dev/ffs-mtp /dev/ffs-hid
    modprobe -r g_ffs`);
});
