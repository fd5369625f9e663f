// VM: a class of device
/**
 * Cards and hosts that come and go: the next one works.
 *
 * GADGET_SEED=N leaves at the same places as a run that has printed N.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { setTimeout as delay } from "node:timers/promises";
import { assertEquals } from "@std/assert";
import type { SmartCard } from "@usb/gadget/ccid";
import { startReader } from "../support/ccid/bus_bench.ts";
import { pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { Pcscd } from "../support/host/pcscd.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** An answer with its number. */
function card(size: number, number = 0): SmartCard & { calls: number } {
  const answer = new Uint8Array(size + 2);
  answer.set(pattern(size, number));
  answer.set([0x90, 0x00], size);
  const it = {
    calls: 0,
    onApdu() {
      it.calls++;
      return answer;
    },
  };
  return it;
}

const APDU: Bytes = new Uint8Array(4);
/** A response of many packets. */
const LONG = 60_000;

/** Expects pcscd to see a card, and its whole answer. */
async function expectAnswer(
  { pcsc, reader }: Pcscd,
  size: number,
  number?: number,
): Promise<void> {
  await pcsc.until(reader, "present");
  const connected = await pcsc.connect(reader);
  const answer = await connected.transmit(APDU);
  assertEquals(answer, await card(size, number).onApdu(APDU, NEVER));
  await connected.disconnect();
}

const NEVER = new AbortController().signal;

Deno.test("pcscd sees every card that is inserted and removed", async () => {
  await using bench = await startReader();
  await using pcscd = await Pcscd.start();
  const { pcsc, reader } = pcscd;
  for (let round = 0; round < soak(500, 5); round++) {
    bench.slot.insert(card(10, round));
    await expectAnswer(pcscd, 10, round);
    bench.slot.remove();
    await pcsc.until(reader, "empty");
  }
  assertEquals(bench.errors, []);
});

Deno.test("a card that is removed in the middle of a command leaves a reader that works", async () => {
  await using bench = await startReader();
  await using pcscd = await Pcscd.start();
  const { pcsc, reader } = pcscd;
  for (let round = 0; round < soak(40, 2); round++) {
    let signal: AbortSignal | undefined;
    bench.slot.insert({
      onApdu: (_, given) => {
        signal = given;
        return new Promise(() => {});
      },
    });
    await pcsc.until(reader, "present");
    const connected = await pcsc.connect(reader);
    const failed = connected.transmit(APDU).then(() => false, () => true);
    await until(() => signal !== undefined, "the card has the command");
    bench.slot.remove();
    assertEquals(await failed, true);
    assertEquals(signal!.aborted, true);
    await pcsc.until(reader, "empty");
    await connected.disconnect().catch(() => {});
    bench.slot.insert(card(10, round));
    await expectAnswer(pcscd, 10, round);
    bench.slot.remove();
    await pcsc.until(reader, "empty");
  }
  assertEquals(bench.errors, []);
});

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener("abort", resolve));
}

for (const how of ["killed", "resetPort", "replug"] as const) {
  const what = {
    killed: "a host that is killed",
    resetPort: "a reset of the port",
    replug: "an unplugged cable",
  }[how];
  Deno.test(`after ${what} in the middle of a command, the next host works`, async () => {
    const seed = testSeed();
    const random = new Random(seed);
    await using bench = await startReader({ maxMessageLength: 65_554 });
    for (let round = 0; round < soak(40, 2); round++) {
      const isSlow = random.chance();
      const current = card(LONG, round);
      const { onApdu } = current;
      bench.slot.insert({
        async onApdu(apdu, signal) {
          const answer = await onApdu(apdu, signal);
          // The host leaves while it waits, or while it receives.
          if (isSlow && current.calls === 1) await aborted(signal);
          return answer;
        },
      });
      {
        await using pcscd = await Pcscd.start();
        await pcscd.pcsc.until(pcscd.reader, "present");
        const connected = await pcscd.pcsc.connect(pcscd.reader);
        connected.transmit(APDU).catch(() => {});
        await until(() => current.calls > 0, "the card has the command");
        await delay(random.int(0, 50));
        if (how === "killed") await pcscd.kill();
        else await bench[how]();
      }
      await using next = await Pcscd.start();
      await expectAnswer(next, LONG, round);
      bench.slot.remove();
    }
    assertEquals(bench.errors, []);
  });
}
