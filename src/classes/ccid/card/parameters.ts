/**
 * Protocol parameters: clocks, rates, waiting times (CCID 1.1, 6.1.7; ISO/IEC
 * 7816-3, 7 and 8).
 *
 * @module
 */

/** A protocol of transmission: T=0 for characters, T=1 for blocks. */
export type Protocol = 0 | 1;

/** All of them. */
export const PROTOCOLS: readonly Protocol[] = [0, 1];

/** What a slot works with. */
export interface Parameters {
  readonly protocol: Protocol;
  /** `abProtocolDataStructure` of T=0 and of T=1. */
  readonly values: readonly [
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>,
  ];
}

/** The clock of cards, in kHz. */
export const CLOCK_KHZ = 4000;

/** Clock cycles by the index FI; those reserved count as the default. */
const CYCLES = [372, 372, 558, 744, 1116, 1488, 1860, 372]
  .concat([372, 512, 768, 1024, 1536, 2048, 372, 372]);
/** Factors by the index DI, from 1 on. */
const FACTORS = [1, 2, 4, 8, 16, 32, 64, 12, 20];

/** Rates of all F and D, in bit/s, from low to high. */
export function dataRates(): number[] {
  const all = CYCLES.flatMap((cycles) =>
    FACTORS.map((factor) => Math.floor(1000 * CLOCK_KHZ * factor / cycles))
  );
  return [...new Set(all)].sort((a, b) => a - b);
}

/** How long a host waits for a card's answer at least, in milliseconds. */
export function waitingMs({ protocol, values }: Parameters): number {
  const [speed, , , waiting] = values[protocol];
  return protocol === 0
    ? 960 * waiting * CYCLES[speed >> 4] / CLOCK_KHZ
    : 960 * 2 ** (waiting >> 4) * 372 / CLOCK_KHZ;
}
