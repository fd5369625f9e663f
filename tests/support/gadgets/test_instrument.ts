/**
 * An instrument for tests, whose commands wait, keep and send blocks.
 *
 * @module
 */
import { Instrument, ScpiError } from "@usb/gadget/usbtmc";
import { pattern } from "../data/pattern.ts";

/** More than the emulated FIFO takes. */
export const IDENTITY = `Example,Instrument for tests,${"0".repeat(60)},0.1`;

/** Makes one, and what has become of its commands. */
export function testInstrument() {
  let gate = Promise.withResolvers<void>();
  const record = {
    triggers: 0,
    pulses: 0,
    clears: 0,
    remote: [] as string[],
    /** The last block. */
    block: new Uint8Array(0),
    /** Commands that wait for {@linkcode release}, and those that have begun to. */
    waiting: 0,
    waits: 0,
    release() {
      gate.resolve();
      gate = Promise.withResolvers();
    },
  };
  const instrument = new Instrument({
    identity: IDENTITY,
    commands: {
      /** Sends a block of a size. */
      "DATA?": (call) => pattern(call.number({ min: 0 })),
      "DATA": (call) => {
        record.block = call.block();
      },
      "DATA:SIZE?": () => record.block.byteLength,
      /** Sends a text of a size, with the line feed. */
      "TEXT?": (call) => "x".repeat(call.number({ min: 1 }) - 1),
      "LINes?": (call) => "line\n".repeat(call.number({ min: 0 })) + "end",
      /** Answers when the test lets it, or the host gives it up. */
      "WAIT?": async ({ signal }) => {
        record.waiting++;
        record.waits++;
        await Promise.race([
          gate.promise,
          new Promise((resolve) => signal.addEventListener("abort", resolve)),
        ]);
        record.waiting--;
        return "waited";
      },
      "FAIL": () => {
        throw new ScpiError(-240);
      },
    },
    onTrigger: () => void record.triggers++,
    onIndicatorPulse: () => void record.pulses++,
    onClear: () => void record.clears++,
    onRemote: (state) => record.remote.push(state),
  });
  return { instrument, record };
}
