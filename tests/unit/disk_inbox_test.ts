import { assertEquals } from "@std/assert";
import { Inbox } from "../../src/classes/mass_storage/bulk_only/inbox.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** An inbox with packets of 1024 bytes and pieces of 64 KiB, and its reads. */
function makeInbox(packetSize = 1024) {
  const reads: { size: number; resolve(bytes: Bytes): void }[] = [];
  let begun = 0;
  const inbox = new Inbox(
    (size) => {
      const { promise, resolve } = Promise.withResolvers<Bytes>();
      reads.push({ size, resolve });
      return promise;
    },
    packetSize,
    65_536,
  );
  return {
    inbox,
    /** Sizes of the reads since the last call. */
    newReads() {
      const sizes = reads.slice(begun).map(({ size }) => size);
      begun = reads.length;
      return sizes;
    },
    /** The host sends bytes of this value, which end with a short packet or fill reads. */
    send(length: number, value: number) {
      for (let sent = 0; sent < length;) {
        const { size, resolve } = reads.shift()!;
        begun--;
        const part = new Uint8Array(Math.min(size, length - sent)).fill(value);
        sent += part.byteLength;
        resolve(part);
      }
    },
  };
}

/** Receives data until its end. */
async function receive(inbox: Inbox, length: number): Promise<number[]> {
  const parts: number[] = [];
  for (let at = 0; at < length;) {
    const { bytes, endsEarly } = await inbox.data(length - at);
    parts.push(bytes.byteLength);
    at += bytes.byteLength;
    if (endsEarly) break;
  }
  return parts;
}

Deno.test("4 KiB of data arrive without a read of their own", async () => {
  const { inbox, newReads, send } = makeInbox();
  inbox.expectWrapper();
  assertEquals(newReads(), [1024, 1024, 1024, 1024, 1024]);
  send(31, 1);
  send(4096, 2);
  assertEquals((await inbox.wrapper()).byteLength, 31);
  inbox.expectData(4096);
  assertEquals(newReads(), []);
  const { bytes, endsEarly } = await inbox.data(4096);
  assertEquals(bytes, new Uint8Array(4096).fill(2));
  assertEquals(endsEarly, false);
  inbox.expectWrapper();
  assertEquals(newReads(), [1024, 1024, 1024, 1024, 1024]);
});

Deno.test("a command without data leaves the reads for data to the next one", async () => {
  const { inbox, newReads, send } = makeInbox();
  inbox.expectWrapper();
  send(31, 1);
  await inbox.wrapper();
  newReads();
  inbox.expectWrapper();
  assertEquals(newReads(), [1024]);
});

Deno.test("larger data is read in pieces, each begun before the one before it is used", async () => {
  const { inbox, newReads, send } = makeInbox();
  inbox.expectWrapper();
  send(31, 1);
  await inbox.wrapper();
  newReads();
  const length = 4096 + 65_536 + 512;
  inbox.expectData(length);
  assertEquals(newReads(), [65_536]);
  send(4096, 2);
  assertEquals((await inbox.data(length)).bytes.byteLength, 4096);
  send(65_536, 3);
  assertEquals((await inbox.data(length - 4096)).bytes.byteLength, 65_536);
  assertEquals(newReads(), [512]);
  send(512, 4);
  assertEquals((await inbox.data(512)).bytes, new Uint8Array(512).fill(4));
});

Deno.test("data that is shorter than announced ends early, wherever it ends", async () => {
  for (const sent of [1, 1023, 1025, 4095, 4097, 10_000]) {
    const { inbox, send } = makeInbox();
    inbox.expectWrapper();
    send(31, 1);
    await inbox.wrapper();
    inbox.expectData(131_072);
    send(sent, 2);
    const parts = await receive(inbox, 131_072);
    assertEquals(parts.reduce((sum, part) => sum + part), sent, `${sent}`);
  }
});

Deno.test("what a host sends beyond the announced data is dropped", async () => {
  const { inbox, send } = makeInbox();
  inbox.expectWrapper();
  send(31, 1);
  await inbox.wrapper();
  inbox.expectData(512);
  send(1024, 2);
  const { bytes, endsEarly } = await inbox.data(512);
  assertEquals(bytes, new Uint8Array(512).fill(2));
  assertEquals(endsEarly, false);
});

Deno.test("packets of full speed have no reads ahead", async () => {
  const { inbox, newReads, send } = makeInbox(64);
  inbox.expectWrapper();
  assertEquals(newReads(), [64]);
  send(31, 1);
  await inbox.wrapper();
  inbox.expectData(4096);
  assertEquals(newReads(), [4096]);
});
