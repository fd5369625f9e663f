/**
 * This package in the engine benchmark: the same input and output as libaio.c.
 *
 * @module
 */
import process from "node:process";
import { openEndpoints } from "../../tests/support/measure/endpoints_on_files.ts";
import {
  type WayName,
  WAYS,
} from "../../tests/support/measure/transfer_ways.ts";
import { readLines } from "../lines.ts";

const endpoints = openEndpoints();

/** CPU time of all threads, in microseconds. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

for await (const line of readLines(Deno.stdin.readable)) {
  const [way, ...numbers] = line.split(" ");
  const [size, depth, count] = numbers.map(Number);
  const cpu = processorTime();
  const wall = performance.now();
  await WAYS[way as WayName](endpoints, size, depth, count);
  const time = (performance.now() - wall) * 1000;
  console.log(`${time} ${processorTime() - cpu}`);
}
Deno.exit(0);
