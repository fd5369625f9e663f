// VM: any speed, since Linux 7.3
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
import { UsbfsDevice } from "../support/usbfs/device.ts";
import {
  connectVirtualHost,
  loadVirtualUdc,
  VUDC,
} from "../support/host/virtual_host.ts";
import "../support/run/aio_libraries.ts";

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
