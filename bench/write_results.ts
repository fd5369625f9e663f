/**
 * Keeps the results: results.json with all beds, and what is made from it.
 *
 * @module
 */
import type { Bed } from "./beds.ts";
import { drawThroughput } from "./chart.ts";
import { reportAll } from "./report.ts";
import type { Results } from "./results.ts";

/** The chart of each bed. */
const CHARTS: Readonly<Record<Bed, string>> = {
  qemu: "throughput.svg",
  uml: "throughput_uml.svg",
};

/** Replaces the results of one bed; those of the others stay. */
export async function writeResults(bed: Bed, results: Results): Promise<void> {
  const file = (name: string) => new URL(name, import.meta.url);
  const beds: Partial<Record<Bed, Results>> = {
    ...JSON.parse(await Deno.readTextFile(file("results.json"))),
    [bed]: results,
  };
  await Deno.writeTextFile(
    file("results.json"),
    `${JSON.stringify(beds, null, 2)}\n`,
  );
  await Deno.writeTextFile(file("results.md"), reportAll(beds));
  await Deno.writeTextFile(file(CHARTS[bed]), drawThroughput(results));
}
