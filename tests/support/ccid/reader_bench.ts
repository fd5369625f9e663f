/**
 * A card reader and its host in memory.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { CardReader, type CardReaderOptions } from "@usb/gadget/ccid";
import type { FunctionSpeed } from "@usb/gadget";
import { fakeSession } from "@usb/gadget/testing";
import { CcidHost, fakeCcidPipe } from "../host/ccid_host.ts";

/** Serves a reader until it is disposed of. */
export function serveReader(
  options: CardReaderOptions<"ccid"> = {},
  { speed = "high" as FunctionSpeed, reader = new CardReader(options) } = {},
) {
  const session = fakeSession(reader, { speed });
  const served = session.serve();
  const host = new CcidHost(
    fakeCcidPipe(session, reader.control),
    options.maxMessageLength,
  );
  let expected = 0;
  return {
    reader,
    slot: reader.slots[0],
    host,
    session,
    /** Expects errors to be reported by the end, so many. */
    expectErrors(count: number) {
      expected = count;
    },
    async [Symbol.asyncDispose]() {
      session.end();
      await served;
      assertEquals(session.reported.length, expected, `${session.reported}`);
    },
  };
}
