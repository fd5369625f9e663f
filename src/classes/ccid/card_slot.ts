/**
 * A slot of {@linkcode CardReader}, for the program.
 *
 * @module
 */
import { checkCard, type SmartCard } from "./card/smart_card.ts";
import type { Slot } from "./reader/slot.ts";

/**
 * A slot of {@linkcode CardReader}. Cards come and go at any time, whether there is
 * a host or not.
 *
 * @category Devices
 */
export class CardSlot {
  /** Its number, from 0. */
  readonly index: number;
  readonly #slot: Slot;
  readonly #onChange: (present: boolean) => void;

  /** Made by {@linkcode CardReader}. */
  constructor(slot: Slot, onChange: (present: boolean) => void) {
    this.index = slot.index;
    this.#slot = slot;
    this.#onChange = onChange;
  }

  /** What is in it. */
  get card(): SmartCard | undefined {
    return this.#slot.inserted?.card;
  }

  /** Whether the host has powered the card on. */
  get powered(): boolean {
    return this.#slot.powered;
  }

  /**
   * Puts a card into the slot, which has to be empty. A host is notified at once, if
   * it polls.
   *
   * @throws {TypeError} If it is not a {@linkcode SmartCard}, its answer to reset is
   * not valid, or there is a card in the slot.
   */
  insert(card: SmartCard): void {
    const action = `insert card into slot ${this.index}`;
    const inserted = checkCard(action, card);
    if (this.#slot.inserted !== undefined) {
      throw new TypeError(`Cannot ${action}: remove the card in it first`);
    }
    this.#slot.insert(inserted);
    this.#onChange(true);
  }

  /**
   * Takes the card out of the slot. A command under way fails, and its signal is
   * aborted. A host is notified at once, if it polls.
   *
   * @returns The card, or `undefined` if the slot is empty.
   */
  remove(): SmartCard | undefined {
    const { card } = this;
    if (card === undefined) return undefined;
    this.#slot.remove();
    this.#onChange(false);
    return card;
  }
}
