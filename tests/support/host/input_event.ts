/**
 * Input events as the files in `/dev/input` carry them.
 *
 * @module
 */
import { codeName, codeNumbers, typeName } from "./input_codes.ts";

/** Bytes of `struct input_event` on 64-bit machines: two longs, u16, u16, s32. */
export const INPUT_EVENT_SIZE = 24;

/** One change of a device's state. */
export interface InputEvent {
  /** Milliseconds of the clock that the reader has chosen. */
  readonly time: number;
  /** Such as `"EV_KEY"`. */
  readonly type: string;
  /** Such as `"KEY_A"`, `"BTN_LEFT"`, `"REL_X"`, `"ABS_HAT0X"`. */
  readonly code: string;
  /** Of a key: 1 when it goes down, 0 when it goes up, 2 when it repeats. */
  readonly value: number;
}

/** Decodes an array of `struct input_event`. */
export function decodeInputEvents(bytes: Uint8Array): InputEvent[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: InputEvent[] = [];
  for (let at = 0; at < bytes.byteLength; at += INPUT_EVENT_SIZE) {
    const seconds = Number(view.getBigInt64(at, true));
    const microseconds = Number(view.getBigInt64(at + 8, true));
    const type = typeName(view.getUint16(at + 16, true));
    events.push({
      time: seconds * 1000 + microseconds / 1000,
      type,
      code: codeName(type, view.getUint16(at + 18, true)),
      value: view.getInt32(at + 20, true),
    });
  }
  return events;
}

/** Encodes an event for the kernel, which ignores its time. */
export function encodeInputEvent(
  name: string,
  value: number,
): Uint8Array<ArrayBuffer> {
  const { type, code } = codeNumbers(name);
  const view = new DataView(new ArrayBuffer(INPUT_EVENT_SIZE));
  view.setUint16(16, type, true);
  view.setUint16(18, code, true);
  view.setInt32(20, value, true);
  return new Uint8Array(view.buffer);
}

/** Collects events into reports: what changed at the same time. */
export class ReportAssembler {
  #open: InputEvent[] = [];

  /**
   * Takes further events.
   *
   * @returns The reports that they complete, without the events that separate
   * them, and without the numbers that come with keys (`MSC_SCAN`).
   * @throws {Error} If the kernel has dropped events, because they were not read
   * in time.
   */
  push(events: readonly InputEvent[]): InputEvent[][] {
    const reports: InputEvent[][] = [];
    for (const event of events) {
      if (event.code === "SYN_DROPPED") {
        throw new Error("Events are lost: they were not read in time");
      }
      if (event.code === "MSC_SCAN") continue;
      if (event.code !== "SYN_REPORT") this.#open.push(event);
      else if (this.#open.length > 0) reports.push(this.#open.splice(0));
    }
    return reports;
  }
}

/** Events in short, for messages: `"KEY_A 1, KEY_A 0"`. */
export function describeEvents(events: readonly InputEvent[]): string {
  return events.map(({ code, value }) => `${code} ${value}`).join(", ");
}
