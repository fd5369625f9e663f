/**
 * Rules for endpoints.
 *
 * @module
 */

import {
  INTERRUPT_USAGES,
  ISOCHRONOUS_USAGES,
  SYNCHRONIZATIONS,
  USB_DIR_IN,
  USB_ENDPOINT_NUMBER_MASK,
} from "../../usb/endpoint_attributes.ts";
import {
  FUNCTION_SPEEDS,
  type FunctionSpeed,
  MAX_PACKET_SIZES,
} from "../../usb/speed.ts";
import { intervalRange, packetSizeProblem } from "./endpoint_limits.ts";
import type { DeclaredEndpoint } from "../../compile/declared_endpoints.ts";
import {
  choice,
  hex,
  isWithin,
  type ProblemList,
  show,
} from "../problem_list.ts";
import { validateCompanion } from "./companion.ts";

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
