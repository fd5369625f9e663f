/**
 * Operations called without containers.
 *
 * @module
 */
import {
  DatasetReader,
  type DatasetWriter,
} from "../../../src/classes/mtp/protocol/dataset.ts";
import {
  ResponseError,
  type ResponseName,
  responseTo,
} from "../../../src/classes/mtp/protocol/response.ts";
import { Device } from "../../../src/classes/mtp/responder/device.ts";
import {
  type Answer,
  FailedOperation,
  type Operations,
} from "../../../src/classes/mtp/responder/operation.ts";
import { operationsOf } from "../../../src/classes/mtp/responder/operations/mod.ts";
import type { DeviceOptions } from "../../../src/classes/mtp/responder/device.ts";
import type { StorageOptions } from "../../../src/classes/mtp/responder/storage.ts";
import type { ObjectStore } from "../../../src/classes/mtp/store/object_store.ts";

/** The transaction of all calls. */
export const TRANSACTION = 7;

/** What the host gets. */
export interface Outcome {
  readonly response: ResponseName;
  readonly parameters: readonly number[];
  readonly data: Uint8Array<ArrayBuffer>;
}

/** How an operation is called. */
export interface CallOptions {
  readonly data?: Uint8Array<ArrayBuffer> | DatasetWriter;
  /** What the container of the data announces: `undefined` for 4 GiB or more. */
  readonly byteLength?: number | undefined;
  /** Bytes that come at once. */
  readonly part?: number;
  readonly signal?: AbortSignal;
}

/** A device whose operations are called directly, and what it sends as events. */
export class Responder {
  readonly device: Device;
  readonly operations: Operations;
  readonly events: (readonly number[])[] = [];
  /** What operations have thrown that is no response. */
  readonly errors: unknown[] = [];

  constructor(options: Partial<DeviceOptions> = {}) {
    this.device = new Device({
      manufacturer: "Maker",
      model: "Model",
      version: "1.0",
      serialNumber: "1234",
      friendlyName: "Friend",
      ...options,
    });
    this.operations = operationsOf(this.device);
    this.device.onEvent = (code, parameters, transactionId) => {
      const event = [code, ...parameters];
      if (transactionId !== undefined) event.push(transactionId);
      this.events.push(event);
    };
    this.device.onError = (error) => this.errors.push(error);
  }

  /** Adds a storage, without its event. Returns its StorageID. */
  add(store: ObjectStore, options: Partial<StorageOptions> = {}): number {
    const { id } = this.device.addStorage({
      store,
      name: "Storage",
      volume: "volume",
      removable: false,
      readOnly: false,
      ...options,
    });
    this.events.pop();
    return id;
  }

  /** Calls an operation. */
  async call(
    code: number,
    parameters: readonly number[] = [],
    options: CallOptions = {},
  ): Promise<Outcome> {
    const { signal = new AbortController().signal } = options;
    const { data = new Uint8Array(), part = 1000 } = options;
    const bytes = data instanceof Uint8Array ? data : data.bytes;
    const byteLength = "byteLength" in options
      ? options.byteLength
      : bytes.byteLength;
    const memory = new Uint8Array(part);
    try {
      const answer = await this.operations[code].run({
        code,
        transactionId: TRANSACTION,
        parameters: Array.from({ length: 5 }, (_, at) => parameters[at] ?? 0),
        parameterCount: parameters.length,
        signal,
        data: {
          byteLength,
          dataset: () => Promise.resolve(bytes.slice()),
          async *parts() {
            for (let at = 0; at < bytes.byteLength; at += part) {
              await Promise.resolve();
              signal.throwIfAborted();
              const piece = bytes.subarray(at, at + part);
              memory.set(piece);
              yield memory.subarray(0, piece.byteLength);
            }
          },
        },
      });
      const data = await collect(answer?.data);
      answer?.after?.();
      return { response: "OK", parameters: answer?.parameters ?? [], data };
    } catch (error) {
      if (signal.aborted && error === signal.reason) throw error;
      const response = responseTo(error);
      if (response === undefined) this.errors.push(error);
      return {
        response: response ?? "General_Error",
        parameters: error instanceof FailedOperation ? error.parameters : [],
        data: new Uint8Array(),
      };
    }
  }

  /** The parameters of an operation that succeeds. */
  async ok(
    ...call: Parameters<Responder["call"]>
  ): Promise<Omit<Outcome, "response">> {
    const { response, ...rest } = await this.call(...call);
    if (response !== "OK") {
      throw new ResponseError(response, { cause: this.errors.at(-1) });
    }
    return rest;
  }

  /** The data of an operation that succeeds. */
  async read(
    ...call: Parameters<Responder["call"]>
  ): Promise<DatasetReader> {
    return new DatasetReader((await this.ok(...call)).data);
  }

  /** The response of an operation. */
  async response(
    ...call: Parameters<Responder["call"]>
  ): Promise<ResponseName> {
    return (await this.call(...call)).response;
  }
}

/** Reads data in pieces that fit nothing. */
async function collect(data: Answer["data"]): Promise<Uint8Array<ArrayBuffer>> {
  if (data === undefined) return new Uint8Array();
  if (data instanceof Uint8Array) return data;
  const bytes = new Uint8Array(data.byteLength);
  try {
    let at = 0;
    while (at < bytes.byteLength) {
      const count = await data.read(at, bytes.subarray(at, at + 70_001));
      if (count === 0) break;
      at += count;
    }
    return bytes.subarray(0, at);
  } finally {
    data.close();
  }
}
