/**
 * The descriptors that a host must see of a function: those that were written to ep0, with the numbers that the
 * kernel replaces. Shares no code with the package.
 *
 * @module
 */
import { DUMMY_UDC } from "@usb/gadget/inspect";
import {
  type EndpointRequest,
  pickEndpoints,
} from "../../../src/check/endpoint_choice.ts";

/** The speeds in the order of FunctionFS. */
const SPEEDS = ["full", "high", "super"] as const;
type SpeedName = typeof SPEEDS[number];

const INTERFACE = 0x04;
const ENDPOINT = 0x05;
const ASSOCIATION = 0x0b;
const TRANSFER_TYPES = [
  undefined,
  "isochronous",
  "bulk",
  "interrupt",
] as const;

/** The descriptors of each speed of a block. */
export type SpeedLists = { readonly [S in SpeedName]?: readonly Uint8Array[] };

/** Extracts the lists from a block in format version 2 without an eventfd. */
export function speedLists(block: Uint8Array<ArrayBuffer>): SpeedLists {
  const view = new DataView(block.buffer, block.byteOffset);
  const flags = view.getUint32(8, true);
  const counts: number[] = [];
  let at = 12;
  for (let bit = 0; bit < 4; bit++) {
    if ((flags & 1 << bit) === 0) continue;
    counts.push(view.getUint32(at, true));
    at += 4;
  }
  const lists: Partial<Record<SpeedName, Uint8Array[]>> = {};
  SPEEDS.forEach((speed, bit) => {
    if ((flags & 1 << bit) === 0) return;
    const list: Uint8Array[] = [];
    for (let left = counts.shift()!; left > 0; left--) {
      list.push(block.slice(at, at + block[at]));
      at += block[at];
    }
    lists[speed] = list;
  });
  return lists;
}

/**
 * Returns the addresses that the kernel picks from dummy_hcd for the functions of a gadget, in order. The kernel uses
 * the first list with endpoints of each function.
 *
 * @returns The addresses of each function's endpoints, or undefined if the controller has too few.
 */
export function dummyAddresses(
  functions: readonly SpeedLists[],
): number[][] | undefined {
  const requests = functions.map((lists) =>
    SPEEDS.map((speed) => endpointsOf(lists[speed] ?? []))
      .find((it) => it.length > 0) ?? []
  );
  const picked = pickEndpoints(DUMMY_UDC, requests.flat());
  const known = picked.filter((it) => it !== undefined);
  if (new Set(known).size < picked.length) return undefined;
  return requests.map(({ length }) => known.splice(0, length));
}

function endpointsOf(list: readonly Uint8Array[]): EndpointRequest[] {
  return list.filter((it) => it[1] === ENDPOINT).map((it) => ({
    direction: it[2] & 0x80 ? "in" : "out",
    transferType: TRANSFER_TYPES[it[3] & 3]!,
    maxPacketSize: (it[4] | it[5] << 8) & 0x7ff,
  }));
}

/** The numbers used by the functions before a function in its gadget. */
export interface Offsets {
  /** Interfaces. */
  interfaces: number;
  /** String identifiers. The function's first one is the next. */
  strings: number;
}

/**
 * Replaces a function's numbers with those that the host sees, as the kernel does.
 *
 * @param list The descriptors of the current speed.
 * @param offsets The numbers used before the function; advanced past it.
 */
export function hostView(
  list: readonly Uint8Array[],
  addresses: readonly number[],
  offsets: Offsets,
): number[] {
  const numbers = new Map<number, number>();
  let endpoint = 0;
  let strings = 0;
  const stringId = (index: number) => {
    strings = Math.max(strings, index);
    return index === 0 ? 0 : offsets.strings + index;
  };
  const bytes = list.flatMap((descriptor) => {
    const copy = [...descriptor];
    switch (copy[1]) {
      case INTERFACE: {
        const number = numbers.get(copy[2]) ??
          offsets.interfaces + numbers.size;
        numbers.set(copy[2], number);
        copy[2] = number;
        copy[8] = stringId(copy[8]);
        break;
      }
      case ENDPOINT:
        copy[2] = addresses[endpoint++];
        break;
      case ASSOCIATION:
        copy[7] = stringId(copy[7]);
        break;
    }
    return copy;
  });
  offsets.interfaces += numbers.size;
  offsets.strings += strings;
  return bytes;
}
