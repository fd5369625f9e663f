/**
 * Changes of one gadget: one after the other, and each undoes only itself.
 *
 * @module
 */
// VM: any speed, newest kernel
import "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  externalFunction,
  FunctionFs,
  Gadget,
  type GadgetDefinition,
  kernelFunction,
} from "@usb/gadget";
import { lockMedium } from "../support/host/disk.ts";
import { Enumerations } from "../support/host/enumerations.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { link } from "../support/gadgets/link_function.ts";
import { shell } from "../support/machine/shell.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import {
  waitForDevice,
  waitForNoDevice,
} from "../../src/testing/usbfs/find.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const { maxSpeed } = gadgetSpeed();
const CONFIGFS = "/sys/kernel/config/usb_gadget";

const echo = link("echo");

function define(product: string, rest: Partial<GadgetDefinition> = {}) {
  return { ...ids, maxSpeed, product, functions: [echo], ...rest };
}

/** With a function that no process serves, for which a bind waits. */
function waiting(product: string) {
  return define(product, { functions: [echo, externalFunction("late")] });
}

async function productSeen(enumerations: Enumerations): Promise<string> {
  const { sysfsPath } = await enumerations.next();
  return (await Deno.readTextFile(`${sysfsPath}/product`)).trim();
}

/** The reason why a promise has rejected. */
function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => undefined, (error) => error);
}

Deno.test("a second apply() begins when the first is over, and keeps its changes", async () => {
  const traces = gadgetTraces();
  await waitForNoDevice(ids);
  const gadget = await Gadget.start(define("Before"));
  const enumerations = new Enumerations(ids);
  await enumerations.next();
  const tooLong = new Error("Waited too long");
  const giveUp = new AbortController();
  const first = reasonOf(
    gadget.apply(waiting("First"), { signal: giveUp.signal }),
  );
  assertEquals(gadget.bound, false);
  const second = gadget.apply(define("Second"));
  const third = gadget.apply(define("Third"));
  giveUp.abort(tooLong);
  assertEquals(await first, tooLong);
  assertEquals((await second).rebound, true);
  await third;
  assertEquals(gadget.definition.product, "Third");
  assertEquals(gadget.mountPoints, {
    echo: `/run/usb-gadget/${gadget.name}/echo`,
  });
  assertEquals(await productSeen(enumerations), "Third");
  await gadget.stop();
  assertEquals(gadgetTraces(), traces);
});

Deno.test("rebind() and bind() wait until apply() is over, which unbind() ends", async () => {
  await waitForNoDevice(ids);
  await using gadget = await Gadget.start(define("Before"));
  const { definition } = gadget;
  const enumerations = new Enumerations(ids);
  await enumerations.next();

  const order: string[] = [];
  const applied = gadget.apply(waiting("Applied")).then(() => order.push("1"));
  const rebound = gadget.rebind().then(() => order.push("2"));
  const bound = gadget.bind().then(() => order.push("3"));
  const late = FunctionFs.open(link("late"), gadget.mountPoints.late);
  await Promise.all([applied, rebound, bound]);
  assertEquals(order, ["1", "2", "3"]);
  assertEquals(await productSeen(enumerations), "Applied");
  assertEquals((await gadget.apply(definition)).rebound, true);
  await late.close();
  assertEquals(await productSeen(enumerations), "Before");

  const ended = [
    gadget.apply(waiting("Other")),
    gadget.rebind(),
    gadget.bind(),
  ].map(reasonOf);
  gadget.unbind();
  for (const reason of await Promise.all(ended)) {
    assertEquals(
      String(reason),
      `Interrupted: Cannot bind gadget "${gadget.name}": unbind() was called meanwhile`,
    );
  }
  assertEquals(gadget.bound, false);
  assertEquals(gadget.definition, definition);
  await gadget.bind();
  assertEquals(await productSeen(enumerations), "Before");
});

Deno.test("stop() ends apply(), also calls that wait for their turn", async () => {
  const traces = gadgetTraces();
  const gadget = await Gadget.start(define("Before"));
  const reasons = [
    gadget.apply(waiting("First")),
    gadget.apply(define("Second")),
    gadget.rebind(),
    gadget.bind(),
  ].map(reasonOf);
  await gadget.stop();
  const messages = (await Promise.all(reasons)).map(String);
  const [bind, change] = ["bind", "change"].map((action) =>
    `BadResource: Cannot ${action} gadget "${gadget.name}": it is stopped`
  );
  assertEquals(messages, [bind, change, bind, bind]);
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a change that is given up while it waits for its turn is not made", async () => {
  await waitForNoDevice(ids);
  await using gadget = await Gadget.start(define("Before"));
  const first = new AbortController();
  const second = new AbortController();
  const waits = reasonOf(
    gadget.apply(waiting("First"), { signal: first.signal }),
  );
  const changes = [
    gadget.apply(define("Second"), { signal: second.signal }),
    gadget.rebind({ signal: second.signal }),
    gadget.bind({ signal: second.signal }),
  ].map(reasonOf);
  second.abort("second");
  assertEquals(await Promise.all(changes), ["second", "second", "second"]);
  assertEquals(gadget.bound, false); // Still in the first.
  const third = gadget.apply(define("Third"));
  first.abort("first");
  assertEquals(await waits, "first");
  await third;
  assertEquals(gadget.definition.product, "Third");
  assertEquals(gadget.bound, true);
});

Deno.test("apply() undoes only its own changes", async () => {
  const image = await Deno.makeTempFile();
  await Deno.truncate(image, 1 << 20);
  const disk = kernelFunction("mass_storage", { "lun.0/file": image });
  await using gadget = await Gadget.start(
    define("Before", { manufacturer: "Before", functions: [disk, echo] }),
  );
  const root = `${CONFIGFS}/${gadget.name}`;
  const strings = `${root}/strings/0x409`;
  const medium = `${root}/functions/mass_storage.mass_storage/lun.0/file`;
  // Not through this object: a script, and a host that ejects.
  await shell(`
    echo Script >${strings}/manufacturer
    echo >${medium}`);
  const refused = kernelFunction("ecm", {
    qmult: "many" as unknown as number,
  });
  await assertRejects(
    () =>
      gadget.apply(
        define("After", {
          manufacturer: "Script",
          functions: [disk, echo, refused],
        }),
      ),
    Error,
    "Invalid argument",
  );
  assertEquals(await Deno.readTextFile(`${strings}/product`), "Before\n");
  assertEquals(await Deno.readTextFile(`${strings}/manufacturer`), "Script\n");
  assertEquals(gadget.bound, true);
  await gadget.apply({ ...gadget.definition });
  assertEquals(await Deno.readTextFile(`${strings}/manufacturer`), "Before\n");
  assertEquals(await Deno.readTextFile(medium), `${image}\n`);
  await gadget.stop();
  await Deno.remove(image);
});

Deno.test("a medium that the host has locked is changed where the gadget is detached anyway", async () => {
  const images = [await Deno.makeTempFile(), await Deno.makeTempFile()];
  for (const image of images) await Deno.truncate(image, 1 << 20);
  await waitForNoDevice(ids);
  const disk = (product: string, image: string, more = {}) =>
    define(product, {
      functions: [
        kernelFunction("mass_storage", { "lun.0/file": image, ...more }),
      ],
    });
  await using gadget = await Gadget.start(disk("Before", images[0]));
  const lun =
    `${CONFIGFS}/${gadget.name}/functions/mass_storage.mass_storage/lun.0`;
  const medium = async () => (await Deno.readTextFile(`${lun}/file`)).trimEnd();
  const enumerations = new Enumerations(ids);
  await enumerations.next();
  {
    await using _host = await lockMedium(ids);
    const { changes } = await gadget.apply(disk("After", images[1]));
    assertEquals(changes.map(({ type, path }) => `${type} ${path}`), [
      "unbind UDC",
      "set functions/mass_storage.mass_storage/lun.0/file",
      "set strings/0x409/product",
      "bind UDC",
    ]);
    assertEquals(await medium(), images[1]);
  }
  assertEquals(await productSeen(enumerations), "After");

  // Otherwise the host decides.
  {
    await using _host = await lockMedium(ids);
    const before = await waitForDevice(ids);
    const error = await assertRejects(
      () => gadget.apply(disk("After", images[0])),
      Deno.errors.Busy,
    );
    assertStringIncludes(error.message, "the host has locked the medium");
    assertEquals(await medium(), images[1]);
    const forced = disk("After", images[0], { "lun.0/forced_eject": true });
    const { changes, rebound } = await gadget.apply(forced);
    assertEquals(rebound, false);
    assertEquals(changes.map(({ path }) => path.split("/").at(-1)), [
      "forced_eject",
      "file",
    ]);
    assertEquals(await medium(), images[0]);
    // Done once, and not undone.
    assertEquals((await gadget.apply(forced)).changes, []);
    assertEquals((await gadget.apply(disk("After", images[0]))).changes, []);
    assertEquals(await waitForDevice(ids), before);
  }
  await gadget.stop();
  for (const image of images) await Deno.remove(image);
});
