import { assertEquals } from "@std/assert";
import { decodeHeader } from "../../src/testing/usbmon/abi.ts";
import { encodePcapng } from "../../src/testing/usbmon/pcapng.ts";

/** The beginning of a control transfer, as usbmon records it on x86-64. */
const HEADER = Uint8Array.fromHex(
  "40a2d10b81a0ffff" + // id
    "5302" + "80" + "09" + "0200" + // S, control, IN endpoint 0, device 9, bus 2
    "003c" + // a setup packet, no data
    "e5c3296a00000000" + "39300000" + // time
    "8dffffff" + // -EINPROGRESS
    "12000000" + "00000000" + // 18 bytes, none captured
    "8006000100001200" + // GET_DESCRIPTOR
    "00000000" + "00000000" + "00020000" + "00000000",
);

Deno.test("a header of usbmon is decoded", () => {
  const { setup, ...header } = decodeHeader(HEADER);
  assertEquals(header, {
    id: 0xffffa0810bd1a240n,
    type: "submit",
    transferType: "control",
    address: 0x80,
    direction: "in",
    device: 9,
    time: 0x6a29c3e5 * 1e6 + 12345,
    status: -115,
    length: 18,
  });
  assertEquals([setup?.request, setup?.value, setup?.length], [6, 0x100, 18]);
  const without = HEADER.slice();
  without[14] = "-".charCodeAt(0);
  assertEquals(decodeHeader(without).setup, undefined);
});

Deno.test("a record is a pcapng file with headers of usbmon", () => {
  const bytes = new Uint8Array([...HEADER, 1, 2, 3]);
  const file = encodePcapng([{ bytes, fullSize: 99, time: 2 ** 33 + 7 }]);
  const view = new DataView(file.buffer);
  const words = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => view.getUint32(from + 4 * n, true));
  // Section header: type, length, byte order, version 1.0, unknown length
  assertEquals(words(0, 7), [
    0x0a0d0d0a,
    28,
    0x1a2b3c4d,
    1,
    0xffffffff,
    0xffffffff,
    28,
  ]);
  // Interface: LINKTYPE_USB_LINUX_MMAPPED, packets of any size
  assertEquals(words(28, 5), [1, 20, 220, 0, 20]);
  // Packet: interface 0, time, bytes captured and on the bus
  assertEquals(words(48, 7), [6, 100, 0, 2, 7, 67, 99]);
  assertEquals(file.subarray(76, 76 + 67), bytes);
  assertEquals([file.byteLength, ...words(144, 1)], [148, 100]);
});
