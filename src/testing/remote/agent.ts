/**
 * The part of a test that runs in a VM. `deno test` has loaded the file there
 * once more, and each of its tests waits until the keeper wants it.
 *
 * @module
 */
import {
  type AnyTest,
  runGadgetTest,
  TestTimeoutError,
} from "../gadget_test/run.ts";
import type { Sanitizers } from "../gadget_test/options.ts";
import { sendError } from "./error.ts";
import {
  agentName,
  beginMarker,
  endMarker,
  logMarker,
  type Order,
  type TestCall,
  type TestResult,
} from "./messages.ts";

/** Registers a test that runs when it is its turn. */
export function registerInAgent(
  secret: string,
  id: number,
  test: AnyTest,
  sanitizers: Sanitizers,
): void {
  Deno.test({
    name: agentName(secret, id),
    ...sanitizers,
    async fn() {
      const order = await nextOrder();
      if (order.type === "end" || order.call.id !== id) return;
      taken = true;
      console.log(`${beginMarker(secret)}${Deno.pid}`);
      const result = await resultOf(test, order.call);
      // The log of the kernel is complete when this line has come.
      await Deno.writeTextFile(
        "/dev/kmsg",
        `<6>${logMarker(`${secret} ${id}`)}\n`,
      );
      console.log(`${endMarker(secret)}${JSON.stringify(result)}`);
      // What runs on is not for the next test: the keeper ends this process.
      if (result.isAbandoned) await new Promise<never>(() => {});
      if (result.error !== undefined) throw new Error(result.error.message);
    },
  });
}

async function resultOf(
  test: AnyTest,
  { modules }: TestCall,
): Promise<TestResult> {
  try {
    for (const module of modules) await loadModule(module);
    await runGadgetTest(test);
    return {};
  } catch (error) {
    return {
      error: sendError(error),
      ...(error instanceof TestTimeoutError && { isAbandoned: true }),
    };
  }
}

async function loadModule(name: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("modprobe", {
    args: [name],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  const why = new TextDecoder().decode(stderr).trim();
  throw new Error(`Cannot load kernel module "${name}" for the test: ${why}`);
}

let order: Order | undefined;
/** Whether the order was carried out. */
let taken = false;
let rest = "";

/** The order that no test has carried out, or the next one. */
async function nextOrder(): Promise<Order> {
  if (order !== undefined && !taken) return order;
  taken = false;
  const buffer = new Uint8Array(4096);
  while (!rest.includes("\n")) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) return { type: "end" };
    rest += new TextDecoder().decode(buffer.subarray(0, count));
  }
  const end = rest.indexOf("\n");
  order = JSON.parse(rest.slice(0, end)) as Order;
  rest = rest.slice(end + 1);
  return order;
}
