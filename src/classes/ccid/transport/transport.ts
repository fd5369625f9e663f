/**
 * Serves the slots of a reader over its endpoints.
 *
 * @module
 */
import type { InEndpoint } from "../../../functionfs/endpoint/in_endpoint.ts";
import type { EndpointPair } from "../../../functionfs/endpoint/pair.ts";
import type { Session } from "../../../functionfs/sessions.ts";
import { SlotErrorCode } from "../card/card_error.ts";
import { COMMANDS } from "../reader/commands.ts";
import type { Slot } from "../reader/slot.ts";
import { Inbox } from "./inbox.ts";
import {
  type CommandMessage,
  CommandStatus,
  CommandType,
  IccStatus,
  type ResponseMessage,
  ResponseType,
} from "../messages.ts";
import { Outbox } from "./outbox.ts";
import type { SlotChanges } from "./slot_changes.ts";

/** A session of a reader. */
export type ReaderSession = Pick<Session, "report"> & {
  readonly endpoints: {
    readonly link: EndpointPair;
    readonly changes: InEndpoint;
  };
};

/** Serves a session. Rejects when it ends. */
export async function serveSlots(
  slots: readonly Slot[],
  changes: SlotChanges,
  maxMessageLength: number,
  session: ReaderSession,
): Promise<void> {
  const { link } = session.endpoints;
  const report = (error: unknown) => session.report(error);
  const outbox = new Outbox(link.in, report);
  const inbox = new Inbox(link.out, maxMessageLength);
  for (const slot of slots) {
    slot.open({
      send: (message) => outbox.send(message),
      hasPending: (index) => outbox.hasPending(index),
      report,
    });
  }
  changes.open(session.endpoints.changes);
  /** The number of the last message, and of the last one to each slot. */
  let last = 0;
  const lasts = slots.map(() => 0);
  const follows = (seq: number, it: number) => seq === (it + 1 & 0xff);
  try {
    for (;;) {
      const message = await inbox.next();
      const { type, seq } = message;
      // The response to what is aborted is that of a living host.
      if (type !== CommandType.ABORT) await outbox.withdraw(message.slot);
      const slot = slots.at(message.slot);
      if (slot === undefined) {
        outbox.send(badSlot(message));
      } else {
        const isNext = follows(seq, last) || follows(seq, lasts[slot.index]);
        lasts[slot.index] = seq;
        slot.handle(message, isNext);
      }
      last = seq;
    }
  } finally {
    changes.close();
    for (const slot of slots) slot.close();
  }
}

/** The response to a message for a slot that does not exist. */
function badSlot({ type, slot, seq }: CommandMessage): ResponseMessage {
  return {
    type: COMMANDS[type]?.response ?? ResponseType.SLOT_STATUS,
    slot,
    seq,
    iccStatus: IccStatus.ABSENT,
    commandStatus: CommandStatus.FAILED,
    error: SlotErrorCode.BAD_SLOT,
    detail: 0,
    data: new Uint8Array(0),
  };
}
