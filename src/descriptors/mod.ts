/**
 * Function definitions, their bytes, and why some are refused. Pure.
 *
 * @module
 */

export * from "./compile.ts";
export {
  type AlternateDefinition,
  type AssociationDefinition,
  type EndpointsOf,
  type FunctionDefinition,
  type FunctionName,
  type FunctionOptions,
  type InterfaceDefinition,
  type LocalizedString,
  type OtgDefinition,
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
export * from "./udc.ts";
export {
  type ConfigurationUse,
  type ValidationContext,
} from "./validate_context.ts";
export { validateFunction } from "./validate_function.ts";
