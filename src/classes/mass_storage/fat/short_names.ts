/**
 * The 8.3 name that each file has beside its long name (FAT specification,
 * section 7).
 *
 * @module
 */

/** A name of 8 and 3 characters, with spaces at the end of both, as it is stored. */
export interface ShortName {
  readonly text: string;
  /** Whether it is all that the file needs: its name is this, in upper case. */
  readonly isWhole: boolean;
}

const BASE_LENGTH = 8;
const EXTENSION_LENGTH = 3;
/** All but letters and digits that a short name can have, at the same codes in every code page. */
const NO_SHORT_CHARACTER = /[^A-Z0-9$%'\-_@~`!(){}^#&]/gu;
/** A name that is its own short name. */
const SHORT =
  /^([A-Z0-9$%'\-_@~`!(){}^#&]{1,8})(?:\.([A-Z0-9$%'\-_@~`!(){}^#&]{1,3}))?$/;

/**
 * The short names in one directory; no two are equal. They are ASCII, since hosts
 * do not agree on a code page.
 */
export class ShortNames {
  readonly #taken = new Set<string>();
  /**
   * How many digits the numbers behind a name have come to, and the next number
   * behind the first letters of names: thousands of them take no longer.
   */
  readonly #digits = new Map<string, number>();
  readonly #next = new Map<string, number>();

  /**
   * Returns the short name of a long name that is its own, but for its case. All
   * names of the directory are offered to this before any is changed.
   *
   * @param longName Unique in the directory, even if case is ignored.
   */
  keep(longName: string): ShortName | undefined {
    if (longName.length > BASE_LENGTH + 1 + EXTENSION_LENGTH) return undefined;
    const upper = upperAscii(longName);
    const [, base, extension = ""] = SHORT.exec(upper) ?? [];
    if (base === undefined) return undefined;
    const text = stored(base, extension);
    this.#taken.add(text);
    return { text, isWhole: upper === longName };
  }

  /** Returns a short name with the first free number: `LONGNA~1`, later `LONGN~10`. */
  change(longName: string): ShortName {
    const { base, extension } = basisOf(longName);
    const name = `${base}.${extension}`;
    for (let digits = this.#digits.get(name) ?? 1;; digits++) {
      const beginning = base.slice(0, BASE_LENGTH - 1 - digits);
      const key = `${beginning}~${digits}.${extension}`;
      let number = this.#next.get(key) ?? 10 ** (digits - 1);
      for (; number < 10 ** digits; number++) {
        const text = stored(`${beginning}~${number}`, extension);
        // Only a name that looks like this, and was kept
        if (this.#taken.has(text)) continue;
        this.#taken.add(text);
        this.#next.set(key, number + 1);
        return { text, isWhole: false };
      }
      this.#next.set(key, number);
      this.#digits.set(name, digits + 1);
    }
  }
}

/** What is left of a long name without what a short one cannot have. */
function basisOf(longName: string): { base: string; extension: string } {
  const bare = upperAscii(longName).replaceAll(" ", "").replace(/^\.+/, "");
  const dot = bare.lastIndexOf(".");
  const end = dot < 0 ? bare.length : dot;
  return {
    base: characters(bare.slice(0, end).replaceAll(".", ""), BASE_LENGTH),
    extension: characters(bare.slice(end + 1), EXTENSION_LENGTH),
  };
}

/** The first characters, each of which a short name can have. */
function characters(text: string, count: number): string {
  // A character has two code units at most.
  return text.slice(0, 2 * count).replace(NO_SHORT_CHARACTER, "_")
    .slice(0, count);
}

function upperAscii(text: string): string {
  return text.replace(/[a-z]+/g, (it) => it.toUpperCase());
}

function stored(base: string, extension: string): string {
  return base.padEnd(BASE_LENGTH) + extension.padEnd(EXTENSION_LENGTH);
}
