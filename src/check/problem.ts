/**
 * What is wrong with a definition.
 *
 * @module
 */

/** One thing that is wrong with a definition or a block. */
export interface Problem {
  /** Where it is, such as `interfaces[0].endpoints.tx.maxPacketSize`. Empty for the definition as a whole. */
  readonly path: string;
  /** A short name of the rule that stays the same between versions, such as `"packet-size"`. */
  readonly rule: string;
  /** What is wrong and what to do. */
  readonly message: string;
  /**
   * When it would show: `"write"`, FunctionFS refuses the block, or configfs the value; `"bind"`, the gadget cannot be
   * bound to a device controller; `"configure"`, the host cannot set the configuration or does not see what was meant;
   * `"hazard"`, the kernel crashes or misbehaves.
   */
  readonly stage: "write" | "bind" | "configure" | "hazard";
}

/**
 * Thrown for a definition that the kernel would refuse, now or later. It carries all problems at once.
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
 */
export class DefinitionError extends TypeError {
  /** Everything that is wrong. At least one. */
  readonly problems: readonly Problem[];

  /**
   * Makes an error of problems.
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
