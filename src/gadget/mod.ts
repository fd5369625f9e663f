/**
 * Gadgets: USB devices made of functions.
 *
 * @module
 */
export type { BindFailure } from "./bind_failure.ts";
export type { BindOptions } from "./binding.ts";
export type { FunctionMountOptions } from "./function_mount.ts";
export { Gadget, type GadgetFunctions } from "./gadget.ts";
export type {
  ConfigurationDefinition,
  GadgetDefinition,
  GadgetFunction,
  GadgetSpeed,
  KnownFunctions,
  MicrosoftOsOptions,
  WebUsbOptions,
} from "./gadget_definition.ts";
export type {
  AppliedChanges,
  GadgetApplyOptions,
  GadgetOptions,
} from "./gadget_options.ts";
export type * from "./kernel_attributes.ts";
export {
  type ExternalFunction,
  externalFunction,
  type KernelFunction,
  kernelFunction,
  type KernelFunctionOptions,
  type NoAttribute,
  type NoneRequired,
} from "./kernel_function.ts";
export { type MountedFunctionFs, mountFunctionFs } from "./legacy_mount.ts";
export type { CleanUpOptions } from "./recovery.ts";
export type { GadgetChange } from "./tree_writer.ts";
export {
  listUdcs,
  readUdc,
  softConnect,
  type Udc,
  type UdcState,
  type UdcWaitOptions,
  waitForUdc,
} from "./udc.ts";
