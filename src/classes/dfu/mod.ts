/**
 * Device firmware upgrade (DFU 1.1): firmware in blocks, over control requests.
 *
 * @example A device whose firmware is in memory
 * ```ts
 * import { Dfu } from "@usb/gadget/dfu";
 * import { assertEquals } from "@std/assert";
 *
 * let firmware = new Uint8Array(0);
 * let blocks: Uint8Array[] = [];
 * const bootloader = new Dfu({
 *   areas: [{
 *     name: "firmware",
 *     read: (offset, length) => firmware.subarray(offset, offset + length),
 *     write(offset, data) {
 *       if (offset === 0) blocks = []; // drops what another host began
 *       blocks.push(data);
 *     },
 *     async manifest() {
 *       firmware = await new Blob(blocks as BlobPart[]).bytes();
 *     },
 *   }],
 * });
 * assertEquals(bootloader.interfaces.length, 1);
 * // await using gadget = await Gadget.start({ ...ids, functions: [bootloader] });
 * ```
 *
 * @module
 */
export type { DfuArea, DfuSeMemory } from "./area.ts";
export type { DfuErrorStatus } from "./codes.ts";
export { DfuError } from "./dfu_error.ts";
export { Dfu } from "./function.ts";
export type { DfuModeOptions, DfuRuntimeOptions } from "./options.ts";
export { DfuRuntime } from "./runtime.ts";
