/**
 * The end of a job, by what is in its data.
 *
 * @module
 */
import { checkArgument, type Rule } from "../../arguments/rules.ts";

/**
 * Looks for the end of one job. It is called with the bytes of the job, piece by
 * piece, in order.
 *
 * @returns How many of these bytes still belong to the job, if it ends with
 * them; `undefined` if it goes on.
 * @category Devices
 */
export type JobEndFinder = (bytes: Uint8Array) => number | undefined;

const MARK: Rule = {
  expected: "a string or bytes, at least one",
  accepts: (value) =>
    (typeof value === "string" || value instanceof Uint8Array) &&
    value.length > 0,
};

/**
 * Ends jobs behind a sequence of bytes, such as Ctrl+D of PostScript or `^XZ` of
 * ZPL. What follows it is another job.
 *
 * A language in which these bytes can also stand in the middle of a job, such as
 * PCL with its pictures, needs a {@linkcode JobEndFinder} that understands it.
 *
 * @example
 * ```ts
 * import { endMark } from "@usb/gadget/printer";
 * import { assertEquals } from "@std/assert";
 *
 * const find = endMark("^XZ")();
 * const bytes = (text: string) => new TextEncoder().encode(text);
 * assertEquals(find(bytes("^XA^FDlabel^FS^X")), undefined);
 * assertEquals(find(bytes("Z^XA")), 1);
 * ```
 *
 * @param mark The bytes, or a text in UTF-8. Copied.
 * @returns What makes a finder for each job: the option `endOfJob` of
 * {@linkcode Printer}.
 * @throws {TypeError} If it is empty or has another type.
 * @category Devices
 */
export function endMark(mark: string | Uint8Array): () => JobEndFinder {
  checkArgument("look for the end of jobs", "the mark", mark, MARK);
  const bytes = typeof mark === "string"
    ? new TextEncoder().encode(mark)
    : mark.slice();
  const borders = bordersOf(bytes);
  return () => {
    let matched = 0;
    return (piece) => {
      for (let index = 0; index < piece.length; index++) {
        while (matched > 0 && piece[index] !== bytes[matched]) {
          matched = borders[matched - 1];
        }
        if (piece[index] === bytes[matched]) matched++;
        if (matched === bytes.length) return index + 1;
      }
      return undefined;
    };
  };
}

/** How many bytes of the mark are matched again when the next one does not fit (Knuth, Morris and Pratt). */
function bordersOf(mark: Uint8Array): readonly number[] {
  const borders = [0];
  for (let index = 1, length = 0; index < mark.length; index++) {
    while (length > 0 && mark[index] !== mark[length]) {
      length = borders[length - 1];
    }
    if (mark[index] === mark[length]) length++;
    borders.push(length);
  }
  return borders;
}
