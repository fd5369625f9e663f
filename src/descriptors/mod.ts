/**
 * Function definitions, their bytes, and why some are refused. Pure.
 *
 * @module
 */

export * from "./ccid_descriptor.ts";
export * from "./compile.ts";
export {
  type AlternateDefinition,
  type AssociationDefinition,
  type EndpointsOf,
  type EndpointsOfSetting,
  type FunctionDefinition,
  type FunctionName,
  type FunctionOptions,
  type InterfaceDefinition,
  type KnownAlternates,
  type KnownFields,
  type LocalizedString,
  type MergedEndpoints,
  type OtgDefinition,
  type SettingsOf,
  type UsbFunction,
  usbFunction,
} from "./definition.ts";
export * from "./endpoint_builders.ts";
export * from "./endpoint_definition.ts";
export * from "./functional_descriptor.ts";
export * from "./functionfs_abi.ts";
export * from "./interval.ts";
export * from "./kernel_version.ts";
export * from "./microsoft_os.ts";
export * from "./problem.ts";
export {
  DUMMY_UDC,
  type EndpointRequest,
  pickEndpoints,
  type UdcCapabilities,
  type UdcEndpoint,
} from "./udc.ts";
export {
  type ConfigurationUse,
  type ValidationContext,
} from "./validate_context.ts";
export { validateFunction } from "./validate_function.ts";
export {
  type BlockContext,
  type BlockVerdict,
  validateBlocks,
} from "./validate_blocks.ts";
export { type BlockErrno } from "./block_cursor.ts";
export { type EventfdState } from "./write_model.ts";
export { decodeDescriptors } from "./decode.ts";
export { decodeFunctionBlock } from "./decode_block.ts";
export {
  definitionFromBlocks,
  type FromBlocksOptions,
} from "./definition_from_blocks.ts";
export { type FormatOptions, formatTree } from "./format_tree.ts";
export { normalizeDefinition } from "./normal_form.ts";
export * from "./tree.ts";
