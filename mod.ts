/**
 * USB devices in TypeScript: a program on Deno becomes a USB device on Linux,
 * over FunctionFS and configfs, with `--allow-ffi` as its only permission.
 *
 * A device consists of functions, a function of interfaces, and an interface
 * of endpoints. {@linkcode usbFunction} declares a function and checks the
 * declaration; {@linkcode Gadget.start} makes the device and attaches it to a
 * device controller. Endpoints come back under the names of the declaration,
 * as web streams and with `read` and `write` for single transfers.
 *
 * @example A device that sends back what its host sends
 * ```ts ignore
 * import { bulkPair, Gadget, unhandled, usbFunction } from "@usb/gadget";
 *
 * const echo = usbFunction({
 *   name: "echo",
 *   interfaces: [{
 *     class: 0xff,
 *     description: "Echo",
 *     endpoints: { link: bulkPair() },
 *   }],
 *   // Answers control requests: 8 bytes to vendor request 1.
 *   control: ({ request }) =>
 *     request === 1 ? new Uint8Array(8) : unhandled,
 * });
 *
 * await using gadget = await Gadget.start({
 *   vendorId: 0x1209,
 *   productId: 0x0001,
 *   manufacturer: "Example",
 *   product: "Echo",
 *   serialNumber: "1",
 *   functions: [echo],
 * });
 *
 * const { link } = gadget.functions.echo.endpoints; // typed
 * await link.readable.pipeTo(link.writable);
 * ```
 *
 * @module
 */
// What a script begins with: the device, its function, builders for endpoints
export { Gadget } from "./src/gadget/gadget.ts";
export { usbFunction } from "./src/functionfs/usb_function.ts";
export {
  bulkIn,
  bulkOut,
  bulkPair,
  type BulkPairOptions,
  interruptIn,
  interruptOut,
  interruptPair,
  type InterruptPairOptions,
  isochronousIn,
  isochronousOut,
} from "./src/definition/endpoint_builders.ts";

// Definitions
export {
  type ConfigurationDefinition,
  type GadgetDefinition,
  type GadgetFunction,
  type GadgetSpeed,
  type MicrosoftOsOptions,
  type WebUsbOptions,
} from "./src/definition/gadget.ts";
export {
  type AlternateDefinition,
  type AssociationDefinition,
  type EndpointsOf,
  type FunctionDefinition,
  type FunctionOptions,
  type InterfaceDefinition,
  type LocalizedString,
  type OtgDefinition,
  type UsbFunction,
} from "./src/definition/function.ts";
export {
  type ExternalFunction,
  externalFunction,
  type KernelFunction,
  kernelFunction,
  type KernelFunctionOptions,
} from "./src/definition/kernel_function.ts";
export { type KernelAttributes } from "./src/definition/kernel_attributes.ts";
export {
  type AudioEndpointSettings,
  type BulkOptions,
  type EndpointDefinition,
  type EndpointSettings,
  type HighSpeedSettings,
  type InEndpointDefinition,
  type InterruptOptions,
  type IsochronousOptions,
  type OutEndpointDefinition,
  type PairEndpointDefinition,
  type SpeedSettings,
  type SuperSpeedSettings,
} from "./src/definition/endpoint.ts";

// Builders for descriptors
export {
  dfu,
  type DfuOptions,
  type FunctionalDescriptor,
  hid,
  type HidOptions,
  raw,
} from "./src/definition/functional_descriptor.ts";
export { ccid, type CcidOptions } from "./src/definition/ccid.ts";
export {
  binaryProperty,
  compatibleId,
  type CompatibleIdOptions,
  deviceInterfaceGuid,
  type MicrosoftOsFeature,
  textProperty,
  winUsb,
} from "./src/definition/microsoft_os.ts";

// Endpoints
export {
  InEndpoint,
  type WriteOptions,
} from "./src/functionfs/endpoint/in_endpoint.ts";
export { OutEndpoint } from "./src/functionfs/endpoint/out_endpoint.ts";
export { EndpointPair, type PairFile } from "./src/functionfs/endpoint/pair.ts";
export { Endpoint } from "./src/functionfs/endpoint/endpoint.ts";
export { type Session } from "./src/functionfs/sessions.ts";
export {
  type SessionEnd,
  SessionEndedError,
} from "./src/functionfs/session.ts";
export { type EndpointObjects } from "./src/functionfs/endpoint/objects.ts";
export { type EndpointOptions } from "./src/functionfs/transfer/options.ts";
export { type TransfersOptions } from "./src/functionfs/read/transfers.ts";
export { type ReadableOptions } from "./src/functionfs/read/readable.ts";
export { type WritableOptions } from "./src/functionfs/write/writable.ts";

// Control requests
export {
  type ControlAnswer,
  type ControlErrorHandler,
  type ControlHandler,
  type ControlObserver,
  type ControlOutcome,
  type SetupRequest,
  Stall,
  unhandled,
} from "./src/usb/control.ts";
export { type ControlRoute, controlRoutes } from "./src/usb/control_routes.ts";
export {
  type RequestRecipient,
  type RequestType,
  type SetupPacket,
} from "./src/usb/setup_packet.ts";
export { FeatureSelector, StandardRequest } from "./src/usb/request.ts";

// Events and errors
export {
  type DroppedEvent,
  type FunctionEvent,
  type LifeEvent,
} from "./src/functionfs/events.ts";
export { type FunctionErrorEvent } from "./src/functionfs/events.ts";
export { type FunctionState } from "./src/functionfs/lifecycle.ts";
export { DefinitionError, type Problem } from "./src/check/problem.ts";
export { SystemError, type SystemErrorFields } from "./ffi/errno.ts";
export { AbortedTransferError } from "./src/functionfs/transfer/error.ts";
export { type KernelHandle } from "./src/gadget/kernel/handle.ts";
export { type BindFailure } from "./src/gadget/bind_failure.ts";

// How a gadget is started, bound and changed
export {
  type AppliedChanges,
  type GadgetApplyOptions,
  type GadgetOptions,
} from "./src/gadget/options.ts";
export { type BindOptions } from "./src/gadget/options.ts";
export { type CleanUpOptions } from "./src/state/recovery.ts";
export { type FunctionMountOptions } from "./src/functionfs/mount.ts";
export { type GadgetChange } from "./src/gadget/configfs/writer.ts";

// A function without a gadget of this process
export { FunctionFs } from "./src/functionfs/function_fs.ts";
export {
  type FunctionFsOptions,
  type InheritOptions,
} from "./src/functionfs/open_function.ts";
export {
  type MountedFunctionFs,
  mountFunctionFs,
} from "./src/functionfs/mount.ts";

// Device controllers
export {
  listUdcs,
  readUdc,
  softConnect,
  type Udc,
  type UdcState,
} from "./src/gadget/udc/udc.ts";
export { type UdcWaitOptions, waitForUdc } from "./src/gadget/udc/wait.ts";

// USB vocabulary
export { ClassCode } from "./src/usb/class_code.ts";
export { DescriptorType } from "./src/usb/descriptor_type.ts";
export {
  type Direction,
  type EndpointUsage,
  type Synchronization,
  type TransferType,
} from "./src/usb/endpoint_attributes.ts";
export { languageId, languageTag } from "./src/usb/language.ts";
export { type FunctionSpeed, type Speed } from "./src/usb/speed.ts";
