/**
 * The transport of MTP with operations for tests, and a host in memory.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  bulkPair,
  controlRoutes,
  type FunctionSpeed,
  type Session,
  type UsbFunction,
} from "@usb/gadget";
import { stillImageRequests } from "@usb/gadget/mtp";
import { type FakeSession, fakeSession } from "@usb/gadget/testing";
import { ResponseError } from "../../../src/classes/mtp/protocol/response.ts";
import type {
  IncomingData,
  Operations,
  OutgoingData,
} from "../../../src/classes/mtp/responder/operation.ts";
import { Transport } from "../../../src/classes/mtp/transport/transport.ts";
import { pattern } from "../data/pattern.ts";
import { MtpHost } from "../host/mtp_host.ts";
import { fakeMtpPipe } from "../host/mtp_pipe.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The operations of the bench. */
export const Op = {
  /** Data without a session. */
  INFO: 0x1001,
  OPEN: 0x1002,
  CLOSE: 0x1003,
  /** Sends a pattern while it is read: size, seed, and where to fail (2) or end (1). */
  GET: 0x9001,
  /** Receives data by parts, and keeps it. */
  PUT: 0x9002,
  /** Receives a dataset, and keeps it. */
  PUT_DATASET: 0x9003,
  /** Sends bytes from memory: size, seed. */
  GET_BYTES: 0x9004,
  /** Fails before it receives its data. */
  REFUSE: 0x9005,
  /** Throws what is no response. */
  BREAK: 0x9006,
  /** Responds with its parameters. */
  ECHO: 0x9007,
  /** Responds when the bench lets it. */
  HANG: 0x9008,
  /** PUT of {@linkcode LARGE} bytes, which were announced before. */
  PUT_LARGE: 0x9009,
} as const;

/** More than a header can say. */
export const LARGE = 2 ** 32 + 100;

/** How {@linkcode Op.GET} goes wrong. */
export const ENDS_EARLY = 1;
export const FAILS = 2;

/** What the operations have done. */
export interface Record {
  /** What PUT and PUT_DATASET have received last. */
  received: Bytes;
  /** What PUT has been told of its size. */
  announced: number | undefined;
  /** Errors that operations have ended with. */
  readonly failures: unknown[];
  /** Codes in the order of their runs. */
  readonly runs: number[];
  /** Data that was given out, and not closed. */
  open: number;
  /** Calls of reads and hangs that wait for {@linkcode release}. */
  waiting: number;
  /** Whether reads wait. */
  holds: boolean;
  /** Lets all that wait go on. */
  release(): void;
  /** Sessions of PTP that were opened and closed. */
  opened: number;
  closed: number;
}

/** A bench. */
export interface TransportBench extends AsyncDisposable {
  readonly host: MtpHost;
  readonly record: Record;
  /** Errors that were reported: removed by the call. */
  takeReported(): unknown[];
  /** Begins another session, as after a reset of the port. */
  reconnect(): Promise<void>;
}

/** Makes the operations. */
function operationsFor(record: Record): Operations {
  let gate = Promise.withResolvers<void>();
  record.release = () => {
    record.holds = false;
    gate.resolve();
    gate = Promise.withResolvers();
  };
  const wait = async () => {
    record.waiting++;
    await gate.promise;
    record.waiting--;
  };
  const gather = async (data: IncomingData) => {
    record.announced = data.byteLength;
    const parts: Bytes[] = [];
    for await (const part of data.parts()) {
      if (record.holds) await wait();
      parts.push(part.slice());
    }
    const blob = new Blob(parts);
    record.received = new Uint8Array(await blob.arrayBuffer());
  };
  const watched = async (work: Promise<unknown>) => {
    try {
      await work;
    } catch (error) {
      record.failures.push(error);
      throw error;
    }
  };
  const operations: { -readonly [C in keyof Operations]: Operations[C] } = {
    [Op.INFO]: {
      data: "to host",
      withoutSession: true,
      run: () => ({ data: pattern(30) }),
    },
    [Op.GET]: {
      data: "to host",
      run({ parameters: [size, seed, how] }) {
        record.open++;
        const data: OutgoingData = {
          byteLength: size,
          async read(offset, into) {
            if (record.holds) await wait();
            const half = Math.floor(size / 2);
            if (how === FAILS && offset >= half) throw new Error("unreadable");
            const most = how === undefined || how === 0 ? size : half;
            const count = Math.max(0, Math.min(into.length, most - offset));
            fill(into.subarray(0, count), offset, seed);
            return count;
          },
          close: () => void record.open--,
        };
        return { data };
      },
    },
    [Op.GET_BYTES]: {
      data: "to host",
      run: ({ parameters: [size, seed] }) => ({
        data: pattern(size, seed),
        parameters: [size],
      }),
    },
    [Op.PUT_LARGE]: {
      data: "from host",
      announced: () => LARGE,
      run: ({ data }) => watched(gather(data)),
    },
    [Op.PUT]: {
      data: "from host",
      run: ({ data }) => watched(gather(data)),
    },
    [Op.PUT_DATASET]: {
      data: "from host",
      run: ({ data }) =>
        watched(data.dataset().then((bytes) => record.received = bytes)),
    },
    [Op.REFUSE]: {
      data: "from host",
      run: () => {
        throw new ResponseError("Store_Full");
      },
    },
    [Op.BREAK]: {
      run: () => {
        throw new Error("broken");
      },
    },
    [Op.ECHO]: {
      run: ({ parameters, parameterCount }) => ({
        parameters: parameters.slice(0, parameterCount),
      }),
    },
    [Op.HANG]: { run: wait },
  };
  for (const [code, operation] of Object.entries(operations)) {
    const { run } = operation;
    operations[Number(code)] = {
      ...operation,
      run(call) {
        record.runs.push(Number(code));
        return run(call);
      },
    };
  }
  return operations;
}

/** Writes what `pattern()` has from an offset on. */
function fill(into: Uint8Array, offset: number, seed: number): void {
  if (into.length === 0) return;
  const shift = offset % 251;
  into.set(pattern(into.length + shift, seed).subarray(shift));
}

const interfaces = [{ class: 6, endpoints: { link: bulkPair() } }] as const;
type BenchFunction = UsbFunction<string, typeof interfaces>;

/** Serves the operations to a host. At the end, nothing may be left open. */
export function serveOperations(speed: FunctionSpeed): TransportBench {
  const record: Record = {
    received: new Uint8Array(0),
    announced: undefined,
    failures: [],
    runs: [],
    open: 0,
    waiting: 0,
    holds: false,
    release: () => {},
    opened: 0,
    closed: 0,
  };
  let isOpen = false;
  const transport = new Transport(operationsFor(record), {
    onOpen: () => {
      isOpen = true;
      record.opened++;
    },
    onClose: () => {
      if (isOpen) record.closed++;
      isOpen = false;
    },
  });
  const control = controlRoutes(stillImageRequests({
    cancel: (id) => transport.cancel(id),
    reset: () => transport.reset(),
    getStatus: () => transport.status(),
  }));
  const definition = {
    name: "mtp",
    interfaces,
    control,
    serve: (session: Session<BenchFunction>) => transport.serve(session),
  };
  const connect = () => {
    const made = fakeSession(definition, { speed });
    const session = made as unknown as FakeSession;
    const host = new MtpHost(fakeMtpPipe(session, control));
    return { session, host, served: session.serve(), seen: 0 };
  };
  let now = connect();
  const disconnect = async () => {
    now.session.end();
    await now.served;
  };
  const takeReported = () => {
    const reported = now.session.reported.slice(now.seen);
    now.seen = now.session.reported.length;
    return reported;
  };
  return {
    get host() {
      return now.host;
    },
    record,
    takeReported,
    async reconnect() {
      await disconnect();
      now = connect();
    },
    async [Symbol.asyncDispose]() {
      record.release();
      await disconnect();
      assertEquals(takeReported(), []);
    },
  };
}
