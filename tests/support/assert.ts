/**
 * The functions of `@std/assert` that this project uses, over `node:assert`.
 *
 * JSR cannot be reached from every machine that runs these tests, so
 * `tests/import_map.json` maps `@std/assert` here. `deno task test:jsr` runs
 * the same tests with the real package.
 *
 * @module
 */
import nodeAssert, { AssertionError } from "node:assert/strict";

type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

export { AssertionError };

export function assert(condition: unknown, message = ""): asserts condition {
  if (!condition) throw new AssertionError({ message });
}

export function assertEquals<T>(actual: T, expected: T, message?: string) {
  nodeAssert.deepStrictEqual(actual, expected, message);
}

export function assertNotEquals<T>(actual: T, expected: T, message?: string) {
  nodeAssert.notDeepStrictEqual(actual, expected, message);
}

export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  nodeAssert.strictEqual(actual, expected, message);
}

export function assertExists<T>(
  actual: T,
  message = "Expected a value",
): asserts actual is NonNullable<T> {
  assert(actual !== undefined && actual !== null, message);
}

export function assertStringIncludes(actual: string, expected: string) {
  assert(
    actual.includes(expected),
    `Expected ${JSON.stringify(actual)} to include ${JSON.stringify(expected)}`,
  );
}

export function assertMatch(actual: string, expected: RegExp) {
  nodeAssert.match(actual, expected);
}

export function assertInstanceOf<
  T extends abstract new (...args: never[]) => unknown,
>(
  actual: unknown,
  expected: T,
): asserts actual is InstanceType<T> {
  assert(
    actual instanceof expected,
    `Expected an instance of ${expected.name}, got ${Deno.inspect(actual)}`,
  );
}

export function assertIsError<E extends Error = Error>(
  error: unknown,
  errorClass?: ErrorClass<E>,
  includes?: string,
): asserts error is E {
  assert(error instanceof Error, `Expected an Error: ${Deno.inspect(error)}`);
  if (errorClass) assertInstanceOf(error, errorClass);
  if (includes !== undefined) assertStringIncludes(error.message, includes);
}

export function assertThrows<E extends Error = Error>(
  run: () => unknown,
  errorClass?: ErrorClass<E>,
  includes?: string,
): E {
  try {
    run();
  } catch (error) {
    assertIsError(error, errorClass, includes);
    return error;
  }
  throw new AssertionError({ message: "Expected function to throw" });
}

export async function assertRejects<E extends Error = Error>(
  run: () => PromiseLike<unknown>,
  errorClass?: ErrorClass<E>,
  includes?: string,
): Promise<E> {
  try {
    await run();
  } catch (error) {
    assertIsError(error, errorClass, includes);
    return error;
  }
  throw new AssertionError({ message: "Expected function to reject" });
}
