/**
 * Datasets: numbers, strings and arrays one after another, without padding
 * (PTP 5.3).
 *
 * @module
 */
import { DataType } from "./codes.ts";
import { ResponseError } from "./response.ts";

/** Characters of a string at most, as UTF-16 and without its terminator. */
export const MAX_STRING = 254;

/** A value of a property. Numbers of 64 bits and more are bigint. */
export type Value = number | bigint | string | readonly number[];

/** Bytes of a number; 0 for other types. */
function sizeOf(type: number): number {
  const isNumber = type >= DataType.INT8 && type <= DataType.UINT128;
  return isNumber ? 1 << ((type - 1) >> 1) : 0;
}

/** Bit 14 of a type makes it an array. */
const ARRAY = 0x4000;

/** Writes a dataset. */
export class DatasetWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What has been written. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(value: bigint): this {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value, true);
    return this;
  }

  u128(value: bigint): this {
    return this.u64(BigInt.asUintN(64, value)).u64(value >> 64n);
  }

  /** A number that may be too large for its field: it then has the highest value. */
  clamped32(value: number): this {
    return this.u32(Math.min(value, 0xffff_ffff));
  }

  /** @param value Cut off after {@linkcode MAX_STRING} characters. */
  string(value: string): this {
    const text = value.slice(0, MAX_STRING);
    if (text === "") return this.u8(0);
    this.u8(text.length + 1);
    for (let index = 0; index < text.length; index++) {
      this.u16(text.charCodeAt(index));
    }
    return this.u16(0);
  }

  array16(values: readonly number[]): this {
    this.u32(values.length);
    for (const value of values) this.u16(value);
    return this;
  }

  array32(values: readonly number[]): this {
    this.u32(values.length);
    for (const value of values) this.u32(value);
    return this;
  }

  /** A value of a type that is a number, a string, or an array of numbers of up to 32 bits. */
  value(type: number, value: Value): this {
    if (type === DataType.STR) return this.string(value as string);
    if (type & ARRAY) {
      const list = value as readonly number[];
      this.u32(list.length);
      for (const each of list) this.value(type & ~ARRAY, each);
      return this;
    }
    const size = sizeOf(type);
    if (size <= 4) {
      const at = this.#grow(size);
      const number = Number(value);
      if (size === 1) this.#view.setUint8(at, number);
      else if (size === 2) this.#view.setUint16(at, number, true);
      else this.#view.setUint32(at, number, true);
      return this;
    }
    const bits = BigInt.asUintN(8 * size, BigInt(value as bigint));
    return size === 8 ? this.u64(bits) : this.u128(bits);
  }

  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.byteLength) {
      const bytes = new Uint8Array(2 * this.#bytes.byteLength);
      bytes.set(this.#bytes);
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    return at;
  }
}

/**
 * Reads a dataset. All methods throw {@linkcode ResponseError}
 * (`Invalid_Dataset`) where it is too short.
 */
export class DatasetReader {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#view.byteLength - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A string, up to its terminator. */
  string(): string {
    const count = this.u8();
    const at = this.#take(2 * count);
    let text = "";
    for (let index = 0; index < count; index++) {
      const unit = this.#view.getUint16(at + 2 * index, true);
      if (unit === 0) break;
      text += String.fromCharCode(unit);
    }
    return text;
  }

  array32(): number[] {
    const count = this.u32();
    if (4 * count > this.left) throw new ResponseError("Invalid_Dataset");
    return Array.from({ length: count }, () => this.u32());
  }

  /** A value of any type. */
  value(type: number): Value {
    if (type === DataType.STR) return this.string();
    const size = sizeOf(type & ~ARRAY);
    if (size === 0) throw new ResponseError("Invalid_Dataset");
    if (type & ARRAY) {
      const count = this.u32();
      if (size * count > this.left) throw new ResponseError("Invalid_Dataset");
      const list = Array.from(
        { length: count },
        () => this.#number(type & ~ARRAY),
      );
      return list.map(Number);
    }
    return this.#number(type);
  }

  #number(type: number): number | bigint {
    const bits = 8 * sizeOf(type);
    const isSigned = type % 2 === 1;
    if (bits <= 32) {
      const value = bits === 8
        ? this.u8()
        : bits === 16
        ? this.u16()
        : this.u32();
      return isSigned ? value << (32 - bits) >> (32 - bits) : value;
    }
    const low = this.u64();
    const value = bits === 64 ? low : low | (this.u64() << 64n);
    return isSigned ? BigInt.asIntN(bits, value) : value;
  }

  #take(count: number): number {
    if (count > this.left) throw new ResponseError("Invalid_Dataset");
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
