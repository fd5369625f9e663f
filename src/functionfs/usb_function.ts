/**
 * Defining a function.
 *
 * @module
 */
import { defineFunction } from "../check/usb_function.ts";
import type {
  FunctionOptions,
  InterfaceDefinition,
  KnownFields,
  UsbFunction,
} from "../definition/function.ts";
import type { Session } from "./sessions.ts";

/**
 * Defines a USB function.
 *
 * The definition is copied, including its bytes, validated and frozen. Unknown
 * fields are refused, and so is whatever the kernel would refuse: when the
 * descriptors are written, when the gadget is bound, or when the host configures
 * it. All problems are reported at once, each with its remedy.
 *
 * @param definition The name, the interfaces and the options.
 * @returns The definition, frozen.
 * @throws {DefinitionError} With all problems of the definition.
 *
 * @example Usage
 * ```ts
 * import { bulkPair, usbFunction } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * const echo = usbFunction({
 *   name: "echo",
 *   interfaces: [{
 *     class: 0xff,
 *     description: "Echo",
 *     endpoints: { link: bulkPair() },
 *   }],
 * });
 * assertEquals(echo.name, "echo");
 * ```
 *
 * @priority 9
 * @category Functions
 */
export function usbFunction<
  const N extends string,
  const I extends readonly InterfaceDefinition[],
>(
  definition: FunctionOptions & {
    readonly name: N;
    readonly interfaces: I & KnownFields<I>;
    /**
     * Serves one connection of a host. Called for each, one after another: the
     * next one waits until this returns or throws. A {@linkcode
     * SessionEndedError} is its normal end; any other error is reported (see
     * {@linkcode FunctionFs.events}), and the next session is served.
     */
    serve?(session: Session<UsbFunction<N, I>>): unknown;
  },
): UsbFunction<N, I> {
  return defineFunction<UsbFunction<N, I>>(definition);
}
