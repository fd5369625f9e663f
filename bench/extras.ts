/**
 * Measurements beside the cells: idle functions, and many gadgets at once.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { waitForNoDevice } from "../src/testing/usbfs/find.ts";
import {
  denoCommand,
  ECHO,
  ours,
  oursFrom,
  type Programs,
  ROOT,
} from "./contenders.ts";
import type { Cell } from "./plan.ts";
import { Program } from "./program.ts";
import { median, unfairness } from "./results.ts";
import {
  devicesOfHost,
  RunningContender,
  untilConfigured,
} from "./running_contender.ts";

const CELL: Cell = { direction: "in", size: 65_536, depth: 8, count: 600 };
const SHARE_ROUNDS = 3;

/** V8 continues to do background work for some seconds after its start. */
const SETTLE_MS = 12_000;
const IDLE_MS = 10_000;

/** The device of the echo example. */
const IDS = { vendorId: 0x1209, productId: 0x0001, serialNumber: "1" };

/** How often each form of the echo example is started. */
const STARTS = 5;

/** The start of a program. */
export interface Start {
  /** From the start of the process until the host has configured its gadget. */
  seconds: number;
  residentMiB: number;
}

/** The results. */
export interface Extras {
  /** The echo example, as it is and in one file; medians. */
  echo: { source: Start; bundle: Start };
  /** CPU seconds per second of a process with 32 idle endpoints. */
  idleCpu: number;
  /** MB/s of each of eight gadgets that send at once, in the median round. */
  shares: number[];
}

/** Measures eight idle gadgets, and then eight others that send at once. */
export async function measureExtras(
  { programs, udcs }: { programs: Programs; udcs: readonly string[] },
): Promise<Extras> {
  return {
    echo: {
      source: await measureStart(oursFrom(ROOT, ECHO)),
      bundle: await measureStart(denoCommand(programs.echoBundle)),
    },
    idleCpu: await measureIdle(udcs),
    shares: await measureShares(programs, udcs),
  };
}

async function measureStart(command: readonly string[]): Promise<Start> {
  const starts: Start[] = [];
  for (let n = 0; n < STARTS; n++) {
    const others = devicesOfHost();
    const start = performance.now();
    const echo = Program.start(command);
    await untilConfigured(others);
    const seconds = (performance.now() - start) / 1000;
    starts.push({ seconds, residentMiB: echo.residentBytes() / 2 ** 20 });
    await echo.interrupt();
    await waitForNoDevice(IDS);
  }
  return {
    seconds: median(starts.map(({ seconds }) => seconds)),
    residentMiB: median(starts.map(({ residentMiB }) => residentMiB)),
  };
}

async function measureIdle(udcs: readonly string[]): Promise<number> {
  const idle = Program.start(ours("gadgets/idle.ts", ...udcs));
  await idle.expect("open");
  await delay(SETTLE_MS);
  const before = idle.cpuSeconds();
  await delay(IDLE_MS);
  const after = idle.cpuSeconds();
  await idle.interrupt();
  return (after - before) / (IDLE_MS / 1000);
}

async function measureShares(
  programs: Programs,
  udcs: readonly string[],
): Promise<number[]> {
  const gadgets: RunningContender[] = [];
  for (const [index, udc] of udcs.entries()) {
    const label = `gadget ${index}`;
    gadgets.push(
      await RunningContender.start("gadget", {
        programs,
        udc,
        cell: CELL,
        label,
      }),
    );
  }
  const megabytes = CELL.size * CELL.count / 1e6;
  const all = async () => {
    const measured = await Promise.all(
      gadgets.map((gadget) => gadget.measure(CELL)),
    );
    return measured.map(({ seconds }) => megabytes / seconds);
  };
  await all(); // warm
  const rounds: number[][] = [];
  for (let round = 0; round < SHARE_ROUNDS; round++) rounds.push(await all());
  for (const gadget of gadgets) await gadget[Symbol.asyncDispose]();
  rounds.sort((a, b) => unfairness(a) - unfairness(b));
  return rounds[SHARE_ROUNDS >> 1];
}
