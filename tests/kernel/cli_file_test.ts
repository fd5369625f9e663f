/**
 * Gadget files on the command line: `up`, `export`, `down` and `unit`.
 *
 * @module
 */
// VM: any speed, newest kernel
import "../support/run/aio_libraries.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { FunctionFs, Gadget, kernelFunction } from "@usb/gadget";
import { kernelHas } from "../../src/compile/kernel_version.ts";
import { loadGadgetFile } from "../../src/cli/gadget_file/load.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import { waitForDevice } from "../../src/testing/usbfs/find.ts";
import { bulkEndpoints } from "../support/host/echo.ts";
import { link } from "../support/gadgets/link_function.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { testKernel } from "../support/run/kernel_version.ts";
import { runCli, startCli } from "../support/programs/cli.ts";
import {
  firstOutput,
  startProgram,
  victimProgram,
} from "../support/programs/victim.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { until } from "../support/waiting/until.ts";

const { maxSpeed } = gadgetSpeed();
const CONFIGFS = "/sys/kernel/config/usb_gadget";
const IDS = { vendorId: 0x1209, productId: 0x0001, serialNumber: "1" };

/** A folder for files, with an image of a disk. */
async function workFolder() {
  const path = await Deno.makeTempDir();
  await shell(`truncate -s 1M ${path}/stick.img`);
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Runs a command that succeeds, and returns what it prints. */
async function cli(...args: string[]): Promise<string> {
  const { code, text } = await runCli(...args);
  assertEquals(code, 0, text);
  return text;
}

Deno.test("a gadget is exported as the file that it was made from", async () => {
  const traces = gadgetTraces();
  await using folder = await workFolder();
  const file = `${folder.path}/tool.json`;
  const content = {
    ...IDS,
    deviceVersion: 0x0234,
    maxSpeed,
    product: { "en-US": "Board", "de-DE": "Brett" },
    selfPowered: true,
    microsoftOs: { vendorCode: 0x42, signature: "MSFT100" },
    ...(kernelHas(testKernel(), { major: 6, minor: 3 })
      ? {
        webUsb: {
          vendorCode: 2,
          version: 0x0100,
          landingPage: "https://example.org/",
        },
      }
      : {}),
    options: { name: "tool", mounts: { link: { path: "/run/link" } } },
    functions: [
      { external: "link", interfaces: 1 },
      {
        kernel: "mass_storage",
        name: "stick",
        attributes: { "lun.0/file": `${folder.path}/stick.img` },
      },
      { kernel: "hid", attributes: { report_desc: [5, 1, 0xc0] } },
    ],
    configurations: [
      { description: "All", functions: ["link", "stick", "hid"] },
      { maxPower: 100, functions: ["stick"] },
    ],
  };
  await Deno.writeTextFile(file, JSON.stringify(content));
  const started = cli("up", file);
  // It waits until another process serves the external function.
  await until(
    () => gadgetTraces().some((it) => it.endsWith("on /run/link")),
    "the function is mounted",
  );
  const served = FunctionFs.open(link("link"), "/run/link");
  assertMatch(await started, /^tool is up on dummy_udc\.0, \d+ changes\n$/);

  const exported = JSON.parse(await cli("export", "tool", "--json"));
  // All attributes that can be written are there; these were given.
  const [external, stick, hid] = exported.functions;
  assertEquals(external, content.functions[0]);
  assertEquals(stick.attributes["lun.0/file"], `${folder.path}/stick.img`);
  assertEquals(hid.attributes.report_desc, [5, 1, 0xc0]);
  // A definition with configurations exports what they have in each of them.
  const { selfPowered, ...device } = content;
  assertEquals({ ...exported, functions: content.functions }, {
    ...device,
    configurations: device.configurations.map((it) => ({
      ...it,
      selfPowered,
    })),
  });

  await Deno.writeTextFile(file, JSON.stringify(exported));
  assertEquals(await cli("up", file), "tool is up on dummy_udc.0, unchanged\n");
  assertEquals(await cli("down", "tool"), "tool is down\n");
  await served.close();
  assertEquals(gadgetTraces(), traces);
});

Deno.test("up, export, down and up again, for functions of the kernel, result in the same gadget", async () => {
  const traces = gadgetTraces();
  await using folder = await workFolder();
  const file = `${folder.path}/board.toml`;
  await Deno.writeTextFile(
    file,
    `
vendorId = 0x1209
productId = 0x0001
maxSpeed = "${maxSpeed}"
microsoftOs = true

[[functions]]
kernel = "rndis"
attributes = { class = 0xef, subclass = 0x04, protocol = 0x01, "os_desc/interface.rndis/compatible_id" = "RNDIS" }

[[functions]]
kernel = "ncm"
attributes = { host_addr = "02:00:00:00:00:0A" }

[[functions]]
kernel = "acm"
name = "console"

[[functions]]
kernel = "mass_storage"
attributes = { "lun.0/file" = "${folder.path}/stick.img", "lun.0/inquiry_string" = "Stick" }

[[functions]]
kernel = "midi"
attributes = { id = "piano" }
`,
  );
  assertStringIncludes(await cli("up", file), "board is up on dummy_udc.0");
  assertEquals(
    await cli("up", file),
    "board is up on dummy_udc.0, unchanged\n",
  );
  const exported = await cli("export", "board");
  assertStringIncludes(exported, "vendorId = 0x1209\nproductId = 0x01\n");
  await Deno.writeTextFile(file, exported);
  assertEquals(
    await cli("up", file),
    "board is up on dummy_udc.0, unchanged\n",
  );
  await cli("down", "board");
  assertEquals(gadgetTraces(), traces);
  const { changes } = JSON.parse(await cli("up", file, "--json"));
  assertEquals(changes[0], {
    type: "make",
    path: "functions/rndis.rndis",
  });
  assertEquals(await cli("export", "board"), exported);
  await cli("down", "board");
});

Deno.test("a camera, a sound card and a gadget of a shell script are made again from their files", async () => {
  const traces = gadgetTraces();
  await using folder = await workFolder();
  const path = `${CONFIGFS}/script`;
  await shell(`
    mkdir ${path}
    cd ${path}
    echo 0x1d6b > idVendor
    echo 0x0104 > idProduct
    echo 0x0512 > bcdDevice
    mkdir strings/0x409 configs/b.1 configs/b.1/strings/0x409
    echo "A maker" > strings/0x409/manufacturer
    echo "All" > configs/b.1/strings/0x409/configuration
    echo 250 > configs/b.1/MaxPower
    mkdir functions/uac2.usb0 functions/uvc.usb1
    echo 48000 > functions/uac2.usb0/p_srate
    ln -s functions/uac2.usb0 configs/b.1
    cd functions/uvc.usb1
    mkdir -p control/header/h streaming/header/h \
      streaming/uncompressed/u/360p streaming/uncompressed/u/1080p
    echo 640 > streaming/uncompressed/u/360p/wWidth
    echo 1920 > streaming/uncompressed/u/1080p/wWidth
    ln -s streaming/uncompressed/u streaming/header/h/u
    ln -s control/header/h control/class/fs/h
    ln -s control/header/h control/class/ss/h
    for speed in fs hs ss; do
      ln -s streaming/header/h streaming/class/$speed/h
    done
    ln -s ../uvc.usb1 ${path}/configs/b.1
  `);
  const exported = await cli("export", "script");
  const content = JSON.parse(await cli("export", "script", "--json"));
  assertEquals(
    { ...content, functions: content.functions.map(kindOf) },
    {
      vendorId: 0x1d6b,
      productId: 0x0104,
      deviceVersion: 0x0512,
      manufacturer: "A maker",
      options: { name: "script" },
      functions: ["uac2 usb0", "uvc usb1"],
      configurations: [{
        description: "All",
        maxPower: 250,
        functions: ["usb0", "usb1"],
      }],
    },
  );
  const [, { attributes, links }] = content.functions;
  assertEquals(attributes["streaming/uncompressed/u/1080p/wWidth"], 1920);
  assertEquals(
    links["streaming/header/h/u"],
    "streaming/uncompressed/u",
  );
  const refused = await runCli("down", "script");
  assertEquals(refused, {
    code: 1,
    text: 'Cannot remove gadget "script": another program has made it\n',
  });
  await shell(`
    cd ${path}
    rm configs/b.1/*.usb*
    cd functions/uvc.usb1
    rm streaming/class/*/h control/class/*/h streaming/header/h/u
    rmdir streaming/uncompressed/u/*/ streaming/uncompressed/u \
      streaming/header/h control/header/h
    cd ${path}
    rmdir functions/*/ configs/b.1/strings/* configs/b.1 strings/*
    rmdir ${path}
  `);
  const file = `${folder.path}/script.toml`;
  await Deno.writeTextFile(file, exported);
  // dummy_hcd has no isochronous endpoints: the gadget exists without a controller.
  const { definition, options } = await loadGadgetFile(file);
  const unbound = { ...options, bind: false, persistent: true };
  await Gadget.start(definition, unbound);
  assertEquals(await cli("export", "script"), exported);
  const again = await Gadget.start(definition, unbound);
  assertEquals(again.changes, []);
  await cli("down", "script");
  assertEquals(gadgetTraces(), traces);
});

function kindOf({ kernel, name }: { kernel: string; name: string }): string {
  return `${kernel} ${name}`;
}

Deno.test("functions of a module are served until a signal ends the command", async () => {
  const traces = gadgetTraces();
  await using folder = await workFolder();
  await Deno.writeTextFile(
    `${folder.path}/echo.ts`,
    `import { bulkPair } from "@usb/gadget";
    export default {
      name: "echo",
      interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
      async serve({ endpoints: { link } }) {
        for await (const bytes of link.transfers()) await link.write(bytes);
      },
    };`,
  );
  await Deno.writeTextFile(
    `${folder.path}/echo.json`,
    JSON.stringify({
      ...IDS,
      maxSpeed,
      functions: [{ module: "./echo.ts" }],
    }),
  );
  await using command = startCli("up", `${folder.path}/echo.json`);
  await waitForDevice(IDS);
  {
    await using device = await UsbfsDevice.find(IDS);
    await device.claimInterface(0);
    const { input, output } = bulkEndpoints(device);
    await device.bulkOut(output, new Uint8Array([1, 2, 3]));
    const echoed = await device.bulkIn(input, 64);
    assertEquals(echoed, new Uint8Array([1, 2, 3]));
  }
  const listed = await cli("list");
  assertStringIncludes(listed, `owner: process ${command.process.pid}`);
  const refused = await runCli("down", "echo");
  assertEquals(refused, {
    code: 1,
    text:
      `Cannot remove gadget "echo": process ${command.process.pid} has it; end that: kill ${command.process.pid}\n`,
  });
  const { status, text } = await command.end("SIGTERM");
  assertEquals(status.signal, "SIGTERM");
  assertMatch(text, /^echo is up on dummy_udc\.0, \d+ changes\n$/);
  assertEquals(gadgetTraces(), traces);
});

Deno.test("down removes what a killed process has left, and nothing of others", async () => {
  const traces = gadgetTraces();
  const victim = startProgram(
    victimProgram(`await start({ name: "left" }); console.log("up");`),
  );
  await firstOutput(victim);
  victim.kill("SIGKILL");
  await victim.status;
  await victim.stdout.cancel();
  const { removed } = JSON.parse(await cli("down", "left", "--json"));
  assertEquals(removed, ["left"]);
  assertEquals(gadgetTraces(), traces);
  await using own = await Gadget.start({
    ...IDS,
    functions: [kernelFunction("acm")],
  }, { name: "own" });
  const { code, text } = await runCli("down", "own");
  assertEquals(code, 1);
  assertStringIncludes(text, `process ${Deno.pid} has it`);
  assertEquals(own.bound, true);
  assertEquals(await runCli("down", "nothing"), {
    code: 1,
    text: 'Cannot find gadget "nothing": there is "own"\n',
  });
});
