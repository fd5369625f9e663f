/**
 * Device firmware upgrade (DFU): firmware in blocks, over control requests.
 *
 * @example A device that takes firmware into memory
 * ```ts
 * import { controlRoutes, dfu, usbFunction } from "@usb/gadget";
 * import { dfuRequests, DfuState } from "@usb/gadget/dfu";
 *
 * const blocks: Uint8Array[] = [];
 * let state: DfuState = DfuState.IDLE;
 * const upgrade = usbFunction({
 *   name: "upgrade",
 *   interfaces: [{
 *     class: 0xfe,
 *     subclass: 1,
 *     protocol: 2,
 *     descriptors: [dfu({ transferSize: 4096 })],
 *   }],
 *   control: controlRoutes(dfuRequests({
 *     download: (block, data) => {
 *       if (block === 0) blocks.length = 0; // drops what another host began
 *       blocks.push(data);
 *       state = data.length > 0 ? DfuState.DNLOAD_IDLE : DfuState.IDLE;
 *     },
 *     getStatus: () => ({ state }),
 *     // A host sends this first if another one has stopped in between.
 *     abort: () => {
 *       state = DfuState.IDLE;
 *     },
 *   })),
 * });
 * ```
 *
 * @module
 */
export * from "./requests.ts";
