/**
 * What the kernel does with raw blocks.
 *
 * @module
 */

import { validateAccepted, validateAcceptedStrings } from "./bind_rules.ts";
import {
  type BlockErrno,
  type BlockProblem,
  BlockProblems,
  Refusal,
} from "./refusal.ts";
import { acceptDescriptors } from "./write_model.ts";
import { acceptFiles, acceptStrings } from "./write_model_strings.ts";
import type { BlockContext } from "./kernel.ts";

/** What the kernel does with blocks. */
export interface BlockVerdict {
  /** Whether ep0 takes the writes. */
  readonly accepted: boolean;
  /** The error that the first refused write returns. Undefined when all are accepted. */
  readonly errno?: BlockErrno;
  /** For a refused write, the reason; for accepted ones, everything that goes wrong later. */
  readonly problems: readonly BlockProblem[];
}

/**
 * Predicts what the kernel does with a descriptors block and a strings block: whether ep0 accepts them, the error if
 * not, and what goes wrong later. It holds for the first blocks that are written to a fresh mount: FunctionFS remembers
 * parts of a refused descriptors block.
 *
 * @param descriptors The descriptors block.
 * @param strings The strings block. Without it, only the descriptors are judged.
 * @param context The kernel, the controller, the rest of the gadget, and what the eventfd field refers to.
 * @returns The verdict.
 */
export function validateBlocks(
  descriptors: Uint8Array,
  strings?: Uint8Array,
  context: BlockContext = {},
): BlockVerdict {
  const list = new BlockProblems();
  try {
    const block = acceptDescriptors(descriptors, context);
    validateAccepted(list, block, context);
    if (strings) {
      const languages = acceptStrings(strings, block.stringCount);
      acceptFiles(block, context.kernel);
      validateAcceptedStrings(list, languages, block.stringCount);
    }
    return { accepted: true, problems: list.problems };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { errno, path, rule, message } = error;
    return {
      accepted: false,
      errno,
      problems: [{ path, rule, message, stage: "write" }],
    };
  }
}
