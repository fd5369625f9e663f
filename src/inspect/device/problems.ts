/**
 * What a clone lacks or has in another way.
 *
 * @module
 */
import type { LocalizedString } from "../../definition/function.ts";
import type { DeviceProblem, Source } from "./device_descriptors.ts";

type Place = Pick<Source, "place"> & Partial<Pick<Source, "offset">>;

/** Collects problems, and looks strings up, which may be missing. */
export class DeviceProblems {
  readonly #found: DeviceProblem[] = [];
  readonly #strings: Readonly<Record<number, LocalizedString>>;

  constructor(strings: Readonly<Record<number, LocalizedString>>) {
    this.#strings = strings;
  }

  /** All problems, in the order of their descriptors; those without a descriptor are last. */
  get list(): DeviceProblem[] {
    const last = Number.MAX_SAFE_INTEGER;
    return this.#found.toSorted((a, b) =>
      (a.offset ?? last) - (b.offset ?? last)
    );
  }

  leftOut(at: Place, rule: string, message: string): void {
    this.#add("left-out", at, rule, message);
  }

  changed(at: Place, rule: string, message: string): void {
    this.#add("changed", at, rule, message);
  }

  refused(at: Place, rule: string, message: string): void {
    this.#add("refused", at, rule, message);
  }

  /** Returns the string of a field, if there is one. */
  text(
    { place, offset }: Source,
    field: string,
    index: number,
  ): LocalizedString | undefined {
    if (index === 0) return undefined;
    const text = Object.hasOwn(this.#strings, index)
      ? this.#strings[index]
      : undefined;
    if (text !== undefined) return text;
    const at = { place: `${place}, ${field}`, offset };
    this.leftOut(at, "string", `String ${index} is not among the given ones`);
    return undefined;
  }

  #add(
    effect: DeviceProblem["effect"],
    { place, offset }: Place,
    rule: string,
    message: string,
  ): void {
    const at = offset === undefined ? {} : { offset };
    this.#found.push({ place, effect, rule, message, ...at });
  }
}
