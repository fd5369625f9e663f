/**
 * Says what the kernel does with raw blocks.
 *
 * @module
 */

import { checkBytes } from "../../src/arguments/bytes.ts";
import { validateAccepted, validateAcceptedStrings } from "./bind_rules.ts";
import { type BlockErrno, Refusal } from "./block_cursor.ts";
import type { Problem } from "../../src/check/problem.ts";
import { ProblemList } from "../../src/check/problem_list.ts";
import type { ValidationContext } from "../../src/check/function/context.ts";
import { acceptDescriptors, type EventfdState } from "./write_model.ts";
import { acceptFiles, acceptStrings } from "./write_model_strings.ts";

/** What is known about where blocks will be written. */
export interface BlockContext extends ValidationContext {
  /** Says what the file descriptor in the eventfd field is. Without it, every number is an eventfd. */
  readonly eventfd?: (fd: number) => EventfdState;
}

/** What the kernel does with blocks. */
export interface BlockVerdict {
  /** Whether ep0 takes the writes. */
  readonly accepted: boolean;
  /** The error that the first refused write returns. Undefined when all are accepted. */
  readonly errno?: BlockErrno;
  /** For a refused write, the reason; for accepted ones, everything that goes wrong later. */
  readonly problems: readonly Problem[];
}

/**
 * Says what the kernel does with a descriptors block and a strings block: whether ep0 takes them, with which error it
 * does not, and what goes wrong later. It holds for the first blocks that are written to a fresh mount: FunctionFS
 * remembers parts of a refused descriptors block.
 *
 * @param descriptors The descriptors block.
 * @param strings The strings block. Without it, only the descriptors are judged.
 * @param context The kernel, the controller, the rest of the gadget, and what the eventfd field refers to.
 * @returns The verdict.
 *
 * @example Usage
 * ```ts
 * import { bulkPair, usbFunction } from "@usb/gadget";
 * import { validateBlocks } from "./validate_blocks.ts";
 * import { compileFunction } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * const { descriptors, strings } = compileFunction(usbFunction({
 *   name: "echo",
 *   interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
 * }));
 * assertEquals(validateBlocks(descriptors, strings), {
 *   accepted: true,
 *   problems: [],
 * });
 *
 * descriptors[9] |= 0x02; // sets a flag that no kernel knows
 * assertEquals(validateBlocks(descriptors).errno, "ENOSYS");
 * ```
 */
export function validateBlocks(
  descriptors: Uint8Array,
  strings?: Uint8Array,
  context: BlockContext = {},
): BlockVerdict {
  checkBytes("check blocks", "the descriptors block", descriptors);
  if (strings !== undefined) {
    checkBytes("check blocks", "the strings block", strings);
  }
  const list = new ProblemList();
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
