/**
 * Each way to transfer data, to /dev/null and from /dev/zero.
 *
 * @module
 */
import type { InEndpoint, OutEndpoint } from "@usb/gadget";

/** An endpoint in each direction. */
export interface Ends {
  readonly in: InEndpoint;
  readonly out: OutEndpoint;
}

/** Makes `count` transfers of `size` bytes, `depth` of them at once. */
export type Way = (
  ends: Ends,
  size: number,
  depth: number,
  count: number,
) => Promise<void>;

/** A packet: smaller reads are served one at a time. */
const PACKET = 1024;

/** All ways. */
export const WAYS = {
  "write": (ends, size, depth, count) => {
    const data = new Uint8Array(size);
    return inLanes(depth, count, async (more) => {
      while (more()) await ends.in.write(data);
    });
  },
  /** Into memory that comes back. */
  "read(buffer)": (ends, size, depth, count) =>
    inLanes(depth, count, async (more) => {
      let buffer = new Uint8Array(wholePackets(size));
      while (more()) buffer = await ends.out.read(buffer);
    }),
  "read(size)": (ends, size, depth, count) =>
    inLanes(depth, count, async (more) => {
      while (more()) await ends.out.read(wholePackets(size));
    }),
  "readExactly": (ends, size, depth, count) =>
    inLanes(depth, count, async (more) => {
      while (more()) await ends.out.readExactly(size);
    }),
  "transfers": async (ends, size, depth, count) => {
    let left = count;
    const options = { size: wholePackets(size), depth };
    for await (const _ of ends.out.transfers(options)) {
      if (--left === 0) break;
    }
    // The next way would get what this has requested.
    await ends.out.discard();
  },
  "writable": async (ends, size, depth, count) => {
    const data = new Uint8Array(size);
    const writer = ends.in.openWritable({ depth }).getWriter();
    for (let left = count; left > 0; left--) await writer.write(data);
    await writer.close();
  },
  "readable": async (ends, size, depth, count) => {
    const transferSize = wholePackets(size);
    const reader = ends.out.openReadable({ transferSize, depth }).getReader();
    for (let left = count * transferSize; left > 0;) {
      left -= (await reader.read()).value!.byteLength;
    }
    await reader.cancel();
    await ends.out.discard();
  },
  "readable(byob)": async (ends, size, depth, count) => {
    const transferSize = wholePackets(size);
    const reader = ends.out.openReadable({ transferSize, depth })
      .getReader({ mode: "byob" });
    let memory = new ArrayBuffer(transferSize);
    for (let left = count * transferSize; left > 0;) {
      const { value } = await reader.read(new Uint8Array(memory));
      left -= value!.byteLength;
      memory = value!.buffer;
    }
    await reader.cancel();
    await ends.out.discard();
  },
} satisfies Record<string, Way>;

/** The name of a way. */
export type WayName = keyof typeof WAYS;

function wholePackets(size: number): number {
  return Math.max(size, PACKET);
}

/** Runs `depth` lanes that share `count` transfers. */
async function inLanes(
  depth: number,
  count: number,
  lane: (more: () => boolean) => Promise<void>,
): Promise<void> {
  let left = count;
  const more = () => left-- > 0;
  await Promise.all(Array.from({ length: depth }, () => lane(more)));
}
