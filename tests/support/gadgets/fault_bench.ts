/**
 * Endpoints with faults, whose kernel and host do what the test says.
 *
 * @module
 */
import { setImmediate as turn } from "node:timers/promises";
import { assertEquals } from "@std/assert";
import { IOCB_CMD_PREAD, IOCB_CMD_PWRITE } from "../../../ffi/abi.ts";
import type { AioRequest } from "../../../ffi/aio/ring.ts";
import { Errno } from "../../../ffi/errno.ts";
import { ReadQueue } from "../../../src/functionfs/read/queue.ts";
import {
  ExactReader,
  TransferReader,
} from "../../../src/functionfs/read/reader.ts";
import { SessionLife } from "../../../src/functionfs/session.ts";
import { PacketSizes } from "../../../src/functionfs/transfer/packet_sizes.ts";
import { RequestQueue } from "../../../src/functionfs/transfer/queue.ts";
import type { KernelRequest } from "../../../src/functionfs/transfer/request.ts";
import { transferData } from "../../../src/functionfs/write/data.ts";
import { PieceMemory } from "../../../src/functionfs/write/parts.ts";
import {
  Write,
  type WriteLife,
  type WritePort,
} from "../../../src/functionfs/write/write.ts";
import { InFaultPort } from "../../../src/testing/faults/in_port.ts";
import { OutFaultPort } from "../../../src/testing/faults/out_port.ts";
import type { FaultRule } from "../../../src/testing/faults/plan.ts";
import { FaultRun } from "../../../src/testing/faults/run.ts";
import { FakeAio } from "./fake_aio.ts";

const PACKET = 64;
const SIZES = { full: PACKET };
const SIZED = {
  transferType: "bulk",
  maxPacketSize: SIZES,
  bytesPerInterval: SIZES,
} as const;

type Rule = Omit<FaultRule, "endpoint">;
type Data = Parameters<typeof transferData>[0];

/** An endpoint with faults, whose kernel and host do what the test says. */
class Bench {
  readonly aio = new FakeAio();
  readonly connection = {
    enabled: true,
    enableCount: 1,
    probe: () => true,
    use() {},
    doubtful: false,
  };
  session = new SessionLife(1);
  /** What halting the endpoint results in. */
  haltResult = 0;
  /** What happens on the bus, in order. */
  readonly bus: (string | number)[] = [];
  readonly run: FaultRun;
  readonly queue: RequestQueue;

  constructor(opcode: number, direction: "in" | "out", rules: Rule[]) {
    const { aio, connection } = this;
    this.queue = new RequestQueue({ aio, fd: -1, opcode, connection });
    this.run = new FaultRun(
      rules.map((rule) => ({ endpoint: "ep", direction, ...rule })),
      1,
    );
  }

  get endpoint() {
    const { queue } = this;
    const halt = () => {
      if (this.haltResult === 0) this.bus.push("halt");
      return this.haltResult;
    };
    return { name: "ep", queue, halt };
  }

  readonly disconnect = () => {
    this.bus.push("disconnect");
  };

  /** Lets everything happen that does not depend on the host. */
  async settle(): Promise<void> {
    for (let count = 0; count < 4; count++) {
      this.aio.turn();
      await turn();
    }
    this.aio.turn();
  }

  /** The lengths of the requests in the kernel. */
  get kernel(): number[] {
    return this.aio.inKernel.map((each) => (each as KernelRequest).length);
  }

  complete(result: (request: KernelRequest) => number): void {
    const [request] = this.aio.inKernel as AioRequest[];
    this.aio.complete(request, result(request as KernelRequest));
  }

  endSession(): void {
    this.session.end("disabled");
    this.connection.enabled = false;
    this.queue.onDisable();
    for (const each of [...this.aio.inKernel]) {
      this.aio.complete(each, -Errno.ESHUTDOWN);
    }
    this.connection.enabled = true;
    this.connection.enableCount++;
    this.session = new SessionLife(this.connection.enableCount);
    this.queue.onEnable();
  }
}

/** An IN endpoint with faults. */
export class InBench extends Bench {
  readonly port: WritePort;

  constructor(...rules: Rule[]) {
    super(IOCB_CMD_PWRITE, "in", rules);
    const queue = new InFaultPort({ ...this.endpoint, direction: "in" }, {
      next: (size) => this.run.next("ep", { direction: "in", size }),
      disconnect: this.disconnect,
    });
    this.port = {
      name: "ep",
      path: "/ep1",
      maxPacketSize: PACKET,
      largestTransfer: Infinity,
      pieceSize: 4 * PACKET,
      pieceStep: PACKET,
      pieceMemory: new PieceMemory(),
      queue,
      zeroLengthPackets: {
        mode: "request",
        set() {},
      } as unknown as WritePort["zeroLengthPackets"],
    };
  }

  write(data: Data | number, options: WriteLife = {}, zlp = false) {
    const bytes = typeof data === "number" ? new Uint8Array(data) : data;
    const written = new Promise<number>((resolve, reject) => {
      new Write(this.port, options, resolve, reject)
        .start(transferData(bytes, this.port), zlp);
    });
    written.catch(() => {});
    return written;
  }

  /** The host takes all that comes. */
  async takeAll(): Promise<void> {
    for (let idle = 0; idle < 3; idle++) {
      await this.settle();
      for (; this.aio.inKernel.length > 0; idle = 0) {
        assertEquals(this.kernel.length, 1);
        this.bus.push(...this.kernel);
        this.complete(({ length }) => length);
        await this.settle();
      }
    }
  }
}

/** An OUT endpoint with faults. */
export class OutBench extends Bench {
  readonly reads: ReadQueue;

  constructor(...rules: Rule[]) {
    super(IOCB_CMD_PREAD, "out", rules);
    const next = (kinds: FaultRule["fault"][], size?: number) =>
      this.run.next("ep", { direction: "out", size }, new Set(kinds));
    this.reads = new ReadQueue({
      name: "ep",
      path: "/ep1",
      maxPacketSize: PACKET,
      packetSizes: new PacketSizes(SIZED),
      queue: new OutFaultPort({ ...this.endpoint, direction: "out" }, {
        before: () => next(["delay", "stall"]),
        after: (size) => next(["shorten", "drop", "disconnect"], size),
        disconnect: this.disconnect,
      }),
    });
  }

  #add<T>(
    make: (settlers: PromiseWithResolvers<T>) => TransferReader | ExactReader,
  ): Promise<T> {
    const settlers = Promise.withResolvers<T>();
    settlers.promise.catch(() => {});
    this.reads.add(make(settlers));
    return settlers.promise;
  }

  read(size: number, life = {}): Promise<Uint8Array> {
    return this.#add((it) => new TransferReader(this.reads, size, life, it));
  }

  readExactly(size: number, life = {}): Promise<Uint8Array> {
    const { reads } = this;
    const read = this.#add<Uint8Array>((it) =>
      new ExactReader(reads, size, life, it)
    );
    reads.ahead ??= {
      takesBytes: true,
      size: undefined,
      depth: 4,
      session: undefined,
    };
    return read;
  }

  /** The host sends transfers. */
  async send(...transfers: readonly number[][]): Promise<void> {
    for (const bytes of transfers) {
      await this.settle();
      assertEquals(this.kernel.length, 1);
      this.complete(({ memory }) => {
        memory.set(bytes);
        return bytes.length;
      });
    }
    await this.settle();
  }
}
