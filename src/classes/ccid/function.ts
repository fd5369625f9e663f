/**
 * Smart card readers as a function of a gadget.
 *
 * @module
 */
import { ccid } from "../../definition/ccid.ts";
import { bulkPair, interruptIn } from "../../definition/endpoint_builders.ts";
import type {
  InEndpointDefinition,
  PairEndpointDefinition,
} from "../../definition/endpoint.ts";
import type {
  InterfaceDefinition,
  UsbFunction,
} from "../../definition/function.ts";
import type { Session } from "../../functionfs/sessions.ts";
import { ClassCode } from "../../usb/class_code.ts";
import { type ControlHandler, Stall } from "../../usb/control.ts";
import { controlRoutes } from "../../usb/control_routes.ts";
import { OneGadget } from "../one_gadget.ts";
import { CLOCK_KHZ, dataRates } from "./card/parameters.ts";
import { CardSlot } from "./card_slot.ts";
import {
  type CardReaderOptions,
  type ReaderSettings,
  readerSettings,
} from "./options.ts";
import type { ExchangeLevel } from "./reader/exchange.ts";
import { Slot } from "./reader/slot.ts";
import { ccidRequests } from "./requests.ts";
import { SlotChanges } from "./transport/slot_changes.ts";
import { serveSlots } from "./transport/transport.ts";

/** The longest message has 16 slots. */
const CHANGES_PACKET = 8;
const CHANGES_INTERVAL_MS = 16;

/** `dwFeatures` (5.1): what the reader does by itself. */
const Feature = {
  PARAMETERS: 0x02,
  VOLTAGE: 0x08,
  CLOCK: 0x10,
  RATE: 0x20,
  /** Negotiation with the card, for the parameters that the host sets. */
  PPS: 0x80,
  CLOCK_STOP: 0x100,
  /** Announces the size of its blocks to cards of T=1. */
  IFSD: 0x400,
} as const;

/** `dwFeatures`, the levels of exchange. */
const LEVELS: Readonly<Record<ExchangeLevel, number>> = {
  tpdu: 0x1_0000,
  short: 0x2_0000 | Feature.IFSD,
  extended: 0x4_0000 | Feature.IFSD,
};

type ReaderFunction = UsbFunction<string, CardReader["interfaces"]>;

/**
 * A smart card reader, whose cards are objects of the program. It stands in
 * `functions` of a gadget, and serves itself: CCID 1.1.
 *
 * Each slot has one command at a time, and slots work beside each other. A command
 * under way ends when the host aborts it, the card is removed, or the session ends;
 * with the session, all cards lose their power. It also ends with a message whose
 * number does not follow the last one: another program of the host has sent that. A
 * host that sends a command does not get the responses to earlier ones that it has not
 * taken.
 *
 * Secure (for PIN pads), Mechanical, T0APDU and SetDataRateAndClockFrequency are
 * refused.
 *
 * @example
 * ```ts
 * import { CardReader, type SmartCard } from "@usb/gadget/ccid";
 * import { assertEquals } from "@std/assert";
 *
 * const card: SmartCard = {
 *   onApdu: (apdu) => Uint8Array.of(...apdu.subarray(5), 0x90, 0x00),
 * };
 * const reader = new CardReader();
 * const [slot] = reader.slots;
 * slot.insert(card);
 * // await using gadget = await Gadget.start({ ...ids, functions: [reader] });
 * assertEquals(slot.remove(), card);
 * ```
 *
 * @category Devices
 */
export class CardReader<N extends string = "ccid">
  implements UsbFunction<N, CardReader["interfaces"]> {
  /** The name of the function. */
  readonly name: N;
  /** The only interface. */
  readonly interfaces: readonly [
    InterfaceDefinition & {
      readonly endpoints: {
        readonly link: PairEndpointDefinition<"bulk">;
        readonly changes: InEndpointDefinition<"interrupt">;
      };
    },
  ];
  /** @ignore Answers the class requests. */
  readonly control: ControlHandler;
  /** @ignore Serves a session. */
  readonly serve: (session: Session<ReaderFunction>) => Promise<void>;
  readonly #slots: readonly CardSlot[];

  /**
   * Makes the function, with empty slots.
   *
   * @throws {TypeError} For an unknown option, or one of the wrong type.
   * @throws {RangeError} If a number is out of range.
   */
  constructor(options: CardReaderOptions<N> = {}) {
    const settings = readerSettings(options);
    const { description, maxMessageLength } = settings;
    const slots = Array.from(
      { length: settings.slots },
      (_, index) => new Slot(index, settings),
    );
    const changes = new SlotChanges(settings.slots);
    this.#slots = slots.map((slot) =>
      new CardSlot(slot, (present) => changes.set(slot.index, present))
    );
    this.name = options.name ?? "ccid" as N;
    this.interfaces = [{
      class: ClassCode.SMART_CARD,
      ...(description === undefined ? {} : { description }),
      descriptors: [classDescriptor(settings)],
      endpoints: {
        link: bulkPair(),
        changes: interruptIn({
          maxPacketSize: CHANGES_PACKET,
          intervalMs: CHANGES_INTERVAL_MS,
        }),
      },
    }];
    this.control = controlRoutes(ccidRequests({
      abort(index, seq) {
        const slot = slots.at(index);
        if (slot === undefined) throw new Stall(`There is no slot ${index}`);
        slot.abortByRequest(seq);
      },
      getClockFrequencies: () => [CLOCK_KHZ],
      getDataRates: dataRates,
    }));
    const gadget = new OneGadget<Session<ReaderFunction>>();
    this.serve = (session) =>
      gadget.serve(
        this.name,
        session,
        () => serveSlots(slots, changes, maxMessageLength, session),
      );
  }

  /** The slots. */
  get slots(): readonly CardSlot[] {
    return this.#slots;
  }
}

function classDescriptor({ slots, level, maxMessageLength }: ReaderSettings) {
  const rates = dataRates();
  return ccid({
    maxSlotIndex: slots - 1,
    defaultClockKhz: CLOCK_KHZ,
    maximumClockKhz: CLOCK_KHZ,
    clocksSupported: 1,
    dataRate: Math.floor(1000 * CLOCK_KHZ / 372),
    maxDataRate: rates.at(-1)!,
    dataRatesSupported: rates.length,
    features: Feature.PARAMETERS | Feature.VOLTAGE | Feature.CLOCK |
      Feature.RATE | Feature.PPS | Feature.CLOCK_STOP | LEVELS[level],
    maxMessageLength,
    maxBusySlots: slots,
  });
}
