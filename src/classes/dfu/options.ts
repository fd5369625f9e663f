/**
 * Options of DFU functions.
 *
 * @module
 */
import {
  CALLBACK,
  checkArgument,
  checkInteger,
  checkOptions,
  FLAG,
  LIST,
  LOCALIZED_TEXT,
  NUMBER,
  OBJECT,
  type Rules,
  TEXT,
} from "../../arguments/rules.ts";
import type { LocalizedString } from "../../definition/function.ts";
import type { DfuOptions } from "../../definition/functional_descriptor.ts";
import type { DfuArea, DfuSeMemory } from "./area.ts";
import { dfuSeLength } from "./dfuse.ts";

/**
 * Options of {@linkcode Dfu}.
 *
 * @category Devices
 */
export interface DfuModeOptions<N extends string = string> {
  /** The memory areas, 1 to 16. */
  readonly areas: readonly DfuArea[];
  /**
   * The name of the function in its gadget.
   * @default {"dfu"}
   */
  readonly name?: N;
  /**
   * The most bytes in a block, 1 to 4096. Linux hosts send blocks of 64 bytes or
   * more even if this is less.
   * @default {4096}
   */
  readonly transferSize?: number;
  /**
   * Whether the device can be used after manifestation. If not, the host has to
   * reset it.
   * @default {true}
   */
  readonly manifestationTolerant?: boolean;
  /**
   * Whether the device leaves DFU mode by itself after manifestation, if it is not
   * `manifestationTolerant`: see {@linkcode Dfu.left}.
   * @default {false}
   */
  readonly willDetach?: boolean;
  /**
   * How long the host waits before it asks again whether a write or a
   * manifestation is done, in milliseconds, up to 24 bits. A request that comes
   * earlier is an error of the host (DFU 1.1, A.2.5 and A.2.8).
   * @default {10}
   */
  readonly pollTimeoutMs?: number;
}

/**
 * Options of {@linkcode DfuRuntime}: what its DFU functional descriptor says, which
 * should be the same in DFU mode, and these.
 *
 * @category Devices
 */
export interface DfuRuntimeOptions<N extends string = string>
  extends DfuOptions {
  /**
   * The name of the function in its gadget.
   * @default {"dfu"}
   */
  readonly name?: N;
  /** `iInterface`: the name of the interface. */
  readonly description?: LocalizedString;
}

const ACTION = "make DFU function";
const MAX_AREAS = 16;
const MAX_TRANSFER = 4096;
const MAX_POLL_TIMEOUT = 0xff_ffff;
const MAX_ADDRESS = 0xffff_ffff;

const OPTIONS: Rules<DfuModeOptions> = {
  areas: LIST,
  name: TEXT,
  transferSize: NUMBER,
  manifestationTolerant: FLAG,
  willDetach: FLAG,
  pollTimeoutMs: NUMBER,
};

/**
 * Checks the options of a function in DFU mode.
 *
 * @throws {TypeError} For an unknown option, or one of the wrong type.
 * @throws {RangeError} For a number that is out of range.
 */
export function checkDfuMode(options: DfuModeOptions): void {
  checkOptions(ACTION, options, OPTIONS, ["areas"]);
  const { areas, transferSize = MAX_TRANSFER, pollTimeoutMs = 0 } = options;
  if (areas.length === 0 || areas.length > MAX_AREAS) {
    throw new RangeError(
      `Cannot ${ACTION}: "areas" must have 1 to ${MAX_AREAS} elements, has ${areas.length}`,
    );
  }
  checkInteger(ACTION, '"transferSize"', transferSize, MAX_TRANSFER);
  if (transferSize === 0) {
    throw new RangeError(`Cannot ${ACTION}: "transferSize" must not be 0`);
  }
  checkInteger(ACTION, '"pollTimeoutMs"', pollTimeoutMs, MAX_POLL_TIMEOUT);
  areas.forEach(checkArea);
}

function checkArea(area: DfuArea, index: number): void {
  const of = (what: string) => `${what} of area ${index}`;
  checkArgument(ACTION, `area ${index}`, area, OBJECT);
  checkArgument(ACTION, of('"name"'), area.name, TEXT);
  for (const method of ["read", "write", "manifest", "erase"] as const) {
    if (area[method] === undefined) continue;
    checkArgument(ACTION, of(`"${method}"`), area[method], CALLBACK);
  }
  if (area.read === undefined && area.write === undefined) {
    throw new TypeError(
      `Cannot ${ACTION}: area ${index} must have "read" or "write"`,
    );
  }
  if (area.dfuse !== undefined) checkMemory(area.dfuse, of);
  else if (area.erase !== undefined) {
    throw new TypeError(
      `Cannot ${ACTION}: ${of('"erase"')} has no effect without "dfuse"`,
    );
  }
}

function checkMemory(
  memory: DfuSeMemory,
  of: (what: string) => string,
): void {
  checkArgument(ACTION, of('"dfuse"'), memory, OBJECT);
  const { address, sectors } = memory;
  checkInteger(ACTION, of('"dfuse.address"'), address, MAX_ADDRESS);
  checkArgument(ACTION, of('"dfuse.sectors"'), sectors, LIST);
  for (const [at, sector] of sectors.entries()) {
    const part = `"dfuse.sectors[${at}]`;
    checkArgument(ACTION, of(`${part}"`), sector, OBJECT);
    checkInteger(ACTION, of(`${part}.count"`), sector.count, MAX_ADDRESS);
    checkInteger(ACTION, of(`${part}.size"`), sector.size, MAX_ADDRESS);
  }
  const length = dfuSeLength(memory);
  if (length > 0 && address + length <= MAX_ADDRESS + 1) return;
  throw new RangeError(
    `Cannot ${ACTION}: ${
      of('"dfuse.sectors"')
    } must have 1 byte or more, and end below 2³², has ${length}`,
  );
}

const RUNTIME_OPTIONS: Rules<DfuRuntimeOptions> = {
  name: TEXT,
  description: LOCALIZED_TEXT,
  canDownload: FLAG,
  canUpload: FLAG,
  manifestationTolerant: FLAG,
  willDetach: FLAG,
  detachTimeoutMs: NUMBER,
  transferSize: NUMBER,
  bcdDfu: NUMBER,
};

/**
 * Checks the options of a runtime function.
 *
 * @throws {TypeError} For an unknown option, or one of the wrong type.
 * @throws {RangeError} For a timeout that is out of range.
 */
export function checkDfuRuntime(options: DfuRuntimeOptions): void {
  checkOptions(ACTION, options, RUNTIME_OPTIONS);
  const { detachTimeoutMs = 0 } = options;
  checkInteger(ACTION, '"detachTimeoutMs"', detachTimeoutMs, 0xffff);
}
