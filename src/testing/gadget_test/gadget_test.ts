/**
 * Tests with a gadget and its host.
 *
 * @module
 */
import {
  CALLBACK,
  checkArgument,
  checkOptions,
  OBJECT,
  TEXT,
} from "../../arguments/rules.ts";
import type {
  GadgetDefinition,
  GadgetFunction,
} from "../../definition/gadget.ts";
import { DEFAULT_KERNEL } from "../../vm/debian/versions.ts";
import type { FunctionSpeed } from "../../usb/speed.ts";
import { registerInAgent } from "../remote/agent.ts";
import { RemoteTests } from "../remote/client.ts";
import { AGENT_VARIABLE } from "../remote/messages.ts";
import {
  DEFAULT_TIMEOUT_MS,
  GADGET_TEST_OPTIONS,
  type GadgetTestContext,
  type GadgetTestOptions,
  sanitizersOf,
} from "./options.ts";
import { choosePlace, type Place, variable } from "./place.ts";
import { type AnyTest, runGadgetTest } from "./run.ts";

/**
 * Registers a test with `Deno.test`: starts a gadget, opens its host, runs `fn`
 * with both, and ends them.
 *
 * As root, with a free device controller, the test runs on this machine. Else it
 * runs in a VM with a virtual controller (see `@usb/gadget/vm`), which is booted
 * once for the whole run of `deno test`: the file is loaded there once more, and
 * only `fn` runs there. Failures, their stack, and output are reported as if it
 * had run here. The variable `USB_GADGET_TEST` decides otherwise: `here`, `vm`.
 *
 * A test fails if `fn` does, if a function of the gadget throws in `serve` or in
 * a control handler (without an `onError` of its own), if it takes too long, if
 * it leaks what the sanitizers look for, or if the VM's kernel complains.
 *
 * Needs `--allow-all` for the VM; here, `--allow-ffi`.
 *
 * @example
 * ```ts ignore
 * import { bulkPair, usbFunction } from "@usb/gadget";
 * import { gadgetTest } from "@usb/gadget/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const echo = usbFunction({
 *   name: "echo",
 *   interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
 *   async serve({ endpoints: { link } }) {
 *     for await (const data of link.transfers()) await link.write(data);
 *   },
 * });
 *
 * gadgetTest("sends back what it gets", {
 *   vendorId: 0x1209,
 *   productId: 0x0001,
 *   functions: [echo],
 * }, async ({ gadget, host }) => {
 *   const { link } = gadget.functions.echo.endpoints;
 *   await host.write(link, new Uint8Array([1, 2, 3]));
 *   assertEquals(await host.read(link, 1024), new Uint8Array([1, 2, 3]));
 * }, { speeds: ["high", "super"] });
 * ```
 *
 * @param name Its name; with the speed and the kernel, if there are several.
 * @param definition The gadget, as `Gadget.start()` takes it.
 * @param fn The test. It must not need variables that another test sets: where
 * it runs, other tests may not have run.
 * @throws {TypeError} If an argument is not what it has to be.
 * @category Testing
 */
export function gadgetTest<const F extends readonly GadgetFunction[]>(
  name: string,
  definition: GadgetDefinition<F>,
  fn: (context: GadgetTestContext<F>) => unknown,
  options: GadgetTestOptions = {},
): void {
  const action = "register a test";
  checkArgument(action, "the name", name, TEXT);
  checkArgument(action, "the definition", definition, OBJECT);
  checkArgument(action, "the test", fn, CALLBACK);
  checkOptions(action, options, GADGET_TEST_OPTIONS);
  const { timeout = DEFAULT_TIMEOUT_MS } = options;
  for (const speed of options.speeds ?? [undefined]) {
    const test = { definition, fn, speed, timeout } as unknown as AnyTest;
    register(name, test, options);
  }
}

/** How many tests this file has registered. */
let registered = 0;
let place: Place | undefined;
const remote = new RemoteTests();

/** Registers a test at one speed. */
function register(
  name: string,
  test: AnyTest,
  options: GadgetTestOptions,
): void {
  const id = registered++;
  const sanitizers = sanitizersOf(options);
  const secret = variable(AGENT_VARIABLE);
  if (secret !== undefined) {
    return registerInAgent(secret, id, test, sanitizers);
  }
  const here = place ??= choosePlace();
  const { only, modules = [], kernels = [DEFAULT_KERNEL] } = options;
  const ignore = options.ignore ||
    here.kind === "none" && options.ifUnavailable === "ignore";
  const common = { only, ignore };
  const speed = (options.speeds?.length ?? 0) > 1 ? test.speed : undefined;
  if (here.kind !== "vm") {
    return Deno.test({
      name: fullName(name, speed),
      ...common,
      ...sanitizers,
      fn: () => {
        if (here.kind === "here") return runGadgetTest(test, here.udc);
        throw new Error(`Cannot run the test: ${here.reason}`);
      },
    });
  }
  if (id === 0) Deno.test.afterAll(() => remote.close());
  const { timeout } = test;
  for (const kernel of kernels) {
    Deno.test({
      name: fullName(name, speed, kernels.length > 1 ? kernel : undefined),
      ...common,
      // The sanitizers look at the process that runs it. The connection stays.
      sanitizeOps: false,
      sanitizeResources: false,
      fn: () => remote.run(kernel, { id, timeout, modules }),
    });
  }
}

function fullName(
  name: string,
  speed: FunctionSpeed | undefined,
  kernel?: string,
): string {
  const parts = [
    ...(speed === undefined ? [] : [`${speed} speed`]),
    ...(kernel === undefined ? [] : [`Linux ${kernel}`]),
  ];
  return parts.length === 0 ? name : `${name} (${parts.join(", ")})`;
}
