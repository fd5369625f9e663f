/**
 * The AIO contexts that all functions of the process share: one for each way
 * to the AIO calls, and in practice one.
 *
 * @module
 */
import { AioContext } from "../../ffi/aio.ts";

const contexts = new Map<string | undefined, AioContext>();

/**
 * Returns the process's AIO context.
 *
 * @param library See `AioLibraryOptions.library`.
 */
export function sharedAio(library?: string): AioContext {
  let context = contexts.get(library);
  if (context === undefined) {
    context = new AioContext({ library });
    contexts.set(library, context);
  }
  return context;
}
