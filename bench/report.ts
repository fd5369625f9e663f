/**
 * The results as Markdown tables.
 *
 * @module
 */
import type { Contender } from "./contenders.ts";
import { type CellResult, type Results, unfairness } from "./results.ts";

/** A size with a unit. */
export function sizeName(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1 << 20 ? `${bytes >> 10} KiB` : `${bytes >> 20} MiB`;
}

/** All tables. */
export function report(results: Results): string {
  const { kernel, accel, machine, rounds } = results;
  const emulated = accel === "tcg" ? "emulation (QEMU, TCG)" : accel;
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
  return `A process with 32 idle endpoints uses ${
    (100 * idleCpu).toFixed(2)
  }% of a CPU. Of eight gadgets that send at once, the fastest reaches ${
    unfairness(shares).toFixed(2)
  } times the throughput of the slowest.`;
}
