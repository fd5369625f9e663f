// VM: any speed, since Linux 7.3, any architecture
import { setTimeout as delay } from "node:timers/promises";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { decodeDescriptors } from "@usb/gadget/inspect";
import {
  Gadget,
  isochronousIn,
  isochronousOut,
  SessionEndedError,
  usbFunction,
} from "@usb/gadget";
import { unplug } from "../support/gadgets/cable.ts";
import { pattern } from "../support/data/pattern.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import "../support/run/aio_libraries.ts";
import { check } from "../../ffi/errno.ts";
import { close, writeFile } from "../../ffi/file.ts";
import { ERRNO } from "../../ffi/libc.ts";

/**
 * The name of a second virtual controller. Its host, vhci_hcd, is connected to it
 * by a socket, at high speed.
 */
const VUDC = "usbip-vudc.0";

const PLATFORM = "/sys/devices/platform";

const AF_UNIX = 1;
const SOCK_STREAM = 1;

/** `USB_SPEED_HIGH`, as vhci_hcd expects it. */
const SPEED_HIGH = 3;
/** Bus 1, device 2; any value works. */
const DEVICE_ID = 0x10002;

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Loads the controller, and unloads it on disposal. */
async function loadVirtualUdc(): Promise<AsyncDisposable> {
  await run("modprobe", "-a", "usbip-vudc", "vhci-hcd");
  return {
    [Symbol.asyncDispose]: () =>
      run("modprobe", "-r", "usbip-vudc", "vhci-hcd"),
  };
}

/** Connects the controller's gadget to the host. */
function connectVirtualHost(): void {
  const libc = Deno.dlopen("libc.so.6", {
    socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  });
  const ends = new Int32Array(2);
  check(libc.symbols.socketpair(AF_UNIX, SOCK_STREAM, 0, ends), ERRNO[0], {
    action: "make socket pair",
    syscall: "socketpair",
  });
  libc.close();
  // The kernel keeps its own references.
  try {
    writeFile(`${PLATFORM}/${VUDC}/usbip_sockfd`, `${ends[0]}`);
    writeFile(
      `${PLATFORM}/vhci_hcd.0/attach`,
      `0 ${ends[1]} ${DEVICE_ID} ${SPEED_HIGH}`,
    );
  } finally {
    ends.forEach(close);
  }
}

const DEVICE_DESCRIPTOR_SIZE = 18;

// dummy_hcd has no isochronous endpoints, and usbip-vudc moves no data on
// them: what can be seen is that the host gets them, and what they refuse. On
// 6.1 and 6.12 usbip-vudc crashes (NULL in vep_dequeue) when FunctionFS is
// unbound from it, or a request aborted: this runs from 7.3 on.
Deno.test("isochronous endpoints reach the host, wait for it, and refuse what they do not have", async () => {
  await using _controller = await loadVirtualUdc();
  const ids = { vendorId: 0x1209, productId: 0x0001, serialNumber: "samples" };
  const samples = usbFunction({
    name: "samples",
    interfaces: [{
      class: 0xff,
      endpoints: {
        tx: isochronousIn({
          intervalMs: 1,
          high: { maxPacketSize: 1024, transactions: 2 },
          synchronization: "asynchronous",
        }),
        rx: isochronousOut({ maxPacketSize: 192, intervalMs: 1 }),
      },
    }],
  });
  const device = { ...ids, functions: [samples] } as const;
  await using gadget = await Gadget.start(device, { udc: VUDC });
  const { samples: fs } = gadget.functions;
  const { tx, rx } = fs.endpoints;
  connectVirtualHost();
  await fs.enabled();
  await using host = await UsbfsDevice.find(ids);
  const configuration = host.descriptors().subarray(DEVICE_DESCRIPTOR_SIZE);
  const [node] = decodeDescriptors(configuration).descriptors;
  const seen = node.kind === "interface" ? node.endpoints : [];
  assertEquals([await tx.descriptor(), await rx.descriptor()], seen);
  assertEquals(
    [tx, rx].map(({ maxPacketSize }) => maxPacketSize),
    [1024, 192],
  );

  await assertRejects(() => tx.halt(), Deno.errors.NotSupported, "no halt");
  await assertRejects(() => rx.halt(), Deno.errors.NotSupported, "no halt");
  assertThrows(() => tx.autoZlp = true, Deno.errors.NotSupported, "no end");
  await assertRejects(
    () => tx.write(pattern(2049)),
    RangeError,
    "2048 bytes at most, the data has 2049",
  );
  await assertRejects(
    () => tx.write([pattern(2000), pattern(49)]),
    RangeError,
    "2048 bytes at most, the data has 2049",
  );
  await assertRejects(
    () => tx.write((async function* () {})()),
    TypeError,
    "give a Uint8Array, or an array of them",
  );
  const zlp = "auto";
  const { NotSupported } = Deno.errors;
  await assertRejects(() => tx.write(pattern(1), { zlp }), NotSupported);
  assertThrows(() => tx.openWritable({ zlp }), NotSupported, "no end");
  // The kernel takes them, and gives them back with the connection. (They must
  // not be aborted: usbip-vudc of Linux 6.1 crashes on one.)
  const { value } = await fs.sessions().next();
  const session = value!.endpoints;
  const calls = [
    session.tx.write(pattern(2048)),
    session.tx.write([pattern(2000), pattern(48)]),
    session.rx.read(192),
    session.rx.read(1),
  ].map((call) => assertRejects(() => call, SessionEndedError));
  await delay(0);
  unplug(gadget);
  await Promise.all(calls);
});
