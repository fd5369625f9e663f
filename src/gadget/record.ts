/**
 * Copies of what was written to FunctionFS, which does not tell it afterwards.
 *
 * @module
 */
import { O_CREAT, O_TRUNC, O_WRONLY } from "../../ffi/abi.ts";
import { close, open, write } from "../../ffi/file.ts";
import { STATE } from "./claim.ts";

/** The files with the blocks of one function. */
export interface RecordedBlocks {
  readonly descriptors: string;
  readonly strings: string;
}

/** Where the blocks of a FunctionFS instance are kept; they may not exist. */
export function recordedBlocks(
  gadget: string,
  instance: string,
): RecordedBlocks {
  const path = `${STATE}/${gadget}/${instance}`;
  return { descriptors: `${path}.descriptors`, strings: `${path}.strings` };
}

/** Keeps the blocks of a function for whoever wants to look at them. */
export function recordBlocks(
  gadget: string,
  instance: string,
  blocks: {
    readonly descriptors: Uint8Array<ArrayBuffer>;
    readonly strings: Uint8Array<ArrayBuffer>;
  },
): void {
  const paths = recordedBlocks(gadget, instance);
  record(paths.descriptors, blocks.descriptors);
  record(paths.strings, blocks.strings);
}

function record(path: string, bytes: Uint8Array<ArrayBuffer>): void {
  const fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, {
    action: "note descriptors",
    mode: 0o644,
  });
  try {
    write(fd, bytes, { path });
  } finally {
    close(fd);
  }
}
