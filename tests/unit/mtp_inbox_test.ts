import { assertEquals } from "@std/assert";
import {
  ContainerType,
  encodeMessage,
} from "../../src/classes/mtp/protocol/container.ts";
import { Inbox } from "../../src/classes/mtp/transport/inbox.ts";
import { pattern } from "../support/data/pattern.ts";
import { dataContainer } from "../support/host/mtp_host.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const PACKET = 512;
const [FIRST, SECOND] = [0x1001, 0x1002];

/** An inbox, and a host that sends transfers, each of which ends one read. */
function makeInbox() {
  const reads: ((bytes: Bytes) => void)[] = [];
  const sent: Bytes[] = [];
  const inbox = new Inbox((_, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<Bytes>();
    reads.push(resolve);
    const [bytes] = sent.splice(0, 1);
    if (bytes !== undefined) reads.shift()!(bytes);
    signal.addEventListener("abort", () => {
      const at = reads.indexOf(resolve);
      if (at < 0) return;
      reads.splice(at, 1);
      reject(signal.reason);
    });
    return promise;
  }, PACKET);
  return {
    inbox,
    send(bytes: Bytes) {
      const read = reads.shift();
      if (read === undefined) sent.push(bytes);
      else read(bytes);
    },
  };
}

function command(code: number, transactionId: number): Bytes {
  const type = ContainerType.COMMAND;
  return encodeMessage({ type, code, transactionId, parameters: [] });
}

/** The first packets of the data of the first transaction. */
function begin(length: number): Bytes {
  const header = { length, code: FIRST, transactionId: 1 };
  return dataContainer(header, pattern(PACKET - 12));
}

function join(...parts: Bytes[]): Promise<Bytes> {
  return new Blob(parts).bytes();
}

const data = pattern(100);
const second = dataContainer({
  length: data.byteLength + 12,
  code: SECOND,
  transactionId: 2,
}, data);

/** The command and the data of the next transaction arrive. */
async function expectNext(inbox: Inbox): Promise<void> {
  const arrival = await inbox.next();
  assertEquals(arrival.kind === "command" && arrival.command.code, SECOND);
  const next = await inbox.next();
  if (next.kind !== "data") throw new Error(next.kind);
  assertEquals(await next.data.dataset(), data);
}

Deno.test("a command behind data that is cancelled is found, however late that is", async () => {
  for (const isEarly of [true, false]) {
    for (let steps = 0; steps < 20; steps++) {
      const { inbox, send } = makeInbox();
      send(command(FIRST, 1));
      await inbox.next();
      send(begin(1_000_000));
      const arrival = await inbox.next();
      if (arrival.kind !== "data") throw new Error(arrival.kind);
      const dropped = arrival.data.release();
      send(await join(pattern(PACKET * 3), command(SECOND, 2)));
      if (isEarly) send(second);
      for (let step = 0; step < steps; step++) await Promise.resolve();
      const cut = inbox.cut(new Error("cancelled"));
      if (!isEarly) send(second);
      await cut;
      await expectNext(inbox);
      await dropped;
    }
  }
});

Deno.test("a command is found where less of the data is missing than it has bytes", async () => {
  for (const missing of [1, 11, 13]) {
    const { inbox, send } = makeInbox();
    send(command(FIRST, 1));
    await inbox.next();
    send(begin(PACKET + missing));
    const arrival = await inbox.next();
    if (arrival.kind !== "data") throw new Error(arrival.kind);
    const dropped = arrival.data.release();
    send(command(SECOND, 2));
    send(second);
    await dropped;
    await expectNext(inbox);
  }
});
