// VM: any speed, newest kernel
/**
 * The types of attributes have those of the newest kernel: the compiler compares
 * them with a table, and the kernel has to make what is in it.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects } from "@std/assert";
import {
  Gadget,
  type KernelAttributes,
  type KernelFunction,
  kernelFunction,
} from "@usb/gadget";

const ids = { vendorId: 0x1209, productId: 0x0001 };

/** Their attributes are paths with names that the user chooses. */
type WithPaths = "mass_storage" | "uvc";
/** Other names of types in the table. */
type Synonyms = "serial" | "loopback";

const NAMES: {
  readonly [T in Exclude<keyof KernelAttributes, WithPaths | Synonyms>]: {
    readonly [A in keyof Required<KernelAttributes[T]>]: true;
  };
} = {
  ecm: {
    dev_addr: true,
    host_addr: true,
    ifname: true,
    qmult: true,
  },
  ncm: {
    dev_addr: true,
    host_addr: true,
    ifname: true,
    max_segment_size: true,
    "os_desc/interface.ncm/compatible_id": true,
    "os_desc/interface.ncm/sub_compatible_id": true,
    qmult: true,
  },
  rndis: {
    class: true,
    dev_addr: true,
    host_addr: true,
    ifname: true,
    "os_desc/interface.rndis/compatible_id": true,
    "os_desc/interface.rndis/sub_compatible_id": true,
    protocol: true,
    qmult: true,
    subclass: true,
  },
  eem: {
    dev_addr: true,
    host_addr: true,
    ifname: true,
    qmult: true,
  },
  geth: {
    dev_addr: true,
    host_addr: true,
    ifname: true,
    qmult: true,
  },
  acm: {
    protocol: true,
  },
  gser: {},
  obex: {},
  phonet: {},
  hid: {
    interval: true,
    no_out_endpoint: true,
    protocol: true,
    report_desc: true,
    report_length: true,
    subclass: true,
  },
  midi: {
    buflen: true,
    id: true,
    in_ports: true,
    index: true,
    interface_string: true,
    out_ports: true,
    qlen: true,
  },
  uac1: {
    c_chmask: true,
    c_fu_vol_name: true,
    c_it_ch_name: true,
    c_it_name: true,
    c_mute_present: true,
    c_ot_name: true,
    c_srate: true,
    c_ssize: true,
    c_volume_max: true,
    c_volume_min: true,
    c_volume_present: true,
    c_volume_res: true,
    function_name: true,
    p_chmask: true,
    p_fu_vol_name: true,
    p_it_ch_name: true,
    p_it_name: true,
    p_mute_present: true,
    p_ot_name: true,
    p_srate: true,
    p_ssize: true,
    p_volume_max: true,
    p_volume_min: true,
    p_volume_present: true,
    p_volume_res: true,
    req_number: true,
  },
  uac2: {
    c_chmask: true,
    c_fu_vol_name: true,
    c_hs_bint: true,
    c_it_ch_name: true,
    c_it_name: true,
    c_mute_present: true,
    c_ot_name: true,
    c_srate: true,
    c_ssize: true,
    c_sync: true,
    c_terminal_type: true,
    c_volume_max: true,
    c_volume_min: true,
    c_volume_present: true,
    c_volume_res: true,
    clksrc_in_name: true,
    clksrc_out_name: true,
    fb_max: true,
    function_name: true,
    if_ctrl_name: true,
    p_chmask: true,
    p_fu_vol_name: true,
    p_hs_bint: true,
    p_it_ch_name: true,
    p_it_name: true,
    p_mute_present: true,
    p_ot_name: true,
    p_srate: true,
    p_ssize: true,
    p_terminal_type: true,
    p_volume_max: true,
    p_volume_min: true,
    p_volume_present: true,
    p_volume_res: true,
    req_number: true,
  },
  printer: {
    pnp_string: true,
    q_len: true,
  },
  Loopback: {
    bulk_buflen: true,
    qlen: true,
  },
  SourceSink: {
    bulk_buflen: true,
    bulk_maxburst: true,
    bulk_qlen: true,
    iso_qlen: true,
    isoc_interval: true,
    isoc_maxburst: true,
    isoc_maxpacket: true,
    isoc_mult: true,
    pattern: true,
  },
};

/** The files below a directory that can be written, by their paths. */
function writableFiles(directory: string, prefix = ""): string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => {
    const path = `${directory}/${name}`;
    if (isDirectory) return writableFiles(path, `${prefix}${name}/`);
    const isWritable = (Deno.statSync(path).mode! & 0o222) !== 0;
    return isWritable ? [prefix + name] : [];
  }).sort();
}

async function attributesOf(
  type: string,
  attributes: KernelFunction["attributes"] = {},
  links: KernelFunction["links"] = {},
): Promise<string[]> {
  await using gadget = await Gadget.start({
    ...ids,
    functions: [kernelFunction<string>(type, attributes, { links })],
  }, { bind: false });
  const root = `/sys/kernel/config/usb_gadget/${gadget.name}`;
  return writableFiles(`${root}/functions/${type}.${type}`);
}

for (const [type, names] of Object.entries(NAMES)) {
  Deno.test(`the attributes of ${type} are those of the kernel`, async () => {
    assertEquals(Object.keys(names).sort(), await attributesOf(type));
  });
}

Deno.test("the attributes of disks and cameras are those of the kernel, apart from paths", async () => {
  const unit = {
    "lun.0/cdrom": true,
    "lun.0/file": "",
    "lun.0/forced_eject": true,
    "lun.0/inquiry_string": "x",
    "lun.0/nofua": true,
    "lun.0/removable": true,
    "lun.0/ro": true,
    stall: true,
  } satisfies KernelAttributes["mass_storage"];
  assertEquals(Object.keys(unit).sort(), await attributesOf("mass_storage"));
  const camera = {
    function_name: "x",
    streaming_interval: 1,
    streaming_maxburst: 1,
    streaming_maxpacket: 1024,
  } satisfies KernelAttributes["uvc"];
  assertEquals(
    Object.keys(camera),
    // The kernel refuses a camera without a format.
    (await attributesOf("uvc", {
      "streaming/uncompressed/u/360p/wWidth": 640,
    }, {
      "streaming/header/h/u": "streaming/uncompressed/u",
      "streaming/class/fs/h": "streaming/header/h",
    })).filter((path) => !path.includes("/")),
  );
});

Deno.test("an attribute that the types do not have needs no cast; one that the kernel does not have is named", async () => {
  const attributes = kernelFunction("ecm", { qmult: 4, from_the_future: 1 });
  assertEquals(attributes.attributes, { qmult: 4, from_the_future: 1 });
  await assertRejects(
    () => Gadget.start({ ...ids, functions: [attributes] }),
    Deno.errors.NotFound,
    "from_the_future",
  );
  // @ts-expect-error those that it has are checked
  kernelFunction("ecm", { qmult: "4" });
});
