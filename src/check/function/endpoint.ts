/**
 * The rules for one endpoint.
 *
 * @module
 */

import { isWithin } from "../../arguments/rules.ts";
import { choice, hex, show } from "../../arguments/show.ts";
import type { EndpointLayout } from "../../compile/endpoint_layout.ts";
import {
  type EndpointUsage,
  INTERRUPT_USAGES,
  ISOCHRONOUS_USAGES,
  SYNCHRONIZATIONS,
  type TransferType,
  USB_DIR_IN,
  USB_ENDPOINT_NUMBER_MASK,
} from "../../usb/endpoint_attributes.ts";
import {
  FUNCTION_SPEEDS,
  type FunctionSpeed,
  MAX_PACKET_SIZES,
} from "../../usb/speed.ts";
import type { ProblemList } from "../problem.ts";
import { checkCompanion } from "./companion.ts";

const FULL_SPEED_BULK_SIZES: readonly number[] = [8, 16, 32, 64];

const USAGES: Readonly<Record<TransferType, readonly EndpointUsage[]>> = {
  bulk: [],
  interrupt: INTERRUPT_USAGES,
  isochronous: ISOCHRONOUS_USAGES,
};

/** The least packet size by transactions in a microframe (USB 2.0 table 9-14). */
const LEAST_SIZES: readonly number[] = [0, 1, 513, 683];

export function checkEndpoint(
  list: ProblemList,
  endpoint: EndpointLayout,
): void {
  const { path, settings, transferType } = endpoint;
  checkAddress(list, endpoint);
  checkInterval(list, endpoint);
  checkUse(list, endpoint);
  checkCommonPacketSize(list, endpoint);
  if (settings.audio) {
    const { refresh = 0, synchAddress = 0 } = settings.audio;
    list.range(refresh, [0, 255], `${path}.audio.refresh`, "Refresh");
    const at = `${path}.audio.synchAddress`;
    list.range(synchAddress, [0, 255], at, "Synch address");
  }
  for (const speed of FUNCTION_SPEEDS) {
    const { maxPacketSize, interval } = settings[speed] ?? {};
    const sizes = packetSizes(maxPacketSize, transferType, speed);
    const [least, greatest] = intervalRange(transferType, speed);
    const where = `for ${
      transferType === "bulk" ? "a" : "an"
    } ${transferType} endpoint at ${speed} speed`;
    if (maxPacketSize !== undefined && sizes !== undefined) {
      list.configureFails(
        "packet-size",
        `${path}.${speed}.maxPacketSize`,
        `Packet size ${maxPacketSize} is not possible ${where}: use ${sizes}`,
      );
    }
    if (interval !== undefined && !isWithin(interval, least, greatest)) {
      list.configureFails(
        "interval",
        `${path}.${speed}.interval`,
        `Interval ${interval} is not possible ${where}: use ${least} to ${greatest}`,
      );
    }
  }
  checkTransactions(list, endpoint);
  if (settings.super) checkCompanion(list, endpoint);
}

function checkAddress(
  list: ProblemList,
  { direction, path, settings: { address } }: EndpointLayout,
): void {
  if (address === undefined) return;
  const at = `${path}.address`;
  if (!isWithin(address, 0, 0xff) || (address & 0x70) !== 0) {
    list.writeFails(
      "address",
      at,
      `Address ${
        show(address)
      } is not one of an endpoint: give 0x01 to 0x0f or 0x81 to 0x8f`,
    );
  } else if ((address & USB_ENDPOINT_NUMBER_MASK) === 0) {
    list.writeFails(
      "address",
      at,
      `Address ${
        hex(address)
      } is that of endpoint 0: give a number from 1 to 15`,
    );
  } else if (((address & USB_DIR_IN) !== 0) !== (direction === "in")) {
    list.bindFails(
      "address",
      at,
      `Address ${hex(address)} has the wrong direction: ${
        direction === "in" ? "set" : "clear"
      } bit 7 for an ${direction.toUpperCase()} endpoint`,
    );
  }
}

function checkInterval(
  list: ProblemList,
  { path, settings: { intervalMs, intervalUs }, transferType }: EndpointLayout,
): void {
  const problem = (field: string, message: string) =>
    list.configureFails("interval", `${path}.${field}`, message);
  const given = Object.entries({ intervalMs, intervalUs })
    .filter(([, it]) => it !== undefined);
  if (given.length > 0 && transferType === "bulk") {
    const [[name]] = given;
    return problem(name, "A bulk endpoint has no interval: leave it out");
  }
  if (given.length > 1) {
    problem(
      "intervalUs",
      "The interval is given twice: leave out intervalMs or intervalUs",
    );
  }
  for (const [name, it] of given) {
    if (Number.isFinite(it) && Number(it) > 0) continue;
    problem(name, `The interval is ${show(it)}: give a number above 0`);
  }
}

function checkUse(
  list: ProblemList,
  { path, settings: { synchronization, usage }, transferType }: EndpointLayout,
): void {
  const isIsochronous = transferType === "isochronous";
  if (
    synchronization !== undefined &&
    !(isIsochronous && SYNCHRONIZATIONS.includes(synchronization))
  ) {
    list.configureFails(
      "synchronization",
      `${path}.synchronization`,
      isIsochronous
        ? `Synchronization ${show(synchronization)} is not known: use ${
          choice(SYNCHRONIZATIONS)
        }`
        : `Only isochronous endpoints have a synchronization, not ${transferType} ones: leave it out`,
    );
  }
  if (usage === undefined) return;
  const usages = USAGES[transferType];
  if (usages.includes(usage)) return;
  list.configureFails(
    "usage",
    `${path}.usage`,
    usages.length === 0
      ? "A bulk endpoint has no usage: leave it out"
      : `Usage ${show(usage)} is not one of ${transferType} endpoints: use ${
        choice(usages)
      }`,
  );
}

/** The layout cuts the common size to the maximum of each speed, so it may exceed that of some. */
function checkCommonPacketSize(
  list: ProblemList,
  { path, settings: { maxPacketSize }, transferType }: EndpointLayout,
): void {
  if (maxPacketSize === undefined) return;
  const greatest = MAX_PACKET_SIZES[transferType].super;
  if (transferType !== "bulk" && isWithin(maxPacketSize, 1, greatest)) return;
  list.configureFails(
    "packet-size",
    `${path}.maxPacketSize`,
    transferType === "bulk"
      ? "Bulk packet sizes differ between speeds and are derived: leave it out, or set full.maxPacketSize"
      : `Packet size ${maxPacketSize} is not possible for an ${transferType} endpoint at any speed: use 1 to ${greatest}`,
  );
}

/** Returns the possible packet sizes, unless `size` is one (USB 2.0 sections 5.6.3, 5.7.3 and 5.8.3, USB 3.2 section 9.6.6). */
function packetSizes(
  size: number | undefined,
  transferType: TransferType,
  speed: FunctionSpeed,
): string | undefined {
  const greatest = MAX_PACKET_SIZES[transferType][speed];
  if (transferType !== "bulk") {
    return isWithin(size, 1, greatest) ? undefined : `1 to ${greatest}`;
  }
  const sizes = speed === "full" ? FULL_SPEED_BULK_SIZES : [greatest];
  if (sizes.some((it) => it === size)) return undefined;
  return sizes.length > 1 ? choice(sizes) : `${greatest}`;
}

/** The least and the greatest `bInterval`. */
function intervalRange(
  transferType: TransferType,
  speed: FunctionSpeed,
): readonly [number, number] {
  if (transferType === "bulk") return [0, 255];
  return transferType === "interrupt" && speed === "full" ? [1, 255] : [1, 16];
}

function checkTransactions(
  list: ProblemList,
  { path, settings, speeds, transferType }: EndpointLayout,
): void {
  const transactions = settings.high?.transactions;
  if (transactions === undefined || transactions === 1) return;
  const problem = (message: string) =>
    list.configureFails("transactions", `${path}.high.transactions`, message);
  if (!isWithin(transactions, 1, 3)) {
    return problem(
      `Transactions is ${show(transactions)}: give a whole number from 1 to 3`,
    );
  }
  if (transferType === "bulk") {
    return problem(
      "A bulk endpoint has no further transactions in a microframe: leave it out",
    );
  }
  const { maxPacketSize } = speeds.high;
  const least = LEAST_SIZES[transactions];
  if (maxPacketSize >= least) return;
  problem(
    `${transactions} transactions in a microframe need packets of ${least} to 1024 bytes, not ${maxPacketSize}: raise maxPacketSize or lower transactions`,
  );
}
