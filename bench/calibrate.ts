/**
 * What basic operations cost on this machine itself and in each bed: with this,
 * one can judge what a bed distorts. Prints the table of README.md.
 *
 * ```sh
 * deno run -A --import-map=tests/import_map.json bench/calibrate.ts [PLACE...]
 * ```
 *
 * @module
 */
import { VmError } from "../src/vm/errors.ts";
import { runText } from "../src/vm/process.ts";
import { terminalProgress } from "../src/vm/progress.ts";
import { BEDS, parseBed, runInBed } from "./beds.ts";
import { compile } from "./contenders.ts";
import { table } from "./report.ts";

/** The machine itself, as a place. */
const HERE = "natively";

/** Reads lines of "NAME: MICROSECONDS". */
export function parseCosts(text: string): Map<string, number> {
  return new Map(
    [...text.matchAll(/^(.+): ([\d.]+)$/gm)]
      .map(([, name, cost]) => [name, Number(cost)]),
  );
}

/** A table with the costs in each place, and how often they are the first's. */
export function costTable(
  places: ReadonlyMap<string, ReadonlyMap<string, number>>,
): string {
  const [first] = places.values();
  return table([
    ["microseconds", ...places.keys()],
    ...[...first].map(([name, base]) => [
      name,
      ...[...places.values()].map((costs) => {
        const cost = costs.get(name)!;
        return costs === first
          ? digits(cost)
          : `${digits(cost)} (x ${digits(cost / base)})`;
      }),
    ]),
  ]);
}

/** Two digits that count. */
function digits(value: number): string {
  return value < 10 ? value.toPrecision(2) : value.toFixed(0);
}

/** Runs the program in a place and returns what it prints. */
async function calibrate(place: string): Promise<string> {
  using progress = terminalProgress();
  const program = await compile("calibrate.c", { progress }, "-lpthread");
  if (place === HERE) return await runText(program, []);
  let output = "";
  const decoder = new TextDecoder();
  await runInBed(parseBed(place), {
    command: [program],
    // The figures are about emulation, also where there is KVM.
    accel: "tcg",
    timeout: 600,
    progress,
    onStdout: (chunk) => {
      output += decoder.decode(chunk, { stream: true });
    },
    onStderr: async (chunk) => void await Deno.stderr.write(chunk),
  });
  return output;
}

if (import.meta.main) {
  const places = Deno.args.length > 0
    ? Deno.args
    : [HERE, ...BEDS.toReversed()];
  try {
    const costs = new Map<string, Map<string, number>>();
    for (const place of places) {
      costs.set(place, parseCosts(await calibrate(place)));
    }
    console.log(costTable(costs));
    Deno.exit(0);
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    console.error(`bench: ${error.message}`);
    Deno.exit(error.exitCode);
  }
}
