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
export { type CpuAccessMode } from "./ffi/dmabuf.ts";
export { SystemError, type SystemErrorFields } from "./ffi/errno.ts";
export {
  DUMMY_UDC,
  type EndpointRequest,
  pickEndpoints,
  type UdcCapabilities,
  type UdcEndpoint,
} from "./src/check/endpoint_choice.ts";
export {
  type ConfigurationUse,
  type ValidationContext,
} from "./src/check/function/context.ts";
export { validateFunction } from "./src/check/function/function.ts";
export {
  DefinitionError,
  type Problem,
  type ProblemStage,
} from "./src/check/problem.ts";
export {
  DfuRequest,
  type DfuRequestOptions,
  dfuRequests,
  DfuState,
  type DfuStatus,
  DfuStatusCode,
} from "./src/classes/dfu/requests.ts";
export {
  type HidReport,
  HidRequest,
  type HidRequestOptions,
  hidRequests,
} from "./src/classes/hid/requests.ts";
export {
  MassStorageRequest,
  type MassStorageRequestOptions,
  massStorageRequests,
} from "./src/classes/mass_storage/requests.ts";
export {
  StillImageRequest,
  type StillImageRequestOptions,
  stillImageRequests,
  type StillImageStatus,
} from "./src/classes/mtp/requests.ts";
export {
  PrinterRequest,
  type PrinterRequestOptions,
  printerRequests,
  type PrinterStatus,
} from "./src/classes/printer/requests.ts";
export {
  canProxy,
  type CompiledEndpoint,
  type CompiledFunction,
  type CompiledProxy,
  compileFunction,
  type CompileOptions,
} from "./src/compile/compile.ts";
export {
  FUNCTIONFS_ALL_CTRL_RECIP,
  FUNCTIONFS_CONFIG0_SETUP,
  FUNCTIONFS_DESCRIPTORS_MAGIC,
  FUNCTIONFS_DESCRIPTORS_MAGIC_V2,
  FUNCTIONFS_EVENTFD,
  FUNCTIONFS_HAS_FS_DESC,
  FUNCTIONFS_HAS_HS_DESC,
  FUNCTIONFS_HAS_MS_OS_DESC,
  FUNCTIONFS_HAS_SS_DESC,
  FUNCTIONFS_RW_PROXY_EPS,
  FUNCTIONFS_STRINGS_MAGIC,
  FUNCTIONFS_VIRTUAL_ADDR,
  MAX_ALTERNATE_SETTING,
  MAX_CONFIGURATION_LENGTH,
  MAX_ENDPOINTS,
  MAX_NAME_BYTES,
  MAX_STRING_BYTES,
  MAX_STRING_IDS,
} from "./src/compile/functionfs_abi.ts";
export {
  KERNEL_FEATURES,
  kernelHas,
  type KernelVersion,
  parseKernelRelease,
} from "./src/compile/kernel_version.ts";
export {
  ccid,
  type CcidDescriptor,
  type CcidOptions,
} from "./src/definition/ccid.ts";
export {
  type AudioEndpointSettings,
  type BulkOptions,
  type EndpointDefinition,
  type EndpointKind,
  type EndpointRecord,
  type EndpointSettings,
  type HighSpeedSettings,
  type InEndpointDefinition,
  type InterruptOptions,
  type IntervalOptions,
  type IsochronousOptions,
  type OutEndpointDefinition,
  type PairEndpointDefinition,
  type SpeedSettings,
  type SuperSpeedSettings,
} from "./src/definition/endpoint.ts";
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
} from "./src/definition/function.ts";
export {
  dfu,
  type DfuDescriptor,
  type DfuOptions,
  type FunctionalDescriptor,
  hid,
  type HidDescriptor,
  type HidOptions,
  raw,
  type RawDescriptor,
} from "./src/definition/functional_descriptor.ts";
export {
  type ConfigurationDefinition,
  type GadgetDefinition,
  type GadgetFunction,
  type GadgetSpeed,
  type KnownFunctions,
  type MicrosoftOsOptions,
  type WebUsbOptions,
} from "./src/definition/gadget.ts";
export {
  type AcmAttributes,
  type Attributes,
  type AttributeValue,
  type Audio2Attributes,
  type AudioAttributes,
  type EthernetAttributes,
  type HidAttributes,
  type KernelAttributes,
  type LoopbackAttributes,
  type LunAttributes,
  type MassStorageAttributes,
  type MidiAttributes,
  type NcmAttributes,
  type NoAttributes,
  type PrinterAttributes,
  type RndisAttributes,
  type SourceSinkAttributes,
  type UvcAttributes,
} from "./src/definition/kernel_attributes.ts";
export {
  type ExternalFunction,
  externalFunction,
  type KernelFunction,
  kernelFunction,
  type KernelFunctionOptions,
  type NoAttribute,
  type NoneRequired,
} from "./src/definition/kernel_function.ts";
export {
  binaryProperty,
  type CompatibleId,
  compatibleId,
  type CompatibleIdOptions,
  deviceInterfaceGuid,
  type ExtendedProperty,
  type ExtendedPropertyType,
  type MicrosoftOsFeature,
  textProperty,
  winUsb,
} from "./src/definition/microsoft_os.ts";
export {
  DmaBufferAttachment,
  type DmabufTransferOptions,
} from "./src/functionfs/dmabuf/attachment.ts";
export {
  DmaBuffer,
  type DmaBufferAccessOptions,
  type DmaBufferOptions,
} from "./src/functionfs/dmabuf/buffer.ts";
export { type DmabufSupport } from "./src/functionfs/dmabuf/support.ts";
export { Endpoint } from "./src/functionfs/endpoint/endpoint.ts";
export {
  InEndpoint,
  type WriteOptions,
} from "./src/functionfs/endpoint/in_endpoint.ts";
export {
  type EndpointObject,
  type EndpointObjects,
} from "./src/functionfs/endpoint/objects.ts";
export {
  type EndpointOptions,
  type TransferOptions,
} from "./src/functionfs/transfer/options.ts";
export {
  OutEndpoint,
  type ReadOptions,
} from "./src/functionfs/endpoint/out_endpoint.ts";
export { EndpointPair, type PairFile } from "./src/functionfs/endpoint/pair.ts";
export { type TransfersOptions } from "./src/functionfs/read/transfers.ts";
export { FunctionFs } from "./src/functionfs/function_fs.ts";
export {
  type FunctionFsOptions,
  type InheritOptions,
} from "./src/functionfs/function_options.ts";
export {
  type DroppedEvent,
  type ErrorEvent,
  type FunctionEvent,
  type FunctionState,
  type LifeEvent,
} from "./src/functionfs/lifecycle.ts";
export { type ReadableOptions } from "./src/functionfs/read/readable.ts";
export { type WritableOptions } from "./src/functionfs/write/writable.ts";
export {
  AbortedTransferError,
  type TransferErrorFields,
} from "./src/functionfs/transfer/error.ts";
export { type GadgetChange } from "./src/gadget/configfs/writer.ts";
export { type FunctionMountOptions } from "./src/gadget/function_mount.ts";
export { Gadget, type GadgetFunctions } from "./src/gadget/gadget.ts";
export {
  type AppliedChanges,
  type GadgetApplyOptions,
  type GadgetOptions,
} from "./src/gadget/gadget_options.ts";
export {
  type MountedFunctionFs,
  mountFunctionFs,
} from "./src/gadget/legacy_mount.ts";
export { type BindFailure } from "./src/gadget/udc/bind_failure.ts";
export { type BindOptions } from "./src/gadget/udc/binding.ts";
export {
  listUdcs,
  readUdc,
  softConnect,
  type Udc,
  type UdcState,
  type UdcWaitOptions,
  waitForUdc,
} from "./src/gadget/udc/udc.ts";
export { type BlockErrno } from "./src/inspect/block_cursor.ts";
export { decodeDescriptors } from "./src/inspect/decode.ts";
export { decodeFunctionBlock } from "./src/inspect/decode_block.ts";
export {
  definitionFromBlocks,
  type FromBlocksOptions,
} from "./src/inspect/definition_from_blocks.ts";
export { type FormatOptions, formatTree } from "./src/inspect/format_tree.ts";
export { normalizeDefinition } from "./src/inspect/normal_form.ts";
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
} from "./src/inspect/tree.ts";
export { type CleanUpOptions } from "./src/state/recovery.ts";
export { ClassCode, className } from "./src/usb/class_code.ts";
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
export { DescriptorType } from "./src/usb/descriptor_type.ts";
export {
  addressDirection,
  attributesTransferType,
  type Direction,
  type EndpointUsage,
  INTERRUPT_USAGES,
  ISOCHRONOUS_USAGES,
  type Synchronization,
  SYNCHRONIZATIONS,
  TRANSFER_TYPE_BITS,
  type TransferType,
  USB_DIR_IN,
  USB_ENDPOINT_MAXP_MASK,
  USB_ENDPOINT_NUMBER_MASK,
  USB_ENDPOINT_XFERTYPE_MASK,
  USB_EP_MAXP_MULT_SHIFT,
} from "./src/usb/endpoint_attributes.ts";
export { decodeInterval, encodeInterval } from "./src/usb/interval.ts";
export { LANGUAGE_IDS, languageId, languageTag } from "./src/usb/language.ts";
export { FeatureSelector, StandardRequest } from "./src/usb/request.ts";
export {
  decodeSetup,
  encodeSetup,
  type RequestRecipient,
  type RequestType,
  SETUP_PACKET_LENGTH,
  type SetupFields,
  type SetupPacket,
} from "./src/usb/setup_packet.ts";
export {
  FUNCTION_SPEEDS,
  type FunctionSpeed,
  functionSpeed,
  MAX_PACKET_SIZES,
  type Speed,
  SPEEDS,
} from "./src/usb/speed.ts";
export {
  type BlockContext,
  type BlockVerdict,
  validateBlocks,
} from "./tests/kernel_model/validate_blocks.ts";
export { type EventfdState } from "./tests/kernel_model/write_model.ts";
