/**
 * Names that plain data may have, and what was probably meant by another one.
 *
 * @module
 */

/** Every property of a type by its name, so that the compiler finds one that is missing here, or too many. */
export type NamesOf<T> = { readonly [K in keyof Required<T>]: unknown };

/**
 * Refuses options that nothing reads.
 *
 * @param action What the options are for, such as `describe HID interface`.
 * @param options What was given.
 * @param names The options that there are, as the properties of an object.
 * @throws {TypeError} For an option of another name, and for options that are not an object.
 */
export function refuseUnknown<T extends object>(
  action: string,
  options: T,
  names: NamesOf<T>,
): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot ${action}: its options are ${
        options === null ? "null" : `a ${typeof options}`
      }, give an object`,
    );
  }
  // Not those of a prototype: an AbortController has a signal, and more.
  for (const [name, value] of Object.entries(options)) {
    if (Object.hasOwn(names, name) || value === undefined) continue;
    throw new TypeError(
      `Cannot ${action}: there is no option ${JSON.stringify(name)}: ${
        nameRemedy(name, Object.keys(names))
      }`,
    );
  }
}

/**
 * What to do about a name that is not known.
 *
 * @param name The name.
 * @param known The names that there are.
 * @returns The nearest one as a question, or all of them.
 */
export function nameRemedy(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  if (nearest !== undefined) return `did you mean "${nearest}"?`;
  const shown = known.map((it) => `"${it}"`).join(", ");
  return known.length === 0 ? "remove it" : `remove it, or use ${shown}`;
}

/** The known name that was probably meant: nearly the same letters, the same words, or one name inside the other. */
function nearestName(
  name: string,
  known: readonly string[],
): string | undefined {
  const wanted = letters(name);
  const sameWords = known.find((it) => words(it) === words(name));
  if (sameWords !== undefined) return sameWords;
  const [nearest] = known
    .map((it) => ({ it, edits: distance(letters(it), wanted) }))
    .filter(({ edits }) => edits <= 1 + Math.floor(wanted.length / 4))
    .sort((a, b) => a.edits - b.edits);
  if (nearest !== undefined && nearest.edits < wanted.length) return nearest.it;
  return known
    .filter((it) =>
      Math.min(it.length, wanted.length) > 3 &&
      (letters(it).includes(wanted) || wanted.includes(letters(it)))
    )
    .sort((a, b) => b.length - a.length)[0];
}

function letters(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** `idVendor` and `vendor_id` have the same words as `vendorId`. */
function words(name: string): string {
  const parts = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase()
    .split(/[^a-z0-9]+/);
  return parts.sort().join(" ").trim();
}

/** How many letters have to be put in, left out, replaced or swapped with the next. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(row[j - 1] + 1, last[j] + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], before[j - 2] + 1);
      }
    }
    before = last;
    last = row;
  }
  return last[b.length];
}
