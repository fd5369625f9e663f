/**
 * Block devices for tests: they record what is done to them, fail at chosen
 * blocks, and can hold an operation back.
 *
 * @module
 */
import { type BlockDevice, SenseError } from "@usb/gadget/mass-storage";
import { setTimeout as delay } from "node:timers/promises";

type Bytes = Uint8Array<ArrayBuffer>;

/** What a {@linkcode TestDisk} is like. */
export interface TestDiskOptions {
  /** @default {512} */
  readonly blockSize?: number;
  /** @default {2048} */
  readonly blockCount?: number;
  /** Differs between two disks with different contents. @default {0} */
  readonly salt?: number;
  /** Milliseconds that an operation takes; without it, they are synchronous. */
  readonly delay?: number;
}

/** The contents of a block that was never written: its number and the salt in each word. */
export function blockContents(
  lba: number,
  count = 1,
  { blockSize = 512, salt = 0 }: TestDiskOptions = {},
): Bytes {
  const words = new Uint32Array(count * blockSize / 4);
  const each = blockSize / 4;
  for (let at = 0; at < words.length; at++) {
    words[at] = lba + Math.floor(at / each) + salt * 0x0100_0000;
  }
  return new Uint8Array(words.buffer);
}

/** A disk in memory, all of whose methods exist; take some away with `without()`. */
export class TestDisk implements BlockDevice {
  readonly blockSize: number;
  readonly blockCount: number;
  readonly bytes: Bytes;
  /** The operations that have begun, such as `"write 7+2"`. */
  readonly log: string[] = [];
  /** Blocks that cannot be read or written. */
  readonly bad = new Set<number>();
  /** Operations that began before the one before them had ended. */
  overlaps = 0;
  readonly #delay: number | undefined;
  #gate: PromiseWithResolvers<void> | undefined;
  #running = 0;

  constructor(options: TestDiskOptions = {}) {
    const { blockSize = 512, blockCount = 2048 } = options;
    this.blockSize = blockSize;
    this.blockCount = blockCount;
    this.bytes = blockContents(0, blockCount, options);
    this.#delay = options.delay;
  }

  /** Whether an operation has begun and has not ended. */
  get busy(): boolean {
    return this.#running > 0;
  }

  /** Holds operations that begin from now on back, until {@linkcode release}. */
  hold(): void {
    this.#gate ??= Promise.withResolvers();
  }

  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** A copy of blocks. */
  blocks(lba: number, count = 1): Bytes {
    return this.bytes.slice(
      lba * this.blockSize,
      (lba + count) * this.blockSize,
    );
  }

  /** Forgets the log; returns it. */
  takeLog(): string[] {
    return this.log.splice(0);
  }

  read(lba: number, into: Bytes): void | Promise<void> {
    const count = into.byteLength / this.blockSize;
    return this.#run("read", lba, count, "unrecovered read error", () => {
      const start = lba * this.blockSize;
      into.set(this.bytes.subarray(start, start + into.byteLength));
    });
  }

  write(lba: number, from: Bytes): void | Promise<void> {
    const count = from.byteLength / this.blockSize;
    return this.#run("write", lba, count, "write error", () => {
      this.bytes.set(from, lba * this.blockSize);
    });
  }

  flush(): void | Promise<void> {
    return this.#run("flush", 0, 0, "write error", () => {});
  }

  discard(lba: number, count: number): void | Promise<void> {
    return this.#run("discard", lba, count, "write error", () => {
      const { blockSize } = this;
      this.bytes.fill(0, lba * blockSize, (lba + count) * blockSize);
    });
  }

  /** The same disk without some of its methods. */
  without(...methods: ("write" | "flush" | "discard")[]): BlockDevice {
    const { blockSize, blockCount } = this;
    const all: BlockDevice = {
      blockSize,
      blockCount,
      read: (lba, into) => this.read(lba, into),
      write: (lba, from) => this.write(lba, from),
      flush: () => this.flush(),
      discard: (lba, count) => this.discard(lba, count),
    };
    return Object.fromEntries(
      Object.entries(all).filter(([name]) =>
        !(methods as string[]).includes(name)
      ),
    ) as unknown as BlockDevice;
  }

  #run(
    what: "read" | "write" | "flush" | "discard",
    lba: number,
    count: number,
    sense: "unrecovered read error" | "write error",
    act: () => void,
  ): void | Promise<void> {
    const { blockCount } = this;
    if (!(lba >= 0 && Number.isInteger(count) && lba + count <= blockCount)) {
      throw new RangeError(`The disk is asked for "${what} ${lba}+${count}"`);
    }
    this.log.push(what === "flush" ? what : `${what} ${lba}+${count}`);
    if (this.#running > 0) this.overlaps++;
    const finish = () => {
      const failing = [...this.bad].filter((each) =>
        lba <= each && each < lba + count
      );
      if (failing.length > 0) {
        throw new SenseError(sense, { lba: Math.min(...failing) });
      }
      act();
    };
    const gate = this.#gate;
    if (this.#delay === undefined && gate === undefined) return finish();
    this.#running++;
    return (async () => {
      try {
        if (gate !== undefined) await gate.promise;
        if (this.#delay !== undefined) await delay(this.#delay);
        finish();
      } finally {
        this.#running--;
      }
    })();
  }
}
