/**
 * What is measured: sizes, depths, directions, and counts.
 *
 * @module
 */
import type { Contender } from "./contenders.ts";

/** The direction of a cell's data. A ping waits for its answer before the next. */
export type Direction = "in" | "out" | "duplex" | "ping";

/** One thing to measure. */
export interface Cell {
  readonly direction: Direction;
  /** Bytes of a transfer, on both sides. */
  readonly size: number;
  /** Transfers in flight, on both sides. */
  readonly depth: number;
  /** Transfers in each direction. */
  readonly count: number;
}

/** What a run measures. */
export interface Plan {
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  readonly cells: readonly Cell[];
  /** Whether to measure idle functions and eight gadgets at once as well. */
  readonly extras: boolean;
  /** No further round starts after this time. */
  readonly minutes: number;
}

export const SIZES = [512, 4096, 16_384, 65_536, 262_144, 1_048_576];
export const DEPTHS = [1, 8, 32];
export const DIRECTIONS: readonly Direction[] = ["in", "out", "duplex"];
export const PINGS = [64, 4096];

/**
 * The maximum number of transfers of a cell, and the approximate maximum of bytes.
 * A cell takes some tenths of a second, so its start is a small part of it.
 */
const MOST = 4000;
const MOST_BYTES = 192 << 20;
const PING_COUNT = 1000;

/** All cells of these sizes, depths and directions. */
export function makeCells(
  directions: readonly Direction[],
  sizes: readonly number[],
  depths: readonly number[],
  scale = 1,
): Cell[] {
  const cells: Cell[] = [];
  for (const size of sizes) {
    for (const depth of depths) {
      for (const direction of directions) {
        if (direction === "ping") continue;
        const most = depth === 1 ? MOST / 3 : MOST;
        const count = Math.max(
          2 * depth,
          Math.round(scale * Math.min(most, MOST_BYTES / size)),
        );
        cells.push({ direction, size, depth, count });
      }
    }
  }
  if (directions.includes("ping")) {
    for (const size of PINGS) {
      const count = Math.round(scale * PING_COUNT);
      cells.push({ direction: "ping", size, depth: 1, count });
    }
  }
  return cells;
}
