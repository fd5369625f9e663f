/**
 * What FunctionFS does with Microsoft OS feature descriptors (`ffs_do_os_descs()` and `__ffs_data_do_os_desc()`).
 *
 * @module
 */
import { Refusal } from "./refusal.ts";
import {
  COMPAT_ID_LENGTH,
  EXTENDED_COMPAT_ID,
  EXTENDED_PROPERTIES,
  hex,
  isSince,
  type Kernel,
  OS_HEADER_LENGTH,
  PROPERTY_LENGTH,
} from "./kernel.ts";
import type { KernelCursor } from "./refusal.ts";

/** One feature descriptor of a block. */
export interface OsFeatureDescriptor {
  /** `wIndex`: 4 for compat IDs, 5 for properties. */
  readonly index: number;
  /** The interface in its header. */
  readonly interface: number;
  /** What follows the header, one by one. Views into the block. */
  readonly entries: readonly Uint8Array[];
  /** Where in the block it is. */
  readonly path: string;
}

/**
 * Takes the feature descriptors of a block.
 */
export function walkOsDescriptors(
  cursor: KernelCursor,
  count: number,
  interfaceCount: number,
  kernel: Kernel | undefined,
): OsFeatureDescriptor[] {
  const found: OsFeatureDescriptor[] = [];
  for (let i = 0; i < count; i++) {
    const path = `descriptors.os[${i}]`;
    const index = checkHeader(cursor, path, kernel);
    const number = cursor.rest[0];
    const entryCount = cursor.u16At(9);
    cursor.take(OS_HEADER_LENGTH);
    const entries: Uint8Array[] = [];
    for (let k = 0; k < entryCount; k++) {
      const at = `${path}[${k}]`;
      entries.push(
        index === EXTENDED_COMPAT_ID
          ? takeCompatId(cursor, at, interfaceCount)
          : takeProperty(cursor, at, number, interfaceCount),
      );
    }
    found.push({ index, interface: number, entries, path });
  }
  return found;
}

function checkHeader(
  cursor: KernelCursor,
  path: string,
  kernel: Kernel | undefined,
): number {
  if (cursor.left < OS_HEADER_LENGTH) {
    throw new Refusal(
      "os-header",
      path,
      "The block ends before this feature descriptor: lower the count, or add it",
    );
  }
  const length = cursor.u32At(1);
  if (length > cursor.left) {
    throw new Refusal(
      "os-header",
      `${path}.dwLength`,
      `Length ${length} is more than the ${cursor.left} bytes left: correct it`,
    );
  }
  const version = cursor.u16At(5);
  const modern = isSince(kernel, 6, 4);
  if (version !== 0x0001 && !(modern && version === 0x0100)) {
    throw new Refusal(
      "os-header",
      `${path}.bcdVersion`,
      `Version ${hex(version, 4)} is refused: use ${
        modern ? "0x0100" : "0x0001, as Linux before 6.4 has it"
      }`,
    );
  }
  const index = cursor.u16At(7);
  if (index !== EXTENDED_COMPAT_ID && index !== EXTENDED_PROPERTIES) {
    throw new Refusal(
      "os-header",
      `${path}.wIndex`,
      `Index ${index} is refused: use 4 for compat IDs or 5 for properties`,
    );
  }
  if (index === EXTENDED_COMPAT_ID && cursor.u16At(9) > 255) {
    throw new Refusal(
      "os-header",
      `${path}.bCount`,
      "The byte after the count of compat IDs is not 0: clear it",
    );
  }
  return index;
}

function takeCompatId(
  cursor: KernelCursor,
  path: string,
  interfaceCount: number,
): Uint8Array {
  const { left, rest } = cursor;
  if (left < COMPAT_ID_LENGTH) throw new Refusal("os-entry", path, TOO_SHORT);
  checkInterface(rest[0], interfaceCount, `${path}.bFirstInterfaceNumber`);
  if (rest.subarray(18, COMPAT_ID_LENGTH).some((it) => it !== 0)) {
    throw new Refusal(
      "os-entry",
      `${path}.Reserved2`,
      "The last six bytes of a compat ID are not 0: clear them",
    );
  }
  return cursor.take(COMPAT_ID_LENGTH);
}

/** The kernel keeps `dwSize` in one byte, so 256 more make no difference to it. */
function takeProperty(
  cursor: KernelCursor,
  path: string,
  number: number,
  interfaceCount: number,
): Uint8Array {
  if (cursor.left < 10) throw new Refusal("os-entry", path, TOO_SHORT);
  checkInterface(number, interfaceCount, path);
  const dwSize = cursor.u32At(0);
  const size = dwSize & 0xff;
  const wrong = (what: string) =>
    new Refusal("os-property-size", `${path}.dwSize`, what);
  if (cursor.left < size) throw new Refusal("os-entry", path, TOO_SHORT);
  const type = cursor.u32At(4);
  if (type < 1 || type > 7) {
    throw new Refusal(
      "os-property",
      `${path}.dwPropertyDataType`,
      `Type ${type} is refused: use 1, 2, 3 or 6`,
    );
  }
  const nameLength = cursor.u16At(8);
  if (size < PROPERTY_LENGTH + nameLength) {
    throw wrong(
      dwSize > 255
        ? `Size ${dwSize} is refused, because the kernel keeps it in one byte: shorten name or value to 255 bytes in all`
        : `Size ${dwSize} is less than ${PROPERTY_LENGTH} and the name of ${nameLength} bytes: correct it`,
    );
  }
  const dataLength = cursor.u32At(10 + nameLength);
  if (size !== PROPERTY_LENGTH + nameLength + dataLength) {
    throw wrong(
      `Size ${dwSize} is not ${PROPERTY_LENGTH} and the ${nameLength} bytes of name and ${dataLength} of value: correct it, it must not exceed 255`,
    );
  }
  return cursor.take(size);
}

const TOO_SHORT =
  "The block ends before this entry: lower the count, or add the entry";

function checkInterface(
  number: number,
  interfaceCount: number,
  path: string,
): void {
  if (number < interfaceCount) return;
  throw new Refusal(
    "os-interface",
    path,
    `Interface ${number} does not exist: the function has ${interfaceCount} interfaces`,
  );
}
