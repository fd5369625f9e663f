/**
 * Changes of existing gadgets.
 *
 * @module
 */
// VM: any speed
import "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  bulkPair,
  DefinitionError,
  Gadget,
  type GadgetDefinition,
  kernelFunction,
  usbFunction,
} from "@usb/gadget";
import { list } from "../../ffi/file.ts";
import { Enumerations } from "../support/host/enumerations.ts";
import { testKernel } from "../support/run/kernel_version.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { countConfigfsChanges } from "../support/measure/configfs_trace.ts";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../src/testing/usbfs/find.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const { maxSpeed } = gadgetSpeed();
const CONFIGFS = "/sys/kernel/config/usb_gadget";
const { major, minor } = testKernel();
const hasWebUsb = major > 6 || minor >= 3;

const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});
const network = kernelFunction("ecm", { host_addr: "02:00:00:00:00:01" });

Deno.test("apply() does not write equal values, and the host sees nothing", async () => {
  const german = { "de-DE": "Echo auf Deutsch" };
  await waitForNoDevice(ids);
  const definition = {
    ...ids,
    maxSpeed,
    usbVersion: 0x0200,
    product: { "en-US": "Echo", ...german },
    microsoftOs: true,
    ...(hasWebUsb
      ? { webUsb: { landingPage: "https://example.com/echo" } }
      : {}),
    functions: [network, echo],
    configurations: [{ description: "Both" }, {
      description: "Network only",
      functions: ["ecm"],
      selfPowered: true,
    }],
  } as const;
  await using gadget = await Gadget.start(definition);
  const enumerations = new Enumerations(ids);
  const before = await enumerations.next();
  using configfs = countConfigfsChanges();
  const again = { ...definition, functions: [...definition.functions] };
  assertEquals(await gadget.apply(again), { changes: [], rebound: false });
  assertEquals(configfs.count(), 0);
  assertEquals(await waitForDevice(ids), before);
  // One string, without disturbing the host: one write.
  const renamed = { ...again, product: { "en-US": "Other", ...german } };
  assertEquals(await gadget.apply(renamed, { rebind: false }), {
    changes: [{ type: "set", path: "strings/0x409/product" }],
    rebound: false,
  });
  assertEquals(configfs.count(), 1);
  assertEquals(await waitForDevice(ids), before);
  // And with: the host reads the new one.
  const { changes, rebound } = await gadget.apply({
    ...renamed,
    product: { "en-US": "Third", ...german },
  });
  assertEquals(rebound, true);
  assertEquals(changes.map(({ type, path }) => `${type} ${path}`), [
    "unbind UDC",
    "set strings/0x409/product",
    "bind UDC",
  ]);
  assertEquals(configfs.count(), 4);
  const { sysfsPath } = await enumerations.next();
  assertEquals(
    (await Deno.readTextFile(`${sysfsPath}/product`)).trim(),
    "Third",
  );
});

Deno.test("functions come, go, move and change, and keep their order", async () => {
  const traces = gadgetTraces();
  const serial = kernelFunction("acm", {}, { name: "tty" });
  const define = (functions: GadgetDefinition["functions"]) => ({
    ...ids,
    maxSpeed,
    functions,
  });
  {
    await using gadget = await Gadget.start(define([echo]));
    const enumerations = new Enumerations(ids);
    await enumerations.next();
    const links = () =>
      list(`${CONFIGFS}/${gadget.name}/configs/c.1`)
        .filter((it) => it.isSymlink).map((it) => it.name).sort()
        .map((name) => name.split(".")[1]);
    /** The classes of the interfaces, after the device was enumerated anew. */
    const interfaces = async () => {
      const { sysfsPath, name } = await enumerations.next();
      const found: string[] = [];
      for await (const entry of Deno.readDir(sysfsPath)) {
        if (!entry.name.startsWith(`${name}:`)) continue;
        const path = `${sysfsPath}/${entry.name}/bInterfaceClass`;
        found.push(
          `${entry.name.split(".").at(-1)} ${
            (await Deno.readTextFile(path)).trim()
          }`,
        );
      }
      return found.sort();
    };
    await gadget.apply(define([network, echo, serial]));
    assertEquals(links(), ["ecm", "ffs", "acm"]);
    assertEquals(await interfaces(), ["0 02", "1 0a", "2 ff", "3 02", "4 0a"]);
    await gadget.apply(define([echo, serial, network]));
    assertEquals(links(), ["ffs", "acm", "ecm"]);
    assertEquals(await interfaces(), ["0 ff", "1 02", "2 0a", "3 02", "4 0a"]);
    const changed = kernelFunction("ecm", { host_addr: "02:00:00:00:00:07" });
    const { changes } = await gadget.apply(define([echo, serial, changed]));
    assertEquals(changes.map(({ type, path }) => `${type} ${path}`), [
      "unbind UDC",
      "unlink configs/c.1/02.ecm.ecm",
      "set functions/ecm.ecm/host_addr",
      "link configs/c.1/02.ecm.ecm",
      "bind UDC",
    ]);
    await enumerations.next();
    await gadget.apply(define([echo]));
    assertEquals(await interfaces(), ["0 ff"]);
    assertEquals(
      list(`${CONFIGFS}/${gadget.name}/functions`).map((it) => it.name),
      [`ffs.${gadget.name}-echo`],
    );
    // A change that the kernel refuses is undone.
    await assertRejects(
      () =>
        gadget.apply(define([
          echo,
          kernelFunction("ecm", { qmult: 1000 }),
        ])),
      Error,
      'Cannot set gadget attribute "functions/ecm.ecm/qmult" to 1000',
    );
    assertEquals(await interfaces(), ["0 ff"]);
    await assertRejects(
      () => gadget.apply(define([usbFunction({ ...echo })])),
      TypeError,
      'the function "echo" must stay the same object',
    );
  }
  await waitForNoDevice(ids);
  assertEquals(gadgetTraces(), traces);
});

Deno.test("kernel functions of each kind are made, bound and removed", async () => {
  const traces = gadgetTraces();
  const image = await Deno.makeTempFile();
  await Deno.truncate(image, 1 << 20);
  const kinds = [
    kernelFunction("ecm", { qmult: 3 }),
    kernelFunction("ncm", { "os_desc/interface.ncm/compatible_id": "WINNCM" }),
    kernelFunction("rndis", { class: 0xef, subclass: 4, protocol: 1 }),
    kernelFunction("eem", {}),
    kernelFunction("geth", {}),
    kernelFunction("acm", {}),
    kernelFunction("serial"),
    kernelFunction("obex"),
    kernelFunction("hid", {
      report_desc: new Uint8Array([5, 1, 9, 6, 0xa1, 1, 0xc0]),
      report_length: 8,
    }),
    kernelFunction("mass_storage", { "lun.0/file": image, "lun.1/ro": true }),
    kernelFunction("midi", { in_ports: 2 }),
    kernelFunction("printer", { pnp_string: "MFG:x;" }),
    kernelFunction("loopback", {}),
    kernelFunction("SourceSink", { pattern: 2 }),
  ];
  for (const each of kinds) {
    // OBEX waits until its device is opened; dummy_hcd has no isochronous
    // endpoints.
    const bind = each.name !== "obex" && each.name !== "SourceSink";
    await using gadget = await Gadget.start(
      { ...ids, maxSpeed, microsoftOs: true, functions: [each] },
      { bind },
    );
    const { changes } = await gadget.apply({
      ...gadget.definition,
      functions: [each],
    });
    assertEquals(changes, [], each.name);
    if (gadget.bound) {
      const { sysfsPath } = await waitForDevice(ids);
      const count = (await Deno.readTextFile(`${sysfsPath}/bNumInterfaces`))
        .trim();
      assertEquals(Number(count), each.interfaces, each.name);
    }
    await gadget.stop();
    await waitForNoDevice(ids);
  }
  // Those that no controller supports are still made and removed.
  for (
    const each of [
      kernelFunction("uac1", { c_srate: "44100,48000" }),
      kernelFunction("uac2", { p_chmask: 0 }),
      kernelFunction("uvc", {
        streaming_maxpacket: 512,
        "streaming/uncompressed/u/360p/wWidth": 640,
        "streaming/uncompressed/u/360p/wHeight": 360,
      }, {
        links: {
          "streaming/header/h/u": "streaming/uncompressed/u",
          "streaming/class/fs/h": "streaming/header/h",
        },
      }),
    ]
  ) {
    await using gadget = await Gadget.start(
      { ...ids, functions: [each] },
      { bind: false },
    );
    const { changes } = await gadget.apply({ ...ids, functions: [each] });
    assertEquals(changes, [], each.name);
  }
  await Deno.remove(image);
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a medium is changed while the host keeps its disk", async () => {
  const images = [await Deno.makeTempFile(), await Deno.makeTempFile()];
  for (const image of images) await Deno.truncate(image, 1 << 20);
  const disk = (image: string) => ({
    ...ids,
    maxSpeed,
    functions: [kernelFunction("mass_storage", { "lun.0/file": image })],
  });
  await using gadget = await Gadget.start(disk(""));
  const before = await waitForDevice(ids);
  for (const image of images) {
    assertEquals(await gadget.apply(disk(image)), {
      changes: [{
        type: "set",
        path: "functions/mass_storage.mass_storage/lun.0/file",
      }],
      rebound: false,
    });
  }
  assertEquals(await waitForDevice(ids), before);
  // The kernel shows the path without links.
  const link = `${images[1]}.link`;
  await Deno.symlink(images[1], link);
  assertEquals((await gadget.apply(disk(link))).changes, []);
  await gadget.apply(disk(""));
  for (const path of [...images, link]) await Deno.remove(path);
});

Deno.test("a persistent gadget outlives its object, and is adopted without a write", async () => {
  const traces = gadgetTraces();
  const definition = {
    ...ids,
    maxSpeed,
    product: "Stays",
    functions: [network],
  };
  const options = { name: "stays", persistent: true };
  await waitForNoDevice(ids);
  {
    await using gadget = await Gadget.start(definition, options);
    assertEquals(gadget.bound, true);
  }
  const before = await waitForDevice(ids);
  assertEquals(await Gadget.cleanUp(), []);
  const gadget = await Gadget.start(definition, options);
  assertEquals(gadget.changes, []);
  assertEquals(await waitForDevice(ids), before);
  await assertRejects(
    () => Gadget.start(definition, { name: "stays" }),
    Deno.errors.AlreadyExists,
    "a persistent one has the name",
  );
  // After a failed change, the host sees the old gadget again.
  const refused = kernelFunction("ecm", { qmult: 1000 });
  await assertRejects(
    () => Gadget.start({ ...definition, functions: [refused] }, options),
    Error,
    "to 1000: Numerical result out of range",
  );
  assertEquals(gadget.bound, true);
  await waitForDevice(ids);
  assertEquals(await Gadget.cleanUp({ persistent: true }), ["stays"]);
  assertEquals(gadgetTraces(), traces);
});

Deno.test("names that lead elsewhere are refused before anything is written", async () => {
  const traces = gadgetTraces();
  for (const name of ["", ".", "..", "a/b", "../a", "-a", ".a", "a b", "a\n"]) {
    await assertRejects(
      () => Gadget.start({ ...ids, functions: [echo] }, { name }),
      DefinitionError,
      "The gadget's name is",
    );
  }
  await assertRejects(
    () =>
      Gadget.start({
        ...ids,
        functions: [kernelFunction("x", { "../../idVendor": 1 })],
      }),
    DefinitionError,
    "A part of the attribute's path is",
  );
  assertEquals(gadgetTraces(), traces);
});

Deno.test("WebUSB on a kernel without it is refused, and nothing is left behind", async () => {
  const traces = gadgetTraces();
  const start = () =>
    Gadget.start({
      ...ids,
      maxSpeed,
      webUsb: { landingPage: "https://example.com" },
      functions: [echo],
    });
  if (hasWebUsb) await (await start()).stop();
  else {
    const error = await assertRejects(start, Deno.errors.NotSupported);
    assertStringIncludes(error.message, '"webUsb" needs Linux 6.3 or newer');
  }
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a change after which the gadget cannot be bound is undone", async () => {
  await using gadget = await Gadget.start({
    ...ids,
    maxSpeed,
    product: "Before",
    functions: [echo],
  });
  const enumerations = new Enumerations(ids);
  await enumerations.next();
  const { definition } = gadget;
  const tree = () => listTree(`${CONFIGFS}/${gadget.name}`);
  const before = tree();
  const takers = Array.from(
    { length: 6 },
    (_, index) => kernelFunction("acm", {}, { name: `tty${index}` }),
  );
  const error = await assertRejects(
    () =>
      gadget.apply({
        ...ids,
        maxSpeed,
        product: "After",
        functions: [...takers, echo],
      }),
    Deno.errors.Busy,
  );
  assertStringIncludes(error.message, "failed to start");
  assertEquals(gadget.bound, true);
  assertEquals(gadget.definition, definition);
  assertEquals(tree(), before);
  const { sysfsPath } = await enumerations.next();
  await gadget.functions.echo.enabled();
  assertEquals(
    (await Deno.readTextFile(`${sysfsPath}/product`)).trim(),
    "Before",
  );
});

/** The paths of all directories and links. */
function listTree(path: string): string[] {
  return list(path).filter((it) => it.isDirectory || it.isSymlink)
    .map(({ name }) => `${path}/${name}`).sort()
    .flatMap((
      it,
    ) => [it, ...(Deno.lstatSync(it).isSymlink ? [] : listTree(it))]);
}
