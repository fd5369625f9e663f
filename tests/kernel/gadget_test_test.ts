// VM: any speed, newest kernel
/**
 * gadgetTest() on this machine's controller. In VMs: tests/gadget_test.
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { bulkPair, usbFunction } from "@usb/gadget";
import { gadgetTest } from "@usb/gadget/testing";
import {
  runGadgetTest,
  TestTimeoutError,
} from "../../src/testing/gadget_test/run.ts";
import type { AnyTest } from "../../src/testing/gadget_test/run.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";

const device = {
  vendorId: 0x1209,
  productId: 0x0001,
  functions: [usbFunction({
    name: "echo",
    interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
    async serve({ endpoints: { link } }) {
      for await (const data of link.transfers()) {
        if (data[0] === 7) throw new RangeError("seven is not a number");
        await link.write(data);
      }
    },
  })],
} as const;
const speeds = ["full", "high", "super"] as const;

const seen: string[] = [];

gadgetTest("a test runs here, at each speed", device, async ({
  gadget,
  host,
}) => {
  seen.push(host.speed);
  const { link } = gadget.functions.echo.endpoints;
  await host.write(link, new Uint8Array([1, 2, 3]));
  assertEquals(await host.read(link, 1024), new Uint8Array([1, 2, 3]));
}, { speeds });

Deno.test("all of them have run, in this process, and left nothing", () => {
  assertEquals(seen, [...speeds]);
  assertEquals(gadgetTraces(), []);
});

Deno.test("here, a test needs root and --allow-ffi", async () => {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "--allow-ffi",
      "--no-check",
      "--cached-only",
      "--no-prompt",
      "--import-map=tests/import_map.json",
      "tests/gadget_test/projects/nowhere.ts",
    ],
  }).output();
  const output = new TextDecoder().decode(stdout);
  assert(success, output);
  assertStringIncludes(output, "2 passed");
});

const run = (fn: AnyTest["fn"], timeout = 60_000) =>
  runGadgetTest({ definition: device, fn, speed: undefined, timeout });

Deno.test("a test fails with what its function, or the gadget's program, has thrown", async () => {
  await assertRejects(
    () => run(() => Promise.reject(new SyntaxError("mine"))),
    SyntaxError,
    "mine",
  );
  await assertRejects(
    () =>
      run(async ({ gadget, host }) => {
        const { link } = gadget.functions.echo.endpoints as never;
        await host.write(link, new Uint8Array([7]));
        await host.read(link, 1024);
      }),
    RangeError,
    "seven is not a number",
  );
  assertEquals(gadgetTraces(), []);
});

Deno.test("a test that takes too long says what it waits for", async () => {
  const error = await assertRejects(
    () => run(() => new Promise(() => {}), 20_000),
    TestTimeoutError,
  );
  const { message } = error as Error;
  assert(message.includes("did not end within 20000 ms"), message);
  assert(
    message.includes('the device waits for the host to write to "echo.link"'),
    message,
  );
});
