/**
 * Compiles the layout of a function to the blocks that FunctionFS reads.
 *
 * @module
 */

import type { Direction, TransferType } from "../usb/endpoint_attributes.ts";
import type { FunctionSpeed } from "../usb/speed.ts";
import { measureSpeed, writeSpeed } from "./descriptor_encoding.ts";
import {
  FUNCTIONFS_ALL_CTRL_RECIP,
  FUNCTIONFS_CONFIG0_SETUP,
  FUNCTIONFS_DESCRIPTORS_MAGIC_V2,
  FUNCTIONFS_EVENTFD,
  FUNCTIONFS_HAS_FS_DESC,
  FUNCTIONFS_HAS_HS_DESC,
  FUNCTIONFS_HAS_MS_OS_DESC,
  FUNCTIONFS_HAS_SS_DESC,
  FUNCTIONFS_RW_PROXY_EPS,
  FUNCTIONFS_VIRTUAL_ADDR,
} from "./functionfs_abi.ts";
import {
  KERNEL_FEATURES,
  kernelHas,
  type KernelVersion,
} from "./kernel_version.ts";
import { microsoftOsBlock } from "./microsoft_os_encoding.ts";
import { Writer } from "./writer.ts";
import type { EndpointLayout, SpeedLayout } from "./endpoint_layout.ts";
import type { Layout } from "./layout.ts";

/**
 * Options of {@linkcode compileFunction}: what depends on where a function runs.
 *
 * @category Inspect
 */
export interface CompileOptions {
  /**
   * Interfaces of the configuration that precede those of this function. The kernel rewrites the numbers of
   * interfaces, but not `bFirstInterface` of associations.
   *
   * @default {0}
   */
  readonly interfaceOffset?: number;
  /**
   * Whether to request `epN_rw` files, which only functions made of pairs can have. Linux before 7.3 refuses the
   * request (ENOSYS), unless it has been backported. Without it, the files are requested if the definition insists on
   * them with `rwProxy: true`.
   */
  readonly rwProxy?: boolean;
  /** The file descriptor of an eventfd that FunctionFS signals for every event and completion. */
  readonly eventfd?: number;
  /** The kernel that will read the block. Without it, the newest one. */
  readonly kernel?: KernelVersion;
}

/**
 * An endpoint of a compiled function.
 *
 * @category Inspect
 */
export interface CompiledEndpoint {
  /** The declared name. Both endpoints of a pair have it. */
  readonly name: string;
  /** The direction. */
  readonly direction: Direction;
  /** The number of the endpoint, from 1. Control requests to the endpoint carry it in `wIndex`. */
  readonly index: number;
  /** The name of its file: `ep1`, or `ep81` with virtual addresses. */
  readonly file: string;
  /** The address in the descriptors. The host sees the one that the kernel chooses. */
  readonly address: number;
  /** The transfer type. */
  readonly transferType: TransferType;
  /** Bytes in one packet, at each speed that has descriptors. */
  readonly maxPacketSize: { readonly [S in FunctionSpeed]?: number };
  /**
   * Bytes in one interval, at each of these speeds: several packets on a high-bandwidth endpoint. For bulk endpoints
   * it is the packet size.
   */
  readonly bytesPerInterval: { readonly [S in FunctionSpeed]?: number };
  /** The number of its interface within the function. */
  readonly interfaceNumber: number;
  /** The alternate setting it belongs to. */
  readonly alternateSetting: number;
}

/**
 * The file that reads from one endpoint of a pair and writes to the other.
 *
 * @category Inspect
 */
export interface CompiledProxy {
  /** The declared name of the pair. */
  readonly name: string;
  /** The name of the file: `ep1_rw`, or `ep81_rw` with virtual addresses. */
  readonly file: string;
}

/**
 * A function as FunctionFS reads it.
 *
 * @category Inspect
 */
export interface CompiledFunction {
  /** The first block to write to ep0. */
  readonly descriptors: Uint8Array<ArrayBuffer>;
  /** The second block to write to ep0. */
  readonly strings: Uint8Array<ArrayBuffer>;
  /** The flags of the descriptors block. */
  readonly flags: number;
  /** The endpoints in file order. */
  readonly endpoints: readonly CompiledEndpoint[];
  /** The files of the pairs; empty unless requested. */
  readonly proxies: readonly CompiledProxy[];
}

const SPEED_FLAGS: Readonly<Record<FunctionSpeed, number>> = {
  full: FUNCTIONFS_HAS_FS_DESC,
  high: FUNCTIONFS_HAS_HS_DESC,
  super: FUNCTIONFS_HAS_SS_DESC,
};

/** Compiles the layout of a valid function to the two blocks for ep0, and a map of its files. */
export function compileLayout(
  layout: Layout,
  options: CompileOptions,
): CompiledFunction {
  const { definition, strings } = layout;
  const { rwProxy = definition.rwProxy === true } = options;
  const flags = blockFlags(layout, options, rwProxy);
  const file = ({ index, address }: EndpointLayout) =>
    definition.virtualAddresses
      ? `ep${address.toString(16).padStart(2, "0")}`
      : `ep${index}`;
  const proxies = rwProxy
    ? layout.endpoints.filter(({ index }) => index % 2 === 1)
      .map((it) => ({ name: it.name, file: `${file(it)}_rw` }))
    : [];
  return {
    descriptors: descriptorsBlock(layout, options, flags),
    strings: strings.encode(),
    flags,
    endpoints: compiledEndpoints(layout, file),
    proxies,
  };
}

function blockFlags(
  { definition, speeds }: Layout,
  { eventfd }: CompileOptions,
  rwProxy: boolean,
): number {
  let flags = 0;
  for (const speed of speeds) flags |= SPEED_FLAGS[speed];
  if (definition.microsoftOs?.length) flags |= FUNCTIONFS_HAS_MS_OS_DESC;
  if (definition.virtualAddresses) flags |= FUNCTIONFS_VIRTUAL_ADDR;
  if (eventfd !== undefined) flags |= FUNCTIONFS_EVENTFD;
  if (definition.allControlRecipients) flags |= FUNCTIONFS_ALL_CTRL_RECIP;
  if (definition.config0Setup) flags |= FUNCTIONFS_CONFIG0_SETUP;
  if (rwProxy) flags |= FUNCTIONFS_RW_PROXY_EPS;
  return flags;
}

/** Computes the length of everything, then allocates once and fills. */
function descriptorsBlock(
  layout: Layout,
  { eventfd, interfaceOffset = 0, kernel }: CompileOptions,
  flags: number,
): Uint8Array<ArrayBuffer> {
  const { definition, speeds } = layout;
  const lists = speeds.map((speed) => measureSpeed(layout, speed));
  const os = microsoftOsBlock(definition.microsoftOs ?? []);
  let length = 12 + os.length;
  if (eventfd !== undefined) length += 4;
  if (os.count > 0) length += 4;
  for (const list of lists) length += 4 + list.length;
  const writer = new Writer(length);
  writer.u32(FUNCTIONFS_DESCRIPTORS_MAGIC_V2);
  writer.u32(length);
  writer.u32(flags);
  if (eventfd !== undefined) writer.u32(eventfd);
  for (const list of lists) writer.u32(list.count);
  if (os.count > 0) writer.u32(os.count);
  for (const speed of speeds) {
    writeSpeed(writer, layout, speed, interfaceOffset);
  }
  const modern = kernelHas(kernel, KERNEL_FEATURES.osDescriptorVersion);
  os.write(writer, modern ? 0x0100 : 0x0001);
  return writer.finish();
}

function compiledEndpoints(
  { settings, speeds }: Layout,
  file: (endpoint: EndpointLayout) => string,
): CompiledEndpoint[] {
  return settings.flatMap(({ endpoints, interfaceNumber, alternateSetting }) =>
    endpoints.map((it) => ({
      name: it.name,
      direction: it.direction,
      index: it.index,
      file: file(it),
      address: it.address,
      transferType: it.transferType,
      maxPacketSize: Object.fromEntries(
        speeds.map((speed) => [speed, it.speeds[speed].maxPacketSize]),
      ),
      bytesPerInterval: Object.fromEntries(
        speeds.map((speed) => [speed, bytesPerInterval(it.speeds[speed])]),
      ),
      interfaceNumber,
      alternateSetting,
    }))
  );
}

function bytesPerInterval(
  { maxPacketSize, transactions, bytesPerInterval }: SpeedLayout,
): number {
  // The companion descriptor says 0 where the field does not apply.
  return bytesPerInterval || maxPacketSize * transactions;
}
