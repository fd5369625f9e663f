/**
 * The AIO context shared by all functions of the isolate.
 *
 * @module
 */
import { lastsAsLongAsProcess } from "../isolate.ts";
import { AioContext } from "./context.ts";

/** By library; in practice there is one. */
const contexts = new Map<
  string | undefined,
  { readonly context: AioContext; users: number }
>();

/** The isolate's AIO context, until it is released. */
export interface AioHold {
  readonly context: AioContext;
  /** Releases the context. Resolves when nothing waits for it any longer. */
  release(): Promise<void>;
  /** The same for a caller that cannot wait: the next user gets the context. */
  giveUp(): void;
}

/**
 * Takes the isolate's AIO context, and keeps its completions watched.
 *
 * All processes together have room for some 65,000 requests by default
 * (`fs.aio-max-nr`). Closing a context takes the kernel about 30 ms, so it is
 * kept for the next user. But if the isolate can end before the process, the
 * last user closes it.
 *
 * @param library See `AioLibraryOptions.library`.
 * @throws {Error} EAGAIN if the kernel has no room for more requests.
 */
export function holdAio(library?: string): AioHold {
  const held = contexts.get(library) ??
    { context: new AioContext({ library }), users: 0 };
  contexts.set(library, held);
  const { context } = held;
  context.retain();
  held.users++;
  return {
    context,
    release: async () => {
      await context.release();
      if (--held.users > 0 || lastsAsLongAsProcess()) return;
      if (contexts.get(library) === held) contexts.delete(library);
      await context.close();
    },
    giveUp: () => {
      held.users--;
      void context.release();
    },
  };
}
