/**
 * What functions of a gadget report.
 *
 * @module
 */
import type { FunctionEvent } from "@usb/gadget";

/**
 * Gathers the errors of a function.
 *
 * @returns The errors, which become more; and the end of the events.
 */
export function reportedErrors(events: AsyncIterable<FunctionEvent>) {
  const errors: unknown[] = [];
  const gather = async () => {
    for await (const event of events) {
      if (event.type === "error") errors.push(event.error);
    }
  };
  return { errors, ended: gather() };
}
