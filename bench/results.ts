/**
 * Computes the published figures from the rounds of each cell.
 *
 * @module
 */
import { type Contender, REFERENCE } from "./contenders.ts";
import type { Extras } from "./extras.ts";
import type { RawCell, RawResults } from "./guest.ts";
import type { Direction } from "./plan.ts";

/** One contender in one cell: medians of all rounds. */
export interface CellResult {
  contender: Contender;
  direction: Direction;
  size: number;
  depth: number;
  /** Megabytes (10^6 bytes) per second, of both directions together. */
  MBps?: number;
  /** The median of the ratios to the C program with libaio, round by round. */
  ofC?: number;
  /** CPU time of the gadget's process in seconds. */
  cpuPerGiB?: number;
  p50us?: number;
  p99us?: number;
  /** Why the cell was not measured. */
  skipped?: string;
}

/** What was measured in one bed; results.json has one for each. */
export interface Results {
  machine: string;
  kernel: string;
  /** "tcg" is emulation, "uml" is User Mode Linux. */
  accel: string;
  /** The rounds that each cell has. Some have one more if time ran out. */
  rounds: number;
  cells: CellResult[];
  start: {
    contender: Contender;
    /** From the start of the process until the host has configured the gadget. */
    seconds: number;
    residentMiB: number;
  }[];
  extras?: Extras;
}

/** The median; the lower of the two middle values of an even number. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1];
}

/** The ratio of the fastest to the slowest. */
export function unfairness(shares: readonly number[]): number {
  return Math.max(...shares) / Math.min(...shares);
}

/** Computes the figures. */
export function summarize(
  raw: RawResults,
  about: Pick<Results, "machine" | "kernel" | "accel">,
): Results {
  const measured = raw.cells.filter(({ rounds }) => rounds.length > 0);
  return {
    ...about,
    rounds: Math.min(...measured.map(({ rounds }) => rounds.length)),
    cells: raw.cells.map((cell) => summarizeCell(cell, raw.cells)),
    start: raw.start.filter(({ seconds }) => seconds.length > 0).map(
      ({ contender, seconds, residentBytes }) => ({
        contender,
        seconds: round(median(seconds), 3),
        residentMiB: round(residentBytes / 2 ** 20, 1),
      }),
    ),
    extras: raw.extras,
  };
}

function summarizeCell(cell: RawCell, all: readonly RawCell[]): CellResult {
  const { contender, direction, size, depth, count, rounds, skipped } = cell;
  const name = { contender, direction, size, depth };
  if (rounds.length === 0) return { ...name, skipped: skipped ?? "no round" };
  const ways = direction === "in" || direction === "out" ? 1 : 2;
  const bytes = ways * size * count;
  const reference = all.find((other) =>
    other.contender === REFERENCE && other.direction === direction &&
    other.size === size && other.depth === depth
  );
  const cpu = rounds.flatMap(({ cpuSeconds }) => cpuSeconds ?? []);
  const result: CellResult = {
    ...name,
    MBps: round(median(rounds.map(({ seconds }) => bytes / seconds / 1e6)), 2),
  };
  if (reference !== undefined && reference.rounds.length > 0) {
    const ratios = rounds.slice(0, reference.rounds.length)
      .map(({ seconds }, index) => reference.rounds[index].seconds / seconds);
    result.ofC = round(median(ratios), 3);
  }
  if (cpu.length > 0) {
    result.cpuPerGiB = round(median(cpu) / bytes * 2 ** 30, 3);
  }
  if (direction === "ping") {
    result.p50us = median(rounds.map(({ p50 }) => p50!));
    result.p99us = median(rounds.map(({ p99 }) => p99!));
  }
  return result;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
