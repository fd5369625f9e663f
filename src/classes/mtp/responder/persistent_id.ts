/**
 * Numbers by which a host recognizes an object in a later session (MTP 1.1,
 * B.2.29).
 *
 * @module
 */
import type { ObjectNode } from "./object_node.ts";

/** Odd numbers, one for each 32 bits of the result. */
const FACTORS = [0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1];

/**
 * 128 bits that are always the same for a path in a storage with this volume, and
 * in practice different for others.
 */
export function persistentId({ storage, path }: ObjectNode): bigint {
  const text = `${storage.volume}\0${path}`;
  const state = Uint32Array.from(FACTORS);
  let before = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    for (let lane = 0; lane < 4; lane++) {
      const mixed = Math.imul(state[lane] ^ unit ^ before, FACTORS[lane]);
      before = state[lane] = mixed ^ (mixed >>> 15);
    }
  }
  for (let round = 0; round < 8; round++) {
    const lane = round & 3;
    const mixed = Math.imul(state[lane] ^ before, FACTORS[lane]);
    before = state[lane] = mixed ^ (mixed >>> 13);
  }
  const [a, b, c, d] = state;
  return BigInt(a) << 96n | BigInt(b) << 64n | BigInt(c) << 32n | BigInt(d);
}
