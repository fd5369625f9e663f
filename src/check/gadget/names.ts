/**
 * Checks how long names can be that become those of files in `/run/usb-gadget`.
 *
 * @module
 */
import type { ProblemList } from "../problem.ts";
import { BLOCK_SUFFIX_LENGTH } from "../../state/block_record.ts";
import { OWNER } from "../../state/claim.ts";
import type { GadgetDefinition } from "../../definition/gadget.ts";

/** NAME_MAX of Linux. */
const MAX_FILE_NAME = 255;

/** Checks the names of a gadget and of its functions, as far as they are names. */
export function checkNameLengths(
  list: ProblemList,
  name: unknown,
  definition: GadgetDefinition,
): void {
  check(list, "name", name, MAX_FILE_NAME - OWNER.length);
  const { functions }: { readonly functions?: unknown } = definition ?? {};
  if (!Array.isArray(functions)) return;
  functions.forEach((each, index) => {
    const path = `functions[${index}].name`;
    check(list, path, each?.name, MAX_FILE_NAME - BLOCK_SUFFIX_LENGTH);
  });
}

/** What is longer than any name is refused elsewhere. */
function check(
  list: ProblemList,
  path: string,
  name: unknown,
  most: number,
): void {
  if (typeof name !== "string") return;
  const { length } = name;
  if (length <= most || length > MAX_FILE_NAME) return;
  list.bind(
    "name",
    path,
    `The name has ${length} characters, but files beside it in /run/usb-gadget leave room for ${most}: shorten it`,
  );
}
