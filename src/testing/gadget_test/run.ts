/**
 * One run of a test: the gadget, its host, and the test's function.
 *
 * @module
 */
import type {
  GadgetDefinition,
  GadgetFunction,
} from "../../definition/gadget.ts";
import type { Endpoint } from "../../functionfs/endpoint/endpoint.ts";
import { InEndpoint } from "../../functionfs/endpoint/in_endpoint.ts";
import type { OutEndpoint } from "../../functionfs/endpoint/out_endpoint.ts";
import { EndpointPair } from "../../functionfs/endpoint/pair.ts";
import type { FunctionFs } from "../../functionfs/function_fs.ts";
import { Gadget } from "../../gadget/gadget.ts";
import type { FunctionSpeed } from "../../usb/speed.ts";
import { TestHost } from "../test_host.ts";
import type { GadgetTestContext } from "./options.ts";

/** Milliseconds for a gadget to be gone after a test that failed. */
const CLOSING_MS = 10_000;

/** A test, with its types forgotten. */
export interface AnyTest {
  readonly definition: GadgetDefinition;
  readonly fn: (
    context: GadgetTestContext<readonly GadgetFunction[]>,
  ) => unknown;
  readonly speed: FunctionSpeed | undefined;
  readonly timeout: number;
}

/** A test took longer than its time. Its function, and more, may still be waiting. */
export class TestTimeoutError extends Error {
  /** `"TestTimeoutError"`. */
  override name = "TestTimeoutError";
}

/** Runs a test with a controller of this machine. */
export async function runGadgetTest(
  test: AnyTest,
  udc?: string,
): Promise<void> {
  const { definition, fn, speed, timeout } = test;
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => {});
  const waiting = new Waiting();
  const timer = setTimeout(() => {
    reject(
      new TestTimeoutError(
        `The test did not end within ${timeout} ms: ${waiting.describe()}`,
      ),
    );
  }, timeout);
  const run = async () => {
    waiting.what = "the gadget is being started";
    await using gadget = await Gadget.start(
      speed === undefined
        ? definition
        : { ...definition, maxSpeed: `${speed}-speed` as const },
      { udc, onError: reject },
    );
    const functions: FunctionFs[] = Object.values(gadget.functions);
    functions.forEach((each) => void watch(each, reject));
    waiting.what = "the host has not configured the gadget";
    // Its own message says more than that of the test would.
    await using host = await TestHost.open(gadget, { timeout: timeout / 2 });
    waiting.what = "its function is still running";
    waiting.functions = functions;
    await Promise.race([failed, fn({ gadget, host })]);
    waiting.what = "the gadget is being stopped";
  };
  const running = run();
  try {
    await Promise.race([failed, running]);
  } catch (error) {
    // The gadget is to be gone before the test is over, unless that hangs.
    throw await outcomeWithin(CLOSING_MS, running) ?? error;
  } finally {
    clearTimeout(timer);
  }
}

/** What a call rejects with; undefined if it takes too long. */
async function outcomeWithin(
  timeout: number,
  call: Promise<void>,
): Promise<unknown> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeout);
  try {
    await Promise.race([call, late]);
    return undefined;
  } catch (error) {
    return error instanceof SuppressedError
      ? new AggregateError(
        [error.suppressed, error.error],
        "The test failed, and what it used could not be closed",
      )
      : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Reports the first error that a function's program has thrown. */
async function watch(
  fs: FunctionFs,
  onError: (error: unknown) => void,
): Promise<void> {
  for await (const event of fs.events) {
    if (event.type === "error") onError(event.error);
  }
}

/** What a test waits for. */
class Waiting {
  what = "";
  functions: readonly FunctionFs[] = [];

  describe(): string {
    const states = this.functions.flatMap((fs) => [
      `function "${fs.name}" is "${fs.state}"`,
      ...halvesOf(fs).flatMap((half) => pendingOn(half, fs.name)),
    ]);
    return [this.what, ...states].join(", ");
  }
}

/** What the device waits for on an endpoint. */
function pendingOn(half: InEndpoint | OutEndpoint, owner: string): string[] {
  const endpoint: Endpoint = half;
  const count = endpoint["core"].queue.inKernel;
  if (count === 0) return [];
  const name = `"${owner}.${half.name}"`;
  return [
    half instanceof InEndpoint
      ? `the host has not read what the device wrote to ${name}`
      : `the device waits for the host to write to ${name}`,
  ];
}

/** All endpoints of a function, in one direction each. */
function halvesOf(fs: FunctionFs): (InEndpoint | OutEndpoint)[] {
  const all: (InEndpoint | OutEndpoint | EndpointPair)[] = Object.values(
    fs.endpoints,
  );
  return all.flatMap((each) =>
    each instanceof EndpointPair ? [each.in, each.out] : [each]
  );
}
