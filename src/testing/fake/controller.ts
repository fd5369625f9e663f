/**
 * Asynchronous requests without a kernel, in place of an AIO context.
 *
 * @module
 */
import type { AioContext, AioProducer } from "../../../ffi/aio/context.ts";
import type { AioRequest } from "../../../ffi/aio/ring.ts";
import type { Wire } from "./wire.ts";

/** What endpoints need of an {@linkcode AioContext}. */
type Aio = Pick<AioContext, "schedule" | "submit" | "cancel" | "flush">;

/** Passes the requests of endpoints to their wires. */
export class FakeController implements Aio {
  readonly #wires: Wire[] = [];
  readonly #owners = new Map<AioRequest, Wire>();
  #producers: AioProducer[] = [];

  /** Adds an endpoint; returns the descriptor by which its requests come. */
  add(wire: Wire): number {
    // Never a file: a call on it fails with EBADF.
    return -1 - this.#wires.push(wire);
  }

  /** Calls `pump` at the end of this turn. */
  schedule(producer: AioProducer): void {
    if (producer.scheduled) return;
    producer.scheduled = true;
    if (this.#producers.push(producer) > 1) return;
    queueMicrotask(() => {
      for (const each of this.#producers.splice(0)) {
        each.scheduled = false;
        each.pump();
      }
    });
  }

  /** Passes a request on. Copies what is sent, as the kernel does. */
  submit(
    request: AioRequest,
    _opcode: number,
    fd: number,
    _address: bigint,
    length: number,
    owned: Uint8Array<ArrayBuffer> | undefined,
  ): void {
    const wire = this.#wires[-2 - fd];
    const memory = owned?.subarray(0, length) ?? new Uint8Array(0);
    const isSent = wire.endpoint.direction === "in";
    // What counts as pending
    request.ring = {} as NonNullable<AioRequest["ring"]>;
    this.#owners.set(request, wire);
    wire.submit({ request, memory: isSent ? memory.slice() : memory, at: 0 });
  }

  /** Ends a request early. */
  cancel(request: AioRequest): boolean {
    this.#owners.get(request)?.cancel(request);
    return request.pending;
  }

  /** Nothing waits here. */
  flush(): void {}
}
