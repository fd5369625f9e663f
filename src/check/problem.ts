/**
 * What is wrong with a definition.
 *
 * @module
 */

import { isWithin } from "../arguments/rules.ts";
import { show } from "../arguments/show.ts";

/**
 * One thing that is wrong with a definition.
 *
 * @category Errors
 */
export interface Problem {
  /** Where it is, such as `interfaces[0].endpoints.tx.maxPacketSize`; empty for the definition as a whole. */
  readonly path: string;
  /** The name of the broken rule, such as `"packet-size"`. It stays the same between versions. */
  readonly rule: string;
  /** What is wrong and what to do. */
  readonly message: string;
  /**
   * When it would show. `"write"`: FunctionFS refuses the block, or configfs the value. `"bind"`: the gadget cannot be
   * bound to a device controller. `"configure"`: the host cannot set the configuration, or sees something other than
   * declared. `"hazard"`: the kernel crashes or misbehaves.
   */
  readonly stage: "write" | "bind" | "configure" | "hazard";
}

/**
 * Thrown for a definition that the kernel would refuse, now or later, with all problems at once.
 *
 * @example Usage
 * ```ts
 * import { DefinitionError, usbFunction } from "@usb/gadget";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(
 *   () => usbFunction({ name: "a/b", interfaces: [] }),
 *   DefinitionError,
 * );
 * assertEquals(error.problems.map((it) => it.path), ["name", "interfaces"]);
 * ```
 *
 * @category Errors
 */
export class DefinitionError extends TypeError {
  /** Everything that is wrong. At least one. */
  readonly problems: readonly Problem[];

  /**
   * Creates an error.
   *
   * @param subject What has the problems, such as `function "echo"`.
   * @param problems Everything that is wrong.
   */
  constructor(subject: string, problems: readonly Problem[]) {
    const lines = problems.map(({ path, message }) =>
      path === "" ? message : `${path}: ${message}`
    );
    super(
      lines.length === 1
        ? `Cannot define ${subject}: ${lines[0]}`
        : `Cannot define ${subject}, ${lines.length} problems:\n  ${
          lines.join("\n  ")
        }`,
    );
    this.name = "DefinitionError";
    this.problems = problems;
  }
}

/** Collects the problems of a definition, in order. */
export class ProblemList {
  readonly problems: Problem[] = [];

  /** FunctionFS would refuse the block, or configfs the value. */
  writeFails(rule: string, path: string, message: string): void {
    this.problems.push({ path, rule, message, stage: "write" });
  }

  /** The gadget could not be bound. */
  bindFails(rule: string, path: string, message: string): void {
    this.problems.push({ path, rule, message, stage: "bind" });
  }

  /** The host could not configure the gadget, or would see something other than declared. */
  configureFails(rule: string, path: string, message: string): void {
    this.problems.push({ path, rule, message, stage: "configure" });
  }

  /** The kernel would crash or misbehave. */
  hazard(rule: string, path: string, message: string): void {
    this.problems.push({ path, rule, message, stage: "hazard" });
  }

  /** Adds the problems of the part at a path. */
  include(problems: readonly Problem[], path: string): void {
    for (const each of problems) {
      this.problems.push({
        ...each,
        path: each.path === "" ? path : `${path}.${each.path}`,
      });
    }
  }

  /** Requires a whole number from `least` to `greatest`. Returns whether it is one. */
  range(
    value: unknown,
    [least, greatest]: readonly [number, number],
    path: string,
    what: string,
  ): value is number {
    if (isWithin(value, least, greatest)) return true;
    this.writeFails(
      "range",
      path,
      `${what} is ${
        show(value)
      }: give a whole number from ${least} to ${greatest}`,
    );
    return false;
  }
}
