/**
 * An AIO context without a kernel.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { AioProducer } from "../../../ffi/aio/context.ts";
import type { AioRequest } from "../../../ffi/aio/ring.ts";
import type { RequestQueueOptions } from "../../../src/functionfs/transfer/queue.ts";

type FakedAio = RequestQueueOptions["aio"];

/** Requests complete when the test says so. */
export class FakeAio implements FakedAio {
  /** With the kernel, in the order of submission. */
  inKernel: AioRequest[] = [];
  /** Cancelled, and still in the kernel. */
  cancelled: AioRequest[] = [];
  readonly #producers = new Set<AioProducer>();

  schedule(producer: AioProducer): void {
    this.#producers.add(producer);
  }

  submit(request: AioRequest): void {
    assert(!request.pending, "submitted twice");
    request.ring = {} as AioRequest["ring"];
    this.inKernel.push(request);
  }

  cancel(request: AioRequest): boolean {
    this.cancelled.push(request);
    return true;
  }

  /** The end of a turn. */
  turn(): void {
    while (this.#producers.size > 0) {
      const producers = [...this.#producers];
      this.#producers.clear();
      for (const producer of producers) producer.pump();
    }
  }

  complete(request: AioRequest, result: number): void {
    this.inKernel = this.inKernel.filter((each) => each !== request);
    this.cancelled = this.cancelled.filter((each) => each !== request);
    request.ring = undefined;
    request.onComplete(result);
  }
}
