/**
 * Draws a chart of throughput by transfer size, with one line per contender.
 *
 * @module
 */
import { CONTENDERS, type Standing } from "./contenders.ts";
import type { Direction } from "./plan.ts";
import { sizeName } from "./report.ts";
import type { CellResult, Results } from "./results.ts";

const COLOURS: Record<Standing, string> = {
  "gadget": "#d1242f",
  "gadget-streams": "#e8853a",
  "gadget-default-reader": "#d4a72c",
  "c-libaio": "#1f6feb",
  "c-threads": "#6ea8fe",
  "kernel-sourcesink": "#57606a",
  "rust-usb-gadget": "#8250df",
  "python-functionfs": "#2da44e",
};

const PANELS: readonly { direction: Direction; title: string }[] = [
  { direction: "in", title: "to the host" },
  { direction: "out", title: "from the host" },
  { direction: "duplex", title: "both at once" },
];

const PANEL = { width: 300, height: 260, left: 52, top: 40 };
const LEGEND_HEIGHT = 60;
const FOOT_HEIGHT = 24;

/** Draws the results of the deepest queue in each direction. */
export function drawThroughput(results: Results): string {
  const depth = Math.max(...results.cells.map((cell) => cell.depth));
  const cells = results.cells.filter((cell) =>
    cell.depth === depth && cell.MBps !== undefined
  );
  const sizes = [...new Set(cells.map(({ size }) => size))]
    .sort((a, b) => a - b);
  const largest = Math.max(1, ...cells.map(({ MBps }) => MBps!));
  const width = PANEL.width * PANELS.length;
  const height = PANEL.height + PANEL.top + LEGEND_HEIGHT + FOOT_HEIGHT;
  const emulated = results.accel === "tcg"
    ? ", in emulation"
    : results.accel === "uml"
    ? ", User Mode Linux"
    : "";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(
      8,
      16,
      `MB/s over the size of a transfer, ${depth} in flight. ` +
        `Linux ${results.kernel}${emulated}`,
    ),
    ...PANELS.map(({ direction, title }, index) =>
      panel(
        index * PANEL.width,
        title,
        cells.filter((cell) => cell.direction === direction),
        sizes,
        largest,
      )
    ),
    ...CONTENDERS.map((contender, index) => {
      const x = 16 + (index % 4) * 220;
      const y = PANEL.top + PANEL.height + 34 + 20 * Math.floor(index / 4);
      return `<rect x="${x}" y="${y - 8}" width="14" height="4" fill="${
        COLOURS[contender]
      }"/>` + text(x + 20, y - 2, contender);
    }),
    "</svg>",
    "",
  ].join("\n");
}

function panel(
  left: number,
  title: string,
  cells: readonly CellResult[],
  sizes: readonly number[],
  largest: number,
): string {
  const inner = PANEL.width - PANEL.left - 16;
  const step = inner / Math.max(1, sizes.length - 1);
  const x = (size: number) => left + PANEL.left + step * sizes.indexOf(size);
  const bottom = PANEL.top + PANEL.height - 20;
  const tall = PANEL.height - 40;
  const y = (value: number) => bottom - tall * value / largest;
  const parts = [text(left + PANEL.left, PANEL.top + 10, title)];
  for (let line = 0; line <= 4; line++) {
    const value = largest * line / 4;
    parts.push(
      `<line x1="${left + PANEL.left}" x2="${left + PANEL.left + inner}" y1="${
        f(y(value))
      }" y2="${f(y(value))}" stroke="#d0d7de"/>`,
      text(left + PANEL.left - 6, y(value) + 4, value.toFixed(0), "end"),
    );
  }
  for (const size of sizes) {
    parts.push(text(x(size), bottom + 16, sizeName(size), "middle", 9));
  }
  for (const contender of CONTENDERS) {
    const points = sizes.flatMap((size) => {
      const cell = cells.find((each) =>
        each.contender === contender && each.size === size
      );
      return cell === undefined ? [] : [`${f(x(size))},${f(y(cell.MBps!))}`];
    });
    if (points.length === 0) continue;
    parts.push(
      `<polyline points="${
        points.join(" ")
      }" fill="none" stroke-width="2" stroke="${COLOURS[contender]}"/>`,
    );
  }
  return parts.join("\n");
}

function text(
  x: number,
  y: number,
  words: string,
  anchor: "start" | "middle" | "end" = "start",
  size = 11,
): string {
  return `<text x="${f(x)}" y="${
    f(y)
  }" text-anchor="${anchor}" font-size="${size}" fill="#1f2328">${words}</text>`;
}

function f(value: number): string {
  return value.toFixed(1);
}
