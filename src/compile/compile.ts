/**
 * Compiles a function definition to what FunctionFS reads.
 *
 * @module
 */

import type { Direction, TransferType } from "../usb/endpoint_attributes.ts";
import { type NamesOf, refuseUnknown } from "../arguments/known_names.ts";
import type { FunctionSpeed } from "../usb/speed.ts";
import { assertValid, type UsbFunction } from "../definition/function.ts";
import {
  functionContent,
  measureSpeed,
  writeSpeed,
} from "./descriptor_encoding.ts";
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
import { type Plan, planFunction } from "./layout.ts";
import type { PlannedEndpoint, PlannedSpeed } from "./endpoint_layout.ts";
import { DefinitionError } from "../check/problem.ts";
import { describeFunction } from "../check/problem_list.ts";
import { functionLanguages, StringTable } from "./string_table.ts";
import { compileProblems } from "../check/function/compile.ts";
import { Writer } from "./writer.ts";

/** What the place where a function runs decides about its bytes. */
export interface CompileOptions {
  /**
   * Interfaces of the configuration that come before those of this function. The kernel rewrites the numbers of
   * interfaces, but not `bFirstInterface` of associations.
   *
   * @default {0}
   */
  readonly interfaceOffset?: number;
  /**
   * Whether to ask for `epN_rw` files. Only {@linkcode canProxy | functions made of pairs} can have them. Linux before 7.3
   * refuses to make them (ENOSYS), unless somebody has ported them back.
   *
   * @default {true when the definition insists on it, else false}
   */
  readonly rwProxy?: boolean;
  /** A file descriptor of an eventfd that FunctionFS shall signal for every event and completion. */
  readonly eventfd?: number;
  /** The kernel that will read the block. Without it, the newest one. */
  readonly kernel?: KernelVersion;
}

/** An endpoint of a compiled function. */
export interface CompiledEndpoint {
  /** The declared name. Both halves of a pair carry it. */
  readonly name: string;
  /** The direction. */
  readonly half: Direction;
  /** The number of the endpoint, from 1. Control requests to the endpoint carry it in `wIndex`. */
  readonly index: number;
  /** The name of its file: `ep1`, or `ep81` with virtual addresses. */
  readonly file: string;
  /** The address in the descriptors. What the host sees is up to the kernel. */
  readonly address: number;
  /** The transfer type. */
  readonly transferType: TransferType;
  /** Bytes in one packet, at each speed that has descriptors. */
  readonly maxPacketSize: { readonly [S in FunctionSpeed]?: number };
  /** Bytes that can go in one interval, at each of these speeds: several packets on a high-bandwidth endpoint. The packet size for bulk. */
  readonly bytesPerInterval: { readonly [S in FunctionSpeed]?: number };
  /** The number of its interface within the function. */
  readonly interfaceNumber: number;
  /** The alternate setting it belongs to. */
  readonly alternateSetting: number;
}

/** The file of a pair that reads from one half and writes to the other. */
export interface CompiledProxy {
  /** The declared name of the pair. */
  readonly name: string;
  /** The name of the file: `ep1_rw`, or `ep81_rw` with virtual addresses. */
  readonly file: string;
}

/** A function as FunctionFS reads it. */
export interface CompiledFunction {
  /** The first block to write to ep0. */
  readonly descriptors: Uint8Array<ArrayBuffer>;
  /** The second block to write to ep0. */
  readonly strings: Uint8Array<ArrayBuffer>;
  /** The flags of the descriptors block. */
  readonly flags: number;
  /** The endpoints in file order. */
  readonly endpoints: readonly CompiledEndpoint[];
  /** The files of the pairs; none unless asked for. */
  readonly proxies: readonly CompiledProxy[];
}

const OPTIONS: NamesOf<CompileOptions> = {
  interfaceOffset: true,
  rwProxy: true,
  eventfd: true,
  kernel: true,
};

const SPEED_FLAGS: Readonly<Record<FunctionSpeed, number>> = {
  full: FUNCTIONFS_HAS_FS_DESC,
  high: FUNCTIONFS_HAS_HS_DESC,
  super: FUNCTIONFS_HAS_SS_DESC,
};

/**
 * Compiles a function to the two blocks that are written to ep0, and a map of its files.
 *
 * @param definition The function.
 * @param options What the place where it runs decides.
 * @returns The blocks and the files.
 * @throws {DefinitionError} When the definition has problems, or has them on this kernel or with these options.
 * @throws {TypeError} For an option that does not exist.
 *
 * @example Usage
 * ```ts
 * import { bulkPair, usbFunction } from "@usb/gadget";
 * import { compileFunction } from "@usb/gadget/inspect";
 * import { assertEquals } from "@std/assert";
 *
 * const echo = usbFunction({
 *   name: "echo",
 *   interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
 * });
 * const { endpoints } = compileFunction(echo);
 * assertEquals(endpoints.map((it) => it.file), ["ep1", "ep2"]);
 * assertEquals(endpoints.map((it) => it.half), ["in", "out"]);
 * ```
 */
export function compileFunction(
  definition: UsbFunction,
  options: CompileOptions = {},
): CompiledFunction {
  assertValid(definition);
  const subject = describeFunction(definition);
  refuseUnknown(`compile ${subject}`, options, OPTIONS);
  const plan = planFunction(definition);
  const problems = compileProblems(definition, plan, options);
  if (problems.length > 0) {
    throw new DefinitionError(subject, problems);
  }
  const strings = new StringTable(functionLanguages(definition));
  const rwProxy = options.rwProxy ?? definition.rwProxy === true;
  const flags = blockFlags(definition, plan, options, rwProxy);
  const descriptors = descriptorsBlock(definition, {
    plan,
    options,
    strings,
    flags,
  });
  const file = ({ index, address }: PlannedEndpoint) =>
    definition.virtualAddresses
      ? `ep${address.toString(16).padStart(2, "0")}`
      : `ep${index}`;
  const proxies = rwProxy
    ? plan.endpoints.filter(({ index }) => index % 2 === 1)
      .map((it) => ({ name: it.name, file: `${file(it)}_rw` }))
    : [];
  return {
    descriptors,
    strings: strings.encode(),
    flags,
    endpoints: compiledEndpoints(plan, file),
    proxies,
  };
}

/**
 * Whether a function can have `epN_rw` files: it has endpoints, and all of them are in pairs.
 *
 * @param definition The function.
 * @returns True when `compileFunction` may be given `rwProxy: true`.
 */
export function canProxy(definition: UsbFunction): boolean {
  const { endpoints } = planFunction(definition);
  return endpoints.length > 0 && endpoints.every((it) => it.paired);
}

function blockFlags(
  definition: UsbFunction,
  plan: Plan,
  options: CompileOptions,
  rwProxy: boolean,
): number {
  let flags = 0;
  for (const speed of plan.speeds) flags |= SPEED_FLAGS[speed];
  if (definition.microsoftOs?.length) flags |= FUNCTIONFS_HAS_MS_OS_DESC;
  if (definition.virtualAddresses) flags |= FUNCTIONFS_VIRTUAL_ADDR;
  if (options.eventfd !== undefined) flags |= FUNCTIONFS_EVENTFD;
  if (definition.allControlRecipients) flags |= FUNCTIONFS_ALL_CTRL_RECIP;
  if (definition.config0Setup) flags |= FUNCTIONFS_CONFIG0_SETUP;
  if (rwProxy) flags |= FUNCTIONFS_RW_PROXY_EPS;
  return flags;
}

/** Computes the length of everything, then allocates once and fills. */
function descriptorsBlock(
  definition: UsbFunction,
  { plan, options, strings, flags }: {
    readonly plan: Plan;
    readonly options: CompileOptions;
    readonly strings: StringTable;
    readonly flags: number;
  },
): Uint8Array<ArrayBuffer> {
  const { eventfd, interfaceOffset = 0, kernel } = options;
  const content = functionContent(definition, plan, strings, interfaceOffset);
  const lists = plan.speeds.map((speed) => measureSpeed(content, speed));
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
  for (const speed of plan.speeds) writeSpeed(writer, content, speed);
  const modern = kernelHas(kernel, KERNEL_FEATURES.osDescriptorVersion);
  os.write(writer, modern ? 0x0100 : 0x0001);
  return writer.finish();
}

function compiledEndpoints(
  { settings, speeds }: Plan,
  file: (endpoint: PlannedEndpoint) => string,
): CompiledEndpoint[] {
  return settings.flatMap(({ endpoints, interfaceNumber, alternateSetting }) =>
    endpoints.map((it) => ({
      name: it.name,
      half: it.half,
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
  { maxPacketSize, transactions, bytesPerInterval }: PlannedSpeed,
): number {
  // A companion descriptor tells it, and is 0 where it does not apply.
  return bytesPerInterval || maxPacketSize * transactions;
}
