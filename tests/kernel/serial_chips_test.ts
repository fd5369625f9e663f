// VM: --processors 1, a class of device, newest kernel
/**
 * The serial chips of examples/devices under the kernel's drivers for them.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { Gadget } from "@usb/gadget";
import { Cp2102 } from "../../examples/devices/cp2102.ts";
import { Ft232r } from "../../examples/devices/ft232r.ts";
import { loopBack } from "../../examples/devices/serial_chip.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import { waitForNoDevice } from "../../src/testing/usbfs/find.ts";
import { pattern } from "../support/data/pattern.ts";
import { makeImageFolder } from "../support/gadgets/storage_bench.ts";
import { waitForTerminal } from "../support/host/terminal.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { startExample } from "../support/programs/example.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

const CHIPS = [
  {
    example: "devices/cp2102.ts",
    Chip: Cp2102,
    driver: "cp210x",
    ids: { vendorId: 0x10c4, productId: 0xea60, deviceVersion: 0x0100 },
  },
  {
    example: "devices/ft232r.ts",
    Chip: Ft232r,
    driver: "ftdi_sio",
    ids: { vendorId: 0x0403, productId: 0x6001, deviceVersion: 0x0600 },
  },
] as const;

/** Sends a file over a terminal, and compares what comes back. */
const LOOP_BACK = `loop_back() {
  exec 3<>"$1"
  stty raw -echo 921600 <&3
  head -c "$(stat -c %s "$2")" <&3 >"$2.back" &
  cat "$2" >&3
  wait
  exec 3>&-
  [ "$(cksum <"$2")" = "$(cksum <"$2.back")" ]
}
`;

for (const { example, Chip, driver, ids } of CHIPS) {
  Deno.test(`examples/${example}: ${driver} loops back what is sent, and opens many times`, async () => {
    const before = gadgetTraces();
    await using images = await makeImageFolder();
    const { path } = images;
    await using program = startExample(example);
    const terminal = await waitForTerminal(driver);
    await Deno.writeFile(`${path}/large`, pattern(soak(1 << 20, 1 << 18)));
    await shell(`${LOOP_BACK}
      loop_back ${terminal} ${path}/large
      for round in $(seq ${soak(100, 10)}); do
        seq $round $((round + 100)) >${path}/small
        loop_back ${terminal} ${path}/small
      done`);
    assertEquals((await program.end("SIGINT")).text, "");
    await waitForNoDevice(ids);
    assertEquals(gadgetTraces(), before);
  });

  Deno.test(`${driver} makes settings, which the program sees`, async () => {
    const chip = new Chip(loopBack);
    await using gadget = await Gadget.start({
      ...ids,
      maxSpeed: "full-speed",
      functions: [chip],
    });
    const terminal = await waitForTerminal(driver);
    const held: string[] = [];
    const { settings } = chip;
    for (
      const line of [
        "38400 cs7 parenb parodd cstopb",
        "1200 cs8 -parenb -cstopb",
      ]
    ) {
      await shell(`stty raw -echo ${line} <${terminal}`);
      const { baudRate, dataBits, parity, stopBits } = settings;
      held.push([baudRate, dataBits, parity, stopBits].join(" "));
    }
    assertEquals(held, ["38400 7 odd 2", "1200 8 none 1"]);
    // Closing it hangs up.
    assertEquals([settings.dtr, settings.rts], [false, false]);
    assertEquals(gadget.functions.serial.state, "enabled");
  });

  Deno.test(`${driver}: the cable works after a reset, an unplugged cable and a killed program in the middle of data`, async () => {
    await using images = await makeImageFolder();
    const { path } = images;
    await Deno.writeFile(`${path}/large`, pattern(1 << 20));
    await Deno.writeFile(`${path}/small`, pattern(3000, 5));
    let received = 0;
    const chip = new Chip(async (chip) => {
      for await (const bytes of chip.received()) {
        received += bytes.length;
        await chip.send(bytes);
      }
    });
    await using gadget = await Gadget.start({
      ...ids,
      maxSpeed: "full-speed",
      functions: [chip],
    });
    for (let round = 0; round < soak(15, 3); round++) {
      const terminal = await waitForTerminal(driver);
      const writer = new Deno.Command("sh", {
        args: [
          "-c",
          `stty raw -echo 921600 <${terminal}; exec cat ${path}/large >${terminal}`,
        ],
        stderr: "null",
      }).spawn();
      const least = received + 3000;
      await until(() => received > least, "the host is sending");
      if (round % 3 === 0) {
        await using device = await UsbfsDevice.find(ids);
        await device.reset();
      } else if (round % 3 === 1) {
        gadget.unbind();
        await waitForNoDevice(ids);
        await gadget.bind();
      } else {
        writer.kill("SIGKILL");
      }
      await writer.status;
      const next = await waitForTerminal(driver);
      await shell(`${LOOP_BACK} loop_back ${next} ${path}/small`);
    }
    await gadget.stop();
    await waitForNoDevice(ids);
  });
}
