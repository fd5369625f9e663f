/**
 * The results as Markdown tables.
 *
 * @module
 */
import { type Bed, BEDS } from "./beds.ts";
import type { Contender } from "./contenders.ts";
import type { Start } from "./extras.ts";
import { type CellResult, type Results, unfairness } from "./results.ts";

/** A size with a unit. */
export function sizeName(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1 << 20 ? `${bytes >> 10} KiB` : `${bytes >> 20} MiB`;
}

/** What runs the guest's programs, as Results has it, in words. */
const ACCELERATORS: Readonly<Record<string, string>> = {
  tcg: "emulation (QEMU, TCG)",
  uml: "User Mode Linux",
};

/** The titles of the beds, and what to know of their figures. */
const ABOUT: Readonly<Record<Bed, readonly [string, string]>> = {
  uml: [
    "User Mode Linux",
    "Programs run at the processor's speed, but a system call costs 60 times and a page fault 11 times as much as natively, and all take turns on one processor. Small transfers show the number of system calls, and what allocates memory looks worse than it is.",
  ],
  qemu: [
    "QEMU",
    "Emulated code is 10 to 20 times slower, copying memory 28 times and waking a thread 17 times, while system calls cost only twice as much. A program with much code, as Deno, and one that waits often look worse than they are.",
  ],
};

/** All tables of all beds. */
export function reportAll(
  beds: Readonly<Partial<Record<Bed, Results>>>,
): string {
  const parts = BEDS.toReversed().flatMap((bed) => {
    const results = beds[bed];
    if (results === undefined) return [];
    const [title, about] = ABOUT[bed];
    return `## ${title}\n\n${about}\n\n${report(results)}`;
  });
  return [
    "The data path without USB, natively, is in [engine.md](engine.md).\n",
    ...parts,
  ].join("\n");
}

/** All tables of one bed. */
export function report(results: Results): string {
  const { kernel, accel, machine, rounds } = results;
  const emulated = ACCELERATORS[accel] ?? accel;
  return [
    `Linux ${kernel}, ${emulated}, ${machine}; medians of ${rounds} rounds`,
    throughput(results),
    latency(results),
    cpu(results),
    start(results),
    extras(results),
  ].filter((part) => part !== "").join("\n\n") + "\n";
}

function present(cells: readonly CellResult[]): Contender[] {
  return [...new Set(cells.map(({ contender }) => contender))];
}

/** A table in the layout of `deno fmt`. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column].length))
  );
  const line = (row: readonly string[]) =>
    `| ${
      row.map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])
      ).join(" | ")
    } |`;
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [line(rows[0]), `| ${rule.join(" | ")} |`, ...rows.slice(1).map(line)]
    .join("\n");
}

function grid(
  cells: readonly CellResult[],
  show: (cell: CellResult) => string,
): string {
  const names = present(cells);
  const rows = Map.groupBy(
    cells,
    ({ direction, size, depth }) =>
      `${direction} ${sizeName(size)}${
        direction === "ping" ? "" : ` x ${depth}`
      }`,
  );
  return table([
    ["", ...names],
    ...[...rows].map(([name, row]) => [
      name,
      ...names.map((contender) => {
        const cell = row.find((each) => each.contender === contender)!;
        return cell.skipped === undefined ? show(cell) : "skipped";
      }),
    ]),
  ]);
}

function throughput({ cells }: Results): string {
  const rows = cells.filter(({ direction }) => direction !== "ping");
  if (rows.length === 0) return "";
  return "MB/s, and the ratio to c-libaio:\n\n" +
    grid(
      rows,
      ({ MBps, ofC }) =>
        `${MBps!.toFixed(MBps! < 10 ? 1 : 0)} (${ofC?.toFixed(2) ?? "-"})`,
    );
}

function latency({ cells }: Results): string {
  const rows = cells.filter(({ direction }) => direction === "ping");
  if (rows.length === 0) return "";
  return "Round trip in microseconds, p50 and p99:\n\n" +
    grid(
      rows,
      ({ p50us, p99us }) => `${p50us!.toFixed(0)}, ${p99us!.toFixed(0)}`,
    );
}

function cpu({ cells }: Results): string {
  const rows = cells.filter(({ direction }) => direction !== "ping");
  if (rows.length === 0) return "";
  return "CPU time of the gadget's process, seconds per GiB:\n\n" +
    grid(rows, ({ cpuPerGiB }) => cpuPerGiB?.toFixed(1) ?? "-");
}

function start({ start }: Results): string {
  return "Time from the start of the process until the host has configured the gadget, and memory:\n\n" +
    table([
      ["", "seconds", "MiB resident"],
      ...start.map(({ contender, seconds, residentMiB }) => [
        contender,
        seconds.toFixed(2),
        residentMiB === 0 ? "-" : residentMiB.toFixed(0),
      ]),
    ]);
}

function extras({ extras }: Results): string {
  if (extras === undefined) return "";
  const { idleCpu, shares } = extras;
  const echo = ({ seconds, residentMiB }: Start) =>
    `${seconds.toFixed(2)} s and ${residentMiB.toFixed(0)} MiB`;
  return `The echo example needs ${echo(extras.echo.source)}; ${
    echo(extras.echo.bundle)
  } if it is bundled in one file. A process with 32 idle endpoints uses ${
    (100 * idleCpu).toFixed(2)
  }% of a CPU. Of eight gadgets that send at once, the fastest reaches ${
    unfairness(shares).toFixed(2)
  } times the throughput of the slowest.`;
}
