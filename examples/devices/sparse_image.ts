// Sparse images, the format in which fastboot sends an image in parts: see
// system/core/libsparse/sparse_format.h of Android.

/** Bytes of a partition. */
export interface Piece {
  readonly offset: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

const MAGIC = 0xed26ff3a;
const RAW = 0xcac1;
const FILL = 0xcac2;
const SKIP = 0xcac3;
const CHECKSUM = 0xcac4;

/**
 * Divides an image into what it writes. One that is not sparse is one piece.
 *
 * @param size Bytes of the partition.
 * @throws {RangeError} If the image does not fit, or is damaged.
 */
export function* piecesOf(
  image: Uint8Array<ArrayBuffer>,
  size: number,
): Generator<Piece> {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  if (image.length < 28 || view.getUint32(0, true) !== MAGIC) {
    assertFits(image.length, size);
    yield { offset: 0, data: image };
    return;
  }
  const chunkHeaderSize = view.getUint16(10, true);
  const blockSize = view.getUint32(12, true);
  const chunks = view.getUint32(20, true);
  let at = view.getUint16(8, true);
  let offset = 0;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const type = view.getUint16(at, true);
    const length = view.getUint32(at + 4, true) * blockSize;
    const content = image.subarray(
      at + chunkHeaderSize,
      at += view.getUint32(at + 8, true),
    );
    if (type === CHECKSUM) continue;
    assertFits(offset + length, size);
    if (type === RAW && content.length === length) {
      yield { offset, data: content };
    } else if (type === FILL && content.length === 4) {
      const data = new Uint8Array(length);
      for (let to = 0; to < length; to += 4) data.set(content, to);
      yield { offset, data };
    } else if (type !== SKIP) {
      throw new RangeError(`chunk ${chunk} of the image is damaged`);
    }
    offset += length;
  }
}

function assertFits(length: number, size: number): void {
  if (length <= size) return;
  throw new RangeError(`image of ${length} bytes, partition of ${size}`);
}
