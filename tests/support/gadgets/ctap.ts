/**
 * A CTAPHID device without USB.
 *
 * @module
 */
import type { CtapHandlers } from "../../../src/classes/hid/fido/handlers.ts";
import type { CtapRequest } from "../../../src/classes/hid/fido/request.ts";
import {
  CtapTransport,
  type CtapTransportOptions,
} from "../../../src/classes/hid/fido/transport.ts";
import { CtapHost } from "../host/ctap.ts";
import { until } from "../waiting/until.ts";

/** Longer than a test. */
const NEVER_MS = 1e6;

/** A device and its host in one process. */
export interface CtapConnection extends Disposable {
  readonly host: CtapHost;
  readonly transport: CtapTransport;
  /** What the device has reported. */
  readonly errors: readonly unknown[];
}

/** Connects a device that echoes CBOR requests. Each packet arrives at once. */
export function connectCtap(
  options: Partial<CtapTransportOptions> = {},
): CtapConnection {
  const errors: unknown[] = [];
  const host: CtapHost = new CtapHost((packet) => transport.receive(packet));
  const transport: CtapTransport = new CtapTransport({
    onMessage: (cbor) => cbor,
    deviceVersion: [1, 2, 3],
    send: (packet) => Promise.resolve(host.take(packet)),
    onError: (error) => errors.push(error),
    packetTimeoutMs: NEVER_MS,
    keepAliveMs: NEVER_MS,
    ...options,
  });
  return {
    host,
    transport,
    errors,
    [Symbol.dispose]: () => transport.reset(),
  };
}

/** A call of a handler. */
export interface CtapCall {
  readonly cbor: Uint8Array;
  readonly request: CtapRequest;
  /** Ends it with a response. */
  resolve(response: Uint8Array): void;
  /** Ends it with an error. */
  reject(error: unknown): void;
}

/** A handler whose calls a test ends. */
export class WaitingHandler {
  /** All calls. */
  readonly calls: CtapCall[] = [];

  readonly onMessage: CtapHandlers["onMessage"] = (cbor, request) => {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.calls.push({ cbor, request, resolve, reject });
    return promise;
  };

  /** Waits for a call, counted from 0. */
  async called(index: number): Promise<CtapCall> {
    await until(() => this.calls.length > index, `call ${index} has come`);
    return this.calls[index];
  }
}
