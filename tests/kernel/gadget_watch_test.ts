// VM: any speed
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { Gadget, kernelFunction } from "@usb/gadget";
import { Errno, systemError } from "../../ffi/errno.ts";
import { Binding } from "../../src/gadget/binding.ts";
import { ChangeQueue } from "../../src/gadget/change_queue.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { until } from "../support/waiting/until.ts";

const { maxSpeed } = gadgetSpeed();

Deno.test("an error while a gadget is watched is reported once, and the bind is retried", async () => {
  await using gadget = await Gadget.start({
    vendorId: 0x1209,
    productId: 0x0001,
    maxSpeed,
    functions: [kernelFunction("Loopback")],
  }, { bind: false });
  let looks = 0;
  let failure: Error | undefined;
  const errors: unknown[] = [];
  const binding = new Binding(
    {
      name: gadget.name,
      get root() {
        looks++;
        if (failure !== undefined) throw failure;
        return `/sys/kernel/config/usb_gadget/${gadget.name}`;
      },
      definition: gadget.definition,
      mountPoints: new Map(),
      functions: {},
    },
    new ChangeQueue(),
    undefined,
    (error) => errors.push(error),
  );
  try {
    binding.bindNow();
    const tooMany = systemError(Errno.EMFILE, {
      action: "open file",
      syscall: "open",
    });
    failure = tooMany;
    looks = 0;
    binding.watch(1);
    await until(() => looks >= 3, "it has checked again");
    assertEquals(errors, [tooMany]);
    // After a successful check, the next failure is reported again.
    failure = undefined;
    looks = 0;
    await until(() => looks >= 2, "a check has succeeded");
    failure = tooMany;
    await until(() => errors.length === 2, "it was reported again");
  } finally {
    binding.unwatch();
  }
});
