/**
 * Reads the capture files of Wireshark (draft-ietf-opsawg-pcapng).
 *
 * @module
 */
const SECTION = 0x0a0d_0d0a;
const INTERFACE = 1;
const SIMPLE_PACKET = 3;
const PACKET = 6;
const BYTE_ORDER = 0x1a2b_3c4d;
/** Type, length, and the length again. */
const SMALLEST_BLOCK = 12;

/** A packet of a file. */
export interface CapturedPacket {
  /** What kind of bytes they are: LINKTYPE_USB_LINUX_MMAPPED is 220. */
  readonly linkType: number;
  readonly bytes: Uint8Array;
}

/**
 * Returns the packets of a file, in both byte orders.
 *
 * @throws {RangeError} When it is not such a file, or is cut off in a block.
 */
export function readPcapng(file: Uint8Array): CapturedPacket[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const packets: CapturedPacket[] = [];
  let linkTypes: number[] = [];
  let little = true;
  let at = 0;
  while (at < file.length) {
    if (file.length - at < SMALLEST_BLOCK) throw refused(at, "is cut off");
    // The type of a section is the same in both orders.
    if (view.getUint32(at, true) === SECTION) {
      little = view.getUint32(at + 8, true) === BYTE_ORDER;
      if (view.getUint32(at + 8, little) !== BYTE_ORDER) {
        throw refused(at, "has no byte order");
      }
      linkTypes = [];
    } else if (at === 0) throw refused(at, "is not the head of a section");
    const type = view.getUint32(at, little);
    const length = view.getUint32(at + 4, little);
    if (length < SMALLEST_BLOCK || length % 4 > 0) {
      throw refused(at, `says that it has ${length} bytes`);
    }
    if (length > file.length - at) throw refused(at, "is cut off");
    const body = file.subarray(at + 8, at + length - 4);
    if (type === INTERFACE) linkTypes.push(view.getUint16(at + 8, little));
    if (type === PACKET && body.length >= 20) {
      const linkType = linkTypes[view.getUint32(at + 8, little)] ?? -1;
      const size = view.getUint32(at + 20, little);
      packets.push({ linkType, bytes: body.subarray(20, 20 + size) });
    }
    if (type === SIMPLE_PACKET) {
      packets.push({ linkType: linkTypes[0] ?? -1, bytes: body.subarray(4) });
    }
    at += length;
  }
  if (at === 0) throw refused(at, "is missing");
  return packets;
}

function refused(at: number, reason: string): RangeError {
  return new RangeError(
    `Cannot read a capture: the pcapng block at byte ${at} ${reason}`,
  );
}
