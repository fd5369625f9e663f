/**
 * The file format of Wireshark.
 *
 * @module
 */

/** LINKTYPE_USB_LINUX_MMAPPED: a header of usbmon of 64 bytes, and the data. */
const USB_LINUX_MMAPPED = 220;

const SECTION = 0x0a0d_0d0a;
const INTERFACE = 1;
const PACKET = 6;
const BYTE_ORDER = 0x1a2b_3c4d;

/** A packet: its bytes, and when it was recorded. */
export interface Packet {
  readonly bytes: Uint8Array;
  /** The size that it would have if all of it had been captured. */
  readonly fullSize: number;
  /** Microseconds since 1970. */
  readonly time: number;
}

/** Encodes packets as a pcapng file. Its times are microseconds, the default of the format. */
export function encodePcapng(
  packets: readonly Packet[],
): Uint8Array<ArrayBuffer> {
  const blocks = [
    // Version 1.0, and a section of unknown length
    block(SECTION, [BYTE_ORDER, 1, 0xffff_ffff, 0xffff_ffff]),
    // No limit of the packet size
    block(INTERFACE, [USB_LINUX_MMAPPED, 0]),
    ...packets.map(({ bytes, fullSize, time }) => {
      const high = Math.floor(time / 2 ** 32);
      const low = time - high * 2 ** 32;
      const sizes = [bytes.byteLength, fullSize];
      return block(PACKET, [0, high, low, ...sizes], bytes);
    }),
  ];
  const length = blocks.reduce((sum, each) => sum + each.byteLength, 0);
  const file = new Uint8Array(length);
  let at = 0;
  for (const each of blocks) {
    file.set(each, at);
    at += each.byteLength;
  }
  return file;
}

/** A block: type, length, 32-bit words, padded data, and the length again. */
function block(
  type: number,
  words: readonly number[],
  data: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const start = 8 + 4 * words.length;
  const length = start + Math.ceil(data.byteLength / 4) * 4 + 4;
  const view = new DataView(new ArrayBuffer(length));
  [type, length, ...words].forEach((word, index) =>
    view.setUint32(4 * index, word, true)
  );
  view.setUint32(length - 4, length, true);
  const bytes = new Uint8Array(view.buffer);
  bytes.set(data, start);
  return bytes;
}
