/**
 * Rules for endpoints.
 *
 * @module
 */

import {
  INTERRUPT_USAGES,
  ISOCHRONOUS_USAGES,
  SYNCHRONIZATIONS,
  type TransferType,
  USB_DIR_IN,
  USB_ENDPOINT_NUMBER_MASK,
} from "../usb/endpoint_attributes.ts";
import {
  FUNCTION_SPEEDS,
  type FunctionSpeed,
  MAX_PACKET_SIZES,
} from "../usb/speed.ts";
import type {
  EndpointSettings,
  SuperSpeedSettings,
} from "./endpoint_definition.ts";
import type { DeclaredEndpoint } from "./plan.ts";
import { hex, isWithin, type ProblemList, show } from "./problem_list.ts";

/**
 * Validates one endpoint.
 *
 * @param list Where problems go.
 * @param endpoint The endpoint.
 */
export function validateEndpoint(
  list: ProblemList,
  endpoint: DeclaredEndpoint,
): void {
  const { path, settings, transferType } = endpoint;
  validateAddress(list, endpoint);
  validateInterval(list, endpoint);
  validateUse(list, endpoint);
  if (settings.maxPacketSize !== undefined) {
    validateCommonPacketSize(list, endpoint, settings.maxPacketSize);
  }
  if (settings.audio) {
    const { refresh = 0, synchAddress = 0 } = settings.audio;
    list.range(refresh, [0, 255], `${path}.audio.refresh`, "Refresh");
    const at = `${path}.audio.synchAddress`;
    list.range(synchAddress, [0, 255], at, "Synch address");
  }
  for (const speed of FUNCTION_SPEEDS) {
    validatePacketSize(list, endpoint, speed);
    validateRawInterval(list, endpoint, speed);
  }
  validateTransactions(list, endpoint);
  if (settings.super) {
    validateCompanion(list, transferType, settings, `${path}.super`);
  }
}

function validateAddress(
  list: ProblemList,
  { half, path, settings }: DeclaredEndpoint,
): void {
  const { address } = settings;
  if (address === undefined) return;
  const at = `${path}.address`;
  if (!isWithin(address, 0, 0xff) || (address & 0x70) !== 0) {
    list.write(
      "address",
      at,
      `Address ${
        show(address)
      } is not one of an endpoint: give 0x01 to 0x0f or 0x81 to 0x8f`,
    );
  } else if ((address & USB_ENDPOINT_NUMBER_MASK) === 0) {
    list.write(
      "address",
      at,
      `Address ${
        hex(address)
      } is that of endpoint 0: give a number from 1 to 15`,
    );
  } else if (((address & USB_DIR_IN) !== 0) !== (half === "in")) {
    list.bind(
      "address",
      at,
      `Address ${hex(address)} has the wrong direction: ${
        half === "in" ? "set" : "clear"
      } bit 7 for an ${half.toUpperCase()} endpoint`,
    );
  }
}

function validateInterval(
  list: ProblemList,
  { path, settings, transferType }: DeclaredEndpoint,
): void {
  const { intervalMs, intervalUs } = settings;
  if (intervalMs === undefined && intervalUs === undefined) return;
  if (transferType === "bulk") {
    const at = intervalMs === undefined ? "intervalUs" : "intervalMs";
    list.configure(
      "interval",
      `${path}.${at}`,
      "A bulk endpoint has no interval: leave it out",
    );
    return;
  }
  if (intervalMs !== undefined && intervalUs !== undefined) {
    list.configure(
      "interval",
      `${path}.intervalUs`,
      "The interval is given twice: leave out intervalMs or intervalUs",
    );
  }
  for (const [name, value] of Object.entries({ intervalMs, intervalUs })) {
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
      list.configure(
        "interval",
        `${path}.${name}`,
        `The interval is ${show(value)}: give a number above 0`,
      );
    }
  }
}

function validateUse(
  list: ProblemList,
  { path, settings, transferType }: DeclaredEndpoint,
): void {
  const { synchronization, usage } = settings;
  if (
    synchronization !== undefined &&
    (transferType !== "isochronous" ||
      !SYNCHRONIZATIONS.includes(synchronization))
  ) {
    list.configure(
      "synchronization",
      `${path}.synchronization`,
      transferType === "isochronous"
        ? `Synchronization ${show(synchronization)} is not known: use ${
          choice(SYNCHRONIZATIONS)
        }`
        : `Only isochronous endpoints have a synchronization, not ${transferType} ones: leave it out`,
    );
  }
  if (usage === undefined) return;
  const usages = transferType === "isochronous"
    ? ISOCHRONOUS_USAGES
    : transferType === "interrupt"
    ? INTERRUPT_USAGES
    : [];
  if (usages.includes(usage)) return;
  list.configure(
    "usage",
    `${path}.usage`,
    usages.length === 0
      ? "A bulk endpoint has no usage: leave it out"
      : `Usage ${show(usage)} is not one of ${transferType} endpoints: use ${
        choice(usages)
      }`,
  );
}

/** The size for all speeds is cut to what each speed can have, so only nonsense is refused. */
function validateCommonPacketSize(
  list: ProblemList,
  { path, transferType }: DeclaredEndpoint,
  size: number,
): void {
  const at = `${path}.maxPacketSize`;
  if (transferType === "bulk") {
    list.configure(
      "packet-size",
      at,
      "Bulk packet sizes differ between speeds and are derived: leave it out, or set full.maxPacketSize",
    );
    return;
  }
  const greatest = MAX_PACKET_SIZES[transferType].super;
  if (isWithin(size, 1, greatest)) return;
  list.configure(
    "packet-size",
    at,
    `Packet size ${
      show(size)
    } is not possible for an ${transferType} endpoint at any speed: use 1 to ${greatest}`,
  );
}

const FULL_SPEED_BULK_SIZES: readonly number[] = [8, 16, 32, 64];

function validatePacketSize(
  list: ProblemList,
  { path, settings, transferType }: DeclaredEndpoint,
  speed: FunctionSpeed,
): void {
  const size = settings[speed]?.maxPacketSize;
  if (size === undefined) return;
  const problem = packetSizeProblem(size, transferType, speed);
  if (problem) {
    list.configure("packet-size", `${path}.${speed}.maxPacketSize`, problem);
  }
}

/**
 * Says what is wrong with a packet size (USB 2.0 sections 5.6.3, 5.7.3 and 5.8.3, USB 3.2 section 9.6.6).
 *
 * @param size Bytes in a packet.
 * @param transferType The transfer type.
 * @param speed The speed.
 * @returns The problem, or `undefined` when there is none.
 */
export function packetSizeProblem(
  size: number,
  transferType: TransferType,
  speed: FunctionSpeed,
): string | undefined {
  const greatest = MAX_PACKET_SIZES[transferType][speed];
  let sizes: string;
  if (transferType !== "bulk") {
    if (isWithin(size, 1, greatest)) return undefined;
    sizes = `1 to ${greatest}`;
  } else if (speed === "full") {
    if (FULL_SPEED_BULK_SIZES.includes(size)) return undefined;
    sizes = choice(FULL_SPEED_BULK_SIZES);
  } else {
    if (size === greatest) return undefined;
    sizes = `${greatest}`;
  }
  const article = transferType === "bulk" ? "a" : "an";
  return `Packet size ${
    show(size)
  } is not possible for ${article} ${transferType} endpoint at ${speed} speed: use ${sizes}`;
}

function validateRawInterval(
  list: ProblemList,
  { path, settings, transferType }: DeclaredEndpoint,
  speed: FunctionSpeed,
): void {
  const interval = settings[speed]?.interval;
  if (interval === undefined) return;
  const [least, greatest] = intervalRange(transferType, speed);
  if (isWithin(interval, least, greatest)) return;
  const article = transferType === "bulk" ? "a" : "an";
  list.configure(
    "interval",
    `${path}.${speed}.interval`,
    `Interval ${
      show(interval)
    } is not possible for ${article} ${transferType} endpoint at ${speed} speed: use ${least} to ${greatest}`,
  );
}

/**
 * The values that `bInterval` can have.
 *
 * @param transferType The transfer type.
 * @param speed The speed.
 * @returns The least and the greatest value.
 */
export function intervalRange(
  transferType: TransferType,
  speed: FunctionSpeed,
): readonly [number, number] {
  if (transferType === "bulk") return [0, 255];
  return transferType === "interrupt" && speed === "full" ? [1, 255] : [1, 16];
}

/** The least packet size with so many packets in a microframe (USB 2.0 table 9-14). */
const LEAST_SIZE_BY_TRANSACTIONS: readonly number[] = [0, 1, 513, 683];

function validateTransactions(
  list: ProblemList,
  { path, settings, transferType }: DeclaredEndpoint,
): void {
  const transactions = settings.high?.transactions;
  if (transactions === undefined) return;
  const at = `${path}.high.transactions`;
  if (!isWithin(transactions, 1, 3)) {
    list.configure(
      "transactions",
      at,
      `Transactions is ${show(transactions)}: give a whole number from 1 to 3`,
    );
    return;
  }
  if (transactions === 1) return;
  if (transferType === "bulk") {
    list.configure(
      "transactions",
      at,
      "A bulk endpoint has no further transactions in a microframe: leave it out",
    );
    return;
  }
  const size = settings.high?.maxPacketSize ?? settings.maxPacketSize ??
    (transferType === "interrupt" ? 64 : 1024);
  const least = LEAST_SIZE_BY_TRANSACTIONS[transactions];
  if (size >= least) return;
  list.configure(
    "transactions",
    at,
    `${transactions} transactions in a microframe need packets of ${least} to 1024 bytes, not ${size}: raise maxPacketSize or lower transactions`,
  );
}

function validateCompanion(
  list: ProblemList,
  transferType: TransferType,
  settings: EndpointSettings,
  path: string,
): void {
  const own: SuperSpeedSettings = settings.super ?? {};
  const { maxBurst = 0, streams = 0, mult = 0 } = own;
  const greatestBurst = transferType === "interrupt" ? 2 : 15;
  if (!isWithin(maxBurst, 0, greatestBurst)) {
    list.configure(
      "burst",
      `${path}.maxBurst`,
      `Burst ${
        show(maxBurst)
      } is not possible for this endpoint: use 0 to ${greatestBurst}`,
    );
  }
  const possible = streams === 0 ||
    (isWithin(streams, 2, 65536) && Number.isInteger(Math.log2(streams)));
  if (!possible || (streams > 0 && transferType !== "bulk")) {
    list.configure(
      "streams",
      `${path}.streams`,
      transferType === "bulk"
        ? `Streams is ${
          show(streams)
        }: give 0 or a power of two from 2 to 65536`
        : "Only bulk endpoints have streams: leave it out",
    );
  }
  if (!isWithin(mult, 0, 2) || (mult > 0 && transferType !== "isochronous")) {
    list.configure(
      "mult",
      `${path}.mult`,
      transferType === "isochronous"
        ? `Mult is ${show(mult)}: give a whole number from 0 to 2`
        : "Only isochronous endpoints have a mult: leave it out",
    );
  } else if (mult > 0 && maxBurst === 0) {
    list.configure(
      "mult",
      `${path}.mult`,
      `Mult ${mult} needs a burst: set maxBurst to 1 or more`,
    );
  }
  const size = own.maxPacketSize ?? settings.maxPacketSize ??
    (transferType === "interrupt" ? 64 : 1024);
  if (maxBurst > 0 && size !== 1024) {
    list.configure(
      "burst",
      `${path}.maxBurst`,
      `A burst needs packets of 1024 bytes at super speed, not ${size}: set super.maxPacketSize to 1024`,
    );
  }
  const { bytesPerInterval } = own;
  if (bytesPerInterval === undefined) return;
  const greatest = transferType === "bulk"
    ? 0
    : size * (maxBurst + 1) * (mult + 1);
  if (isWithin(bytesPerInterval, 0, greatest)) return;
  list.configure(
    "bytes-per-interval",
    `${path}.bytesPerInterval`,
    transferType === "bulk"
      ? "A bulk endpoint has no bytes per interval: leave it out"
      : `Bytes per interval is ${
        show(bytesPerInterval)
      }, but packet size, burst and mult allow 0 to ${greatest}`,
  );
}

function choice(values: readonly (string | number)[]): string {
  const shown = values.map(show);
  return `${shown.slice(0, -1).join(", ")} or ${shown.at(-1)}`;
}
