/**
 * Where the transfers of one endpoint pass on their way to its queue. One
 * request is in the kernel at a time: so every fault comes right before, in
 * place of or right after its transfer.
 *
 * @module
 */
import type { InterceptedEndpoint } from "../../functionfs/transfer/interception.ts";
import type {
  KernelRequest,
  RequestOwner,
  RequestPort,
} from "../../functionfs/transfer/request.ts";

/** Passes requests on to the queue of an endpoint, with their owners wrapped. */
export abstract class FaultPort implements RequestPort {
  protected readonly endpoint: InterceptedEndpoint;
  /** Requests that were pushed complete, and wait only for their turn. */
  readonly #complete = new WeakSet<KernelRequest>();
  #halting = false;
  #delay: ReturnType<typeof setTimeout> | undefined;

  constructor(endpoint: InterceptedEndpoint) {
    this.endpoint = endpoint;
  }

  /** Whether the next request may go to the kernel. */
  get free(): boolean {
    return this.endpoint.queue.inKernel === 0 && !this.#halting &&
      this.#delay === undefined;
  }

  /** What stands for an owner. */
  protected abstract wrap(owner: RequestOwner): RequestOwner;

  /** Keeps requests back for a time. */
  delay(ms: number): void {
    this.#delay = setTimeout(() => {
      this.#delay = undefined;
      this.wake();
    }, ms);
  }

  /** Ends a delay. */
  hurry(): void {
    clearTimeout(this.#delay);
    this.#delay = undefined;
  }

  /**
   * Halts the endpoint, and keeps requests back until that is done. A new
   * connection finds it as it should be.
   */
  halt(): void {
    const { queue } = this.endpoint;
    const { nextConnection } = queue;
    this.#halting = true;
    queue.run({
      // Nothing is in the kernel, and what waits here comes later.
      ordered: false,
      attempt: () =>
        queue.nextConnection === nextConnection ? this.endpoint.halt() : 0,
      onEnd: () => {
        this.#halting = false;
        this.wake();
      },
    });
  }

  /** It is the turn of a request: returns it if it was pushed complete. */
  release(rest: KernelRequest): KernelRequest | undefined {
    if (!this.#complete.delete(rest)) return undefined;
    rest.open = false;
    return rest;
  }

  /** Puts a request that has ended back before all that wait. */
  again(request: KernelRequest): void {
    this.endpoint.queue.pushBehind(request, request);
    this.#keep(request);
    this.wake();
  }

  get nextConnection(): number {
    return this.endpoint.queue.nextConnection;
  }

  take(
    owner: RequestOwner,
    memory: Uint8Array<ArrayBuffer>,
    length?: number,
  ): KernelRequest {
    const { queue } = this.endpoint;
    const request = queue.take(this.wrap(owner), memory, length);
    this.#complete.delete(request);
    return request;
  }

  give(request: KernelRequest): void {
    this.endpoint.queue.give(request);
  }

  push(request: KernelRequest): void {
    this.#keep(request);
    this.endpoint.queue.push(request);
  }

  pushBehind(request: KernelRequest, before: KernelRequest): void {
    this.#keep(request);
    this.endpoint.queue.pushBehind(request, before);
  }

  wake(): void {
    this.endpoint.queue.wake();
  }

  cancel(request: KernelRequest): void {
    this.endpoint.queue.cancel(request);
  }

  /** The queue asks for it when it is its turn, and others wait behind it. */
  #keep(request: KernelRequest): void {
    if (request.open) return;
    request.open = true;
    this.#complete.add(request);
  }
}
