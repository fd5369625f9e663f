/**
 * From the rounds of each cell to the figures that are told.
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
  /** Megabytes (10^6 bytes) a second, of both directions together. */
  MBps?: number;
  /** The median of the ratios to the C program with libaio, round by round. */
  ofC?: number;
  /** Seconds of processor time of the gadget's process. */
  cpuPerGiB?: number;
  p50us?: number;
  p99us?: number;
  /** Why it was not measured. */
  skipped?: string;
}

/** What is written to results.json. */
export interface Results {
  machine: string;
  kernel: string;
  /** "tcg" is emulation. */
  accel: string;
  /** As many as every cell has; some have one more if the time was over. */
  rounds: number;
  cells: CellResult[];
  start: {
    contender: Contender;
    /** From the start of the process until the host had configured it. */
    seconds: number;
    residentMiB: number;
  }[];
  extras?: Extras;
}

/** The middle one; the lower one of two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1];
}

/** How many times as much the fastest has as the slowest. */
export function unfairness(shares: readonly number[]): number {
  return Math.max(...shares) / Math.min(...shares);
}

/** Makes figures of rounds. */
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
