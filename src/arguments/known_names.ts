/**
 * What an unknown name was probably meant to be.
 *
 * @module
 */

/** Suggests what to do about an unknown name: the nearest known one, or all of them. */
export function nameRemedy(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  if (nearest !== undefined) return `did you mean "${nearest}"?`;
  const shown = known.map((it) => `"${it}"`).join(", ");
  return known.length === 0 ? "remove it" : `remove it, or use ${shown}`;
}

/** Finds a known name of the same words, of nearly the same letters, or one that contains the other. */
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

/** Counts the letters to insert, delete, replace or swap with the next. */
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
