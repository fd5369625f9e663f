/**
 * A gadget whose controller's driver is loaded again.
 *
 * In a VM of its own, and last in it: afterwards its kernel refuses network
 * functions.
 *
 * @module
 */
// VM: --hcd none, any speed
import "../support/run/aio_libraries.ts";
import { assertEquals, assertMatch } from "@std/assert";
import { Gadget, kernelFunction } from "@usb/gadget";
import { withControllers } from "../support/machine/controllers.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";

/** Binds a network gadget, and returns the error of that. */
async function failureOfNetwork(): Promise<Error | undefined> {
  try {
    await using _gadget = await Gadget.start({
      vendorId: 0x1209,
      productId: 0x0001,
      functions: [kernelFunction("ncm")],
    });
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

Deno.test("network functions that the kernel refuses after the driver was loaded again are reported with the remedy", async () => {
  await shell("modprobe libcomposite");
  let traces: unknown;
  let error: Error | undefined;
  // The kernel finds what it has left behind where the new controller happens
  // to have the old one's address: at once, or after dozens of rounds.
  for (let round = 0; error === undefined && round < 500; round++) {
    await withControllers(1, async () => {
      traces ??= gadgetTraces();
      error = await failureOfNetwork();
    });
  }
  assertMatch(
    String(error),
    /^Busy: Cannot bind gadget ".*" to UDC "dummy_udc.0": the kernel cannot make its network interface where one has been before: the controller's driver was loaded again meanwhile, and this kernel \(Linux .*\) only gets over that when the machine is restarted \(the kernel says: kobject.* parent: net\); .*: failed to start .*: -2\)$/,
  );
  assertEquals(gadgetTraces(), traces);
});
