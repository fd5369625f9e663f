/**
 * Builds valid and invalid descriptor and string blocks byte by byte.
 *
 * @module
 */

/** The parts of a descriptors block. An omitted list has no flag. */
export interface BlockParts {
  readonly magic?: number;
  readonly length?: number;
  /** Flags in addition to those of the given lists. */
  readonly flags?: number;
  readonly eventfd?: number;
  readonly full?: readonly (readonly number[])[];
  readonly high?: readonly (readonly number[])[];
  readonly super?: readonly (readonly number[])[];
  readonly os?: readonly (readonly number[])[];
  /** Counts that replace the correct ones. */
  readonly counts?: {
    readonly full?: number;
    readonly high?: number;
    readonly super?: number;
    readonly os?: number;
  };
  /** Bytes appended at the end. */
  readonly rest?: readonly number[];
}

const LISTS = ["full", "high", "super", "os"] as const;

/** A descriptors block in format version 2. */
export function block(parts: BlockParts): Uint8Array<ArrayBuffer> {
  let flags = parts.flags ?? 0;
  LISTS.forEach((it, bit) => {
    if (parts[it]) flags |= 1 << bit;
  });
  if (parts.eventfd !== undefined) flags |= 32;
  const bytes: number[] = [
    ...u32(parts.magic ?? 3),
    ...u32(0),
    ...u32(flags),
    ...(parts.eventfd === undefined ? [] : u32(parts.eventfd)),
  ];
  for (const it of LISTS) {
    if (parts[it]) bytes.push(...u32(parts.counts?.[it] ?? parts[it].length));
  }
  for (const it of LISTS) bytes.push(...(parts[it] ?? []).flat());
  bytes.push(...parts.rest ?? []);
  return withLength(bytes, parts.length);
}

/** A strings block. */
export function stringsBlock(
  languages: readonly (readonly [number, ...string[]])[],
  parts: {
    readonly magic?: number;
    readonly length?: number;
    readonly strings?: number;
    readonly languages?: number;
    readonly rest?: readonly number[];
  } = {},
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const count = (languages[0]?.length ?? 1) - 1;
  return withLength([
    ...u32(parts.magic ?? 2),
    ...u32(0),
    ...u32(parts.strings ?? count),
    ...u32(parts.languages ?? languages.length),
    ...languages.flatMap(([id, ...strings]) => [
      ...u16(id),
      ...strings.flatMap((it) => [...encoder.encode(it), 0]),
    ]),
    ...parts.rest ?? [],
  ], parts.length);
}

function withLength(
  bytes: number[],
  length = bytes.length,
): Uint8Array<ArrayBuffer> {
  bytes.splice(4, 4, ...u32(length));
  return Uint8Array.from(bytes);
}

/** Two bytes, little-endian. */
export function u16(value: number): number[] {
  return [value & 0xff, value >> 8 & 0xff];
}

/** Four bytes, little-endian. */
export function u32(value: number): number[] {
  return [...u16(value & 0xffff), ...u16(value >>> 16)];
}

/** An interface descriptor. */
export function intf(
  {
    number = 0,
    alternate = 0,
    endpoints = 0,
    class: code = 0xff,
    subclass = 0,
    string = 0,
  } = {},
): number[] {
  return [9, 4, number, alternate, endpoints, code, subclass, 0, string];
}

/** A bulk endpoint descriptor. */
export function bulk(address: number, size = 64): number[] {
  return [7, 5, address, 2, ...u16(size), 0];
}

/** A super-speed companion of a bulk endpoint. */
export const COMPANION: readonly number[] = [6, 0x30, 0, 0, 0, 0];

/** A feature descriptor of extended compat IDs. */
export function compatIds(
  entries: readonly (readonly number[])[],
  { length, version = 0x0100, index = 4, count = entries.length }: {
    readonly length?: number;
    readonly version?: number;
    readonly index?: number;
    readonly count?: number;
  } = {},
): number[] {
  const size = 11 + entries.flat().length;
  return [
    0,
    ...u32(length ?? size),
    ...u16(version),
    ...u16(index),
    ...u16(count),
    ...entries.flat(),
  ];
}

/** An extended compat ID. */
export function compatId(number: number, reserved = 0): number[] {
  return [number, 1, ...Array(16).fill(0x41), 0, 0, 0, 0, 0, reserved];
}

/** The fields of an extended property. Sizes are correct unless given. */
export interface PropertyParts {
  readonly version?: number;
  readonly interface?: number;
  readonly type?: number;
  readonly name?: readonly number[];
  readonly value?: readonly number[];
  readonly size?: number;
  readonly nameLength?: number;
  readonly valueLength?: number;
}

/** A feature descriptor of one extended property. */
export function property(parts: PropertyParts = {}): number[] {
  const { name = [0x41, 0], value = [0x42, 0] } = parts;
  return [
    parts.interface ?? 0,
    ...u32(0),
    ...u16(parts.version ?? 0x0100),
    ...u16(5),
    ...u16(1),
    ...u32(parts.size ?? 14 + name.length + value.length),
    ...u32(parts.type ?? 1),
    ...u16(parts.nameLength ?? name.length),
    ...name,
    ...u32(parts.valueLength ?? value.length),
    ...value,
  ];
}
