/**
 * What the host changes of a slot, by its commands.
 *
 * @module
 */
import { CommandFailure, SlotErrorCode } from "../card/card_error.ts";
import type { Parameters } from "../card/parameters.ts";
import type { InsertedCard } from "../card/smart_card.ts";
import { IccStatus } from "../messages.ts";
import { Exchange, type ExchangeLimits } from "./exchange.ts";

/** A card that has power. */
export interface PoweredCard extends InsertedCard {
  /** What the host has set last. */
  parameters: Parameters;
  clockStopped: boolean;
}

/** The state of a slot. */
export class SlotState {
  /** What is in it. */
  inserted: InsertedCard | undefined;
  readonly exchange: Exchange;
  #powered: PoweredCard | undefined;

  constructor(limits: ExchangeLimits) {
    this.exchange = new Exchange(limits);
  }

  /** The card, if it has power. */
  get powered(): PoweredCard | undefined {
    return this.#powered;
  }

  /** `bmICCStatus`. */
  get iccStatus(): number {
    if (this.#powered !== undefined) return IccStatus.ACTIVE;
    return this.inserted === undefined ? IccStatus.ABSENT : IccStatus.INACTIVE;
  }

  /** `bClockStatus`: 0 if it runs, 1 if it is low. */
  get clockStatus(): number {
    return this.#powered?.clockStopped === false ? 0 : 1;
  }

  /** The card. @throws {CommandFailure} If the slot is empty. */
  card(): InsertedCard {
    if (this.inserted !== undefined) return this.inserted;
    throw new CommandFailure(SlotErrorCode.ICC_MUTE);
  }

  /** The card. @throws {CommandFailure} If it has no power, or the slot is empty. */
  poweredCard(): PoweredCard {
    if (this.#powered !== undefined) return this.#powered;
    throw new CommandFailure(SlotErrorCode.ICC_MUTE);
  }

  powerOn(inserted: InsertedCard): void {
    const { parameters } = inserted.atr;
    this.#powered = { ...inserted, parameters, clockStopped: false };
  }

  powerOff(): void {
    this.exchange.clear();
    this.#powered = undefined;
  }
}
