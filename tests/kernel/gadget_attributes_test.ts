/**
 * Attributes of kernel functions: the order of their keys means nothing, and the
 * kernel shows them in its own way.
 *
 * @module
 */
// VM: any speed
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import {
  Gadget,
  type GadgetDefinition,
  type KernelAttributes,
  kernelFunction,
} from "@usb/gadget";
import { readFile } from "../../ffi/file.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const { maxSpeed } = gadgetSpeed();
const CONFIGFS = "/sys/kernel/config/usb_gadget";
const unbound = { bind: false };

/** All orders of some values. */
function orders<T>(values: readonly T[]): T[][] {
  if (values.length < 2) return [[...values]];
  return values.flatMap((value, index) =>
    orders(values.toSpliced(index, 1)).map((rest) => [value, ...rest])
  );
}

function reorder<T>(record: Readonly<Record<string, T>>): Record<string, T>[] {
  return orders(Object.entries(record)).map((it) => Object.fromEntries(it));
}

/** The values of some attributes of the gadget's only function. */
function valuesOf(
  gadget: Gadget,
  directory: string,
  paths: readonly string[],
): Record<string, string> {
  const root = `${CONFIGFS}/${gadget.name}/functions/${directory}`;
  return Object.fromEntries(
    paths.map((path) => [
      path,
      new TextDecoder().decode(readFile(`${root}/${path}`)).trimEnd(),
    ]),
  );
}

async function withImage(work: (image: string) => Promise<void>) {
  const image = await Deno.makeTempFile();
  await Deno.truncate(image, 1 << 20);
  try {
    await work(image);
  } finally {
    await Deno.remove(image);
  }
}

Deno.test("a drive is the same whatever the order of its attributes", () =>
  withImage(async (image) => {
    const drives: Record<string, string | boolean>[] = [
      { file: image, ro: true, cdrom: false },
      { file: image, ro: false, cdrom: true },
      { file: image, ro: true, cdrom: true, removable: false },
      { file: image, cdrom: true },
      { file: image, cdrom: false },
    ];
    const directory = "mass_storage.mass_storage";
    const define = (drive: Record<string, string | boolean>) => {
      const attributes = Object.fromEntries(
        Object.entries(drive).map(([name, value]) => [`lun.0/${name}`, value]),
      );
      return {
        ...ids,
        functions: [kernelFunction("mass_storage", attributes)],
      };
    };
    const paths = ["file", "ro", "cdrom", "removable"].map((it) =>
      `lun.0/${it}`
    );
    for (const drive of drives) {
      const { ro = drive.cdrom, cdrom, removable = true } = drive;
      const expected = {
        "lun.0/file": image,
        "lun.0/ro": String(Number(ro)),
        "lun.0/cdrom": String(Number(cdrom)),
        "lun.0/removable": String(Number(removable)),
      };
      for (const order of reorder(drive)) {
        const message = JSON.stringify(order);
        await using gadget = await Gadget.start(define(order), unbound);
        assertEquals(valuesOf(gadget, directory, paths), expected, message);
        // Also where it was another one before, with a medium.
        for (const other of drives) {
          await gadget.apply(define(other));
          await gadget.apply(define(order));
          assertEquals(valuesOf(gadget, directory, paths), expected, message);
        }
      }
    }
  }));

Deno.test("a camera is the same whatever the order of its attributes and links", async () => {
  const attributes: KernelAttributes["uvc"] = {
    "streaming/uncompressed/u/bDefaultFrameIndex": 2,
    "streaming/uncompressed/u/1080p/wWidth": 1920,
    "streaming/uncompressed/u/360p/wWidth": 640,
    "streaming/uncompressed/u/360p/dwFrameInterval": "666666\n333333",
  };
  const links = {
    "control/class/fs/h": "control/header/h",
    "streaming/class/hs/h": "streaming/header/h",
    "streaming/header/h/u": "streaming/uncompressed/u",
    "streaming/header/h/m": "streaming/mjpeg/m",
  };
  const frames = "streaming/uncompressed/u";
  const paths = [
    `${frames}/bDefaultFrameIndex`,
    `${frames}/bFormatIndex`,
    `${frames}/360p/bFrameIndex`,
    `${frames}/1080p/bFrameIndex`,
    "streaming/mjpeg/m/bFormatIndex",
  ];
  const define = (orderedAttributes: object, orderedLinks: object) => ({
    ...ids,
    functions: [
      kernelFunction("uvc", {
        ...orderedAttributes,
        "control/header/h/bcdUVC": 0x0110,
        "streaming/mjpeg/m/360p/wWidth": 640,
      }, { links: orderedLinks as Record<string, string> }),
    ],
  });
  const expected = {
    [`${frames}/bDefaultFrameIndex`]: "2",
    [`${frames}/bFormatIndex`]: "2",
    [`${frames}/360p/bFrameIndex`]: "1",
    [`${frames}/1080p/bFrameIndex`]: "2",
    "streaming/mjpeg/m/bFormatIndex": "1",
  };
  const check = async (definition: GadgetDefinition) => {
    await using gadget = await Gadget.start(definition, unbound);
    assertEquals(valuesOf(gadget, "uvc.uvc", paths), expected);
    assertEquals((await gadget.apply(define(attributes, links))).changes, []);
  };
  for (const order of reorder(attributes as Record<string, string>)) {
    await check(define(order, links));
  }
  for (const order of reorder(links)) await check(define(attributes, order));
  // A linked function is changed, too: it is made anew.
  await using gadget = await Gadget.start(define(attributes, links), unbound);
  const wide = { ...attributes, [`${frames}/360p/wWidth`]: 480 };
  await gadget.apply(define(wide, links));
  assertEquals(
    valuesOf(gadget, "uvc.uvc", [...paths, `${frames}/360p/wWidth`]),
    {
      ...expected,
      [`${frames}/360p/wWidth`]: "480",
    },
  );
});

Deno.test("apply() of what the gadget is made from changes nothing, however the kernel shows it", () =>
  withImage(async (image) => {
    const definition: GadgetDefinition = {
      ...ids,
      maxSpeed,
      product: { "en-US": "\ufeffName", "de-DE": " Name " },
      serialNumber: "\ufeff",
      microsoftOs: true,
      functions: [
        kernelFunction("mass_storage", {
          "lun.0/inquiry_string": "Short",
          "lun.0/file": image,
          "lun.1/removable": "y" as unknown as boolean,
          "lun.1/inquiry_string": "",
          "lun.1/ro": "Y" as unknown as boolean,
          "lun.0/forced_eject": true,
        }),
        kernelFunction("ncm", {
          "os_desc/interface.ncm/compatible_id": "WINNCM",
          host_addr: "02:00:00:00:00:0A",
          qmult: "0x05" as unknown as number,
        }),
        kernelFunction("midi", { id: "\ufeffid" }),
      ],
      configurations: [{ description: "\ufeffAll" }],
    };
    await using gadget = await Gadget.start(definition);
    assertEquals(await gadget.apply(gadget.definition), {
      changes: [],
      rebound: false,
    });
    const copy = structuredClone(definition);
    assertEquals((await gadget.apply(copy)).changes, []);
    await gadget.stop();
    // An adopted gadget is only compared with what the kernel shows.
    const name = { name: "stays", persistent: true };
    const [, network, midi] = definition.functions;
    const plain = {
      ...definition,
      functions: [
        kernelFunction("mass_storage", {
          "lun.0/inquiry_string": "Short",
          "lun.0/file": image,
        }),
        network,
        midi,
      ],
    };
    await (await Gadget.start(plain, name))[Symbol.asyncDispose]();
    const again = await Gadget.start(plain, name);
    assertEquals(again.changes, []);
    await again.stop();
  }));

Deno.test("a text of eight bytes leaves nothing of a longer one", async () => {
  const define = (id: string) => ({
    ...ids,
    microsoftOs: true,
    functions: [
      kernelFunction("ncm", { "os_desc/interface.ncm/compatible_id": id }),
    ],
  });
  await using gadget = await Gadget.start(define("WINNCM"), unbound);
  for (const id of ["X", "LONGNAME", "", "AB"]) {
    await gadget.apply(define(id));
    const path = "os_desc/interface.ncm/compatible_id";
    const { [path]: value } = valuesOf(gadget, "ncm.ncm", [path]);
    assertEquals(value.replace(/\0+$/, ""), id);
    assertEquals((await gadget.apply(define(id))).changes, []);
  }
});
