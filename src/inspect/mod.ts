/**
 * Descriptors from the inside: what a definition becomes, what is wrong with
 * it, and what bytes mean.
 *
 * {@linkcode compileFunction} and {@linkcode validateFunction} take a
 * definition; {@linkcode decodeDescriptors} and {@linkcode decodeFunctionBlock}
 * take bytes, of a real device or of FunctionFS, {@linkcode formatTree} makes
 * them text, and {@linkcode definitionFromBlocks} makes them a definition.
 *
 * @module
 */
export {
  type CompiledEndpoint,
  type CompiledFunction,
  type CompiledProxy,
  compileFunction,
  type CompileOptions,
} from "../compile/compile.ts";
export {
  type KernelVersion,
  parseKernelRelease,
} from "../compile/kernel_version.ts";
export {
  type ConfigurationUse,
  type ValidationContext,
} from "../check/function/context.ts";
export { validateFunction } from "../check/function/function.ts";
export {
  DUMMY_UDC,
  type UdcCapabilities,
  type UdcEndpoint,
} from "../check/endpoint_choice.ts";
export { decodeDescriptors } from "./decode.ts";
export { decodeFunctionBlock } from "./decode_block.ts";
export {
  definitionFromBlocks,
  type FromBlocksOptions,
} from "./definition_from_blocks.ts";
export { type FormatOptions, formatTree } from "./format_tree.ts";
export { normalizeDefinition } from "./normal_form.ts";
export {
  type AssociationNode,
  type CompanionNode,
  type ConfigurationTree,
  type DescriptorNode,
  type EndpointNode,
  type FunctionalNode,
  type FunctionBlockTree,
  type InterfaceNode,
  type LanguageNode,
  type OsFeatureNode,
  type OtgNode,
  type UnknownNode,
} from "./tree.ts";
export { decodeInterval } from "../usb/interval.ts";
export {
  decodeSetup,
  encodeSetup,
  type SetupFields,
} from "../usb/setup_packet.ts";
