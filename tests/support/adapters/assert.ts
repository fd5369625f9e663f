/**
 * The functions of `@std/assert` that this project uses, over `node:assert`.
 *
 * Not every machine that runs these tests can reach JSR, so
 * `tests/import_map.json` maps `@std/assert` here. `deno task test:jsr` runs the
 * same tests with the real package. `tests/unit/adapters_test.ts` checks that both
 * have the same types.
 *
 * @module
 */
import nodeAssert, { AssertionError } from "node:assert/strict";

// deno-lint-ignore no-explicit-any -- as in std
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError({ message: msg });
}

export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  nodeAssert.deepStrictEqual(actual, expected, msg);
}

export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  nodeAssert.notDeepStrictEqual(actual, expected, msg);
}

export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  nodeAssert.strictEqual(actual, expected, msg);
}

export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  assert(actual !== undefined && actual !== null, msg ?? "Expected a value");
}

export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  assert(
    actual.includes(expected),
    withNote(
      `Expected ${JSON.stringify(actual)} to include ${
        JSON.stringify(expected)
      }`,
      msg,
    ),
  );
}

export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  nodeAssert.match(actual, expected, msg);
}

export function assertInstanceOf<
  // deno-lint-ignore no-explicit-any -- as in std
  T extends abstract new (...args: any[]) => any,
>(
  actual: unknown,
  expectedType: T,
  msg = "",
): asserts actual is InstanceType<T> {
  assert(
    actual instanceof expectedType,
    withNote(
      `Expected an instance of ${expectedType.name}, got ${
        Deno.inspect(actual)
      }`,
      msg,
    ),
  );
}

export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: ErrorClass<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  assert(
    error instanceof Error,
    withNote(`Expected an Error: ${Deno.inspect(error)}`, msg),
  );
  if (ErrorClass) assertInstanceOf(error, ErrorClass, msg);
  if (typeof msgMatches === "string") {
    assertStringIncludes(error.message, msgMatches, msg);
  } else if (msgMatches !== undefined) {
    assertMatch(error.message, msgMatches, msg);
  }
}

/** The arguments after the function: a class and its message, or a note. */
type Expectation<E extends Error> = [
  errorClassOrMsg?: ErrorClass<E> | string,
  msgIncludes?: string,
  msg?: string,
];

export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ...expectation: Expectation<E>
): unknown {
  try {
    fn();
  } catch (error) {
    return checkError(error, expectation);
  }
  throw missingError("throw", expectation);
}

export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ...expectation: Expectation<E>
): Promise<unknown> {
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (cause) {
    const message = "Expected function to reject, but it threw";
    throw Object.assign(new AssertionError({ message }), { cause });
  }
  try {
    await promise;
  } catch (error) {
    return checkError(error, expectation);
  }
  throw missingError("reject", expectation);
}

function checkError<E extends Error>(
  error: unknown,
  [errorClass, msgIncludes, msg]: Expectation<E>,
): unknown {
  if (typeof errorClass === "function") {
    assertIsError(error, errorClass, msgIncludes, msg);
  }
  return error;
}

function missingError<E extends Error>(
  verb: "throw" | "reject",
  [errorClass, , msg]: Expectation<E>,
): AssertionError {
  const note = typeof errorClass === "string" ? errorClass : msg;
  const message = withNote(`Expected function to ${verb}`, note);
  return new AssertionError({ message });
}

function withNote(message: string, note: string | undefined): string {
  return note ? `${message}: ${note}` : message;
}
