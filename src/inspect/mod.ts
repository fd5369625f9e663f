/**
 * Descriptors and definitions without a kernel: compile and validate
 * definitions, decode the bytes of descriptors, format them for people, make
 * definitions from real devices.
 *
 * @example What a definition becomes
 * ```ts
 * import { interruptIn, usbFunction } from "@usb/gadget";
 * import {
 *   compileFunction,
 *   decodeFunctionBlock,
 *   formatDescriptors,
 * } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * const sensor = usbFunction({
 *   name: "sensor",
 *   speeds: ["high"],
 *   interfaces: [{ class: 0xff, endpoints: { values: interruptIn() } }],
 * });
 * const { descriptors, strings } = compileFunction(sensor);
 * assertEquals(
 *   formatDescriptors(decodeFunctionBlock(descriptors, strings)),
 *   [
 *     "FunctionFS block, version 2: HAS_HS_DESC",
 *     "  High speed",
 *     "    Interface 0: vendor specific (0xff, 0x00, 0x00)",
 *     "      Endpoint 0x81: IN interrupt, 64 bytes, every 8 ms",
 *   ].join("\n"),
 * );
 * ```
 *
 * @example The definition of a function that another program has written
 * ```ts ignore
 * import { definitionFromBlocks } from "@usb/gadget/inspect";
 *
 * const definition = definitionFromBlocks(
 *   Deno.readFileSync("descriptors.bin"),
 *   Deno.readFileSync("strings.bin"),
 *   { name: "sensor", endpointNames: ["values"] },
 * );
 * ```
 *
 * @example The clone of a device that `lsusb -v` has printed
 * ```ts ignore
 * import { definitionFromDevice, parseLsusb } from "@usb/gadget/inspect";
 *
 * const [{ device }] = parseLsusb(Deno.readTextFileSync("device.txt"));
 * const { definition, problems } = definitionFromDevice(device);
 * ```
 *
 * @module
 */
export {
  DUMMY_UDC,
  type UdcCapabilities,
  type UdcEndpoint,
} from "../check/endpoint_choice.ts";
export {
  type ConfigurationUse,
  type ValidationContext,
} from "../check/function/context.ts";
export { validateFunction } from "../check/usb_function.ts";
export {
  type CompiledEndpoint,
  type CompiledFunction,
  type CompiledProxy,
  type CompileOptions,
} from "../compile/compile.ts";
export { compileFunction } from "../check/compile_function.ts";
export {
  type KernelVersion,
  parseKernelRelease,
} from "../compile/kernel_version.ts";
export { decodeDescriptors } from "./decode_descriptors.ts";
export { decodeFunctionBlock } from "./decode_block.ts";
export {
  definitionFromBlocks,
  type FromBlocksOptions,
  normalizeDefinition,
} from "./definition_from_blocks.ts";
export {
  definitionFromDevice,
  type DeviceClone,
  type FromDeviceOptions,
} from "./device/definition_from_device.ts";
export {
  type DeviceDescriptors,
  type DeviceProblem,
} from "./device/device_descriptors.ts";
export { type CapturedDevice, devicesInCapture } from "./device/capture.ts";
export { type LsusbDevice, parseLsusb } from "./device/lsusb.ts";
export {
  type AssociationNode,
  type DecodedConfiguration,
  type DecodedFunctionBlock,
  type DescriptorNode,
  type EndpointNode,
  type FunctionalNode,
  type InterfaceNode,
  type OsFeatureNode,
  type OtgNode,
  type UnknownNode,
} from "./descriptor_nodes.ts";
export { formatDescriptors, type FormatOptions } from "./format_descriptors.ts";
export { decodeInterval } from "../usb/interval.ts";
export {
  decodeSetup,
  encodeSetup,
  type SetupFields,
} from "../usb/setup_packet.ts";
