/**
 * Checks whether promises settle.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";

/** Time for a pending promise to settle, in milliseconds. */
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

/** The reason with which a promise rejects; `undefined` if it resolves. */
export function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => undefined, (error) => error);
}
