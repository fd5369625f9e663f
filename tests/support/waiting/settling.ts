/**
 * Whether promises have settled.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";

/** Gives whatever is on its way the time to come. In milliseconds. */
const A_WHILE = 50;

/** Whether a promise is still pending after a while. */
export async function staysPending(
  promise: Promise<unknown>,
  milliseconds: number = A_WHILE,
): Promise<boolean> {
  let settled = false;
  const settle = () => settled = true;
  promise.then(settle, settle);
  await delay(milliseconds);
  return !settled;
}

/** What a promise rejects with; `undefined` if it resolves. */
export function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => undefined, (error) => error);
}
