import "../support/libraries.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { bulkPair, Gadget, usbFunction } from "@usb/gadget";
import { gadgetTraces } from "../support/leftovers.ts";
import { soak } from "../support/soak.ts";
import { gadgetSpeed } from "../support/speed.ts";
import { waitForNoDevice } from "../support/usbfs_find.ts";
import { CHURN, firstOutput, startProgram } from "../support/victim.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const { maxSpeed } = gadgetSpeed();
const CONFIGFS = "/sys/kernel/config/usb_gadget";
const FOREIGN = `${CONFIGFS}/usb-gadget.1.0`;

const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});

async function shell(script: string): Promise<string> {
  const { stdout, success, stderr } = await new Deno.Command("sh", {
    args: ["-ec", script],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** A gadget that looks like one of ours and is not, with a mount of its own. */
function makeForeign(): Promise<string> {
  return shell(`
    mkdir ${FOREIGN} ${FOREIGN}/strings/0x409 ${FOREIGN}/configs/c.1
    mkdir ${FOREIGN}/functions/ffs.foreign ${FOREIGN}/functions/ecm.usb0
    echo 0x1234 >${FOREIGN}/idVendor
    echo Foreign >${FOREIGN}/strings/0x409/product
    ln -s ${FOREIGN}/functions/ecm.usb0 ${FOREIGN}/configs/c.1/
    mkdir -p /run/foreign && mount -t functionfs foreign /run/foreign`);
}

function removeForeign(): Promise<string> {
  return shell(`
    umount /run/foreign && rmdir /run/foreign
    rm ${FOREIGN}/configs/c.1/ecm.usb0
    rmdir ${FOREIGN}/functions/* ${FOREIGN}/configs/c.1 ${FOREIGN}/strings/0x409 ${FOREIGN}`);
}

/** All files and links of the foreign gadget, byte by byte. */
function readForeign(): Promise<string> {
  return shell(`cd ${FOREIGN}
    find . -type f ! -name ready | sort | while read -r file; do
      echo "$file: $(od -An -c "$file" 2>&1)"; done
    find . -type l | sort | while read -r link; do
      echo "$link -> $(readlink "$link")"; done
    grep /run/foreign /proc/self/mounts; ls -A /run/foreign`);
}

Deno.test("after SIGKILL at any moment the next start works, and nothing foreign is touched", async () => {
  const traces = gadgetTraces();
  await makeForeign();
  try {
    const foreign = await readForeign();
    const kept = gadgetTraces();
    const rounds = soak(300, 4);
    // Several moments in the life of a process: each of them starts gadgets
    // again and again. A fixed name, and names of their own.
    for (let round = 0; round < rounds; round++) {
      const options = round % 2 === 0 ? "{}" : '{"name":"victim"}';
      const victim = startProgram(CHURN.replace("OPTIONS", options));
      await firstOutput(victim);
      const delay = Math.random() * 250;
      await new Promise((resolve) => setTimeout(resolve, delay));
      victim.kill("SIGKILL");
      // Not always after its end: the kernel takes its time with it.
      if (round % 4 < 2) await victim.status;
      const name = round % 2 === 0 ? undefined : "victim";
      const start = () =>
        Gadget.start({ ...ids, maxSpeed, functions: [echo] }, { name });
      if (round % 4 >= 2) {
        // While it dies, its name and its controller are still its own.
        try {
          await (await start()).stop();
        } catch (error) {
          const expected = error instanceof Deno.errors.AlreadyExists ||
            error instanceof Deno.errors.Busy;
          if (!expected) throw error;
        }
        await victim.status;
      }
      await victim.stdout.cancel();
      {
        await using gadget = await start();
        const signal = AbortSignal.timeout(60_000);
        await gadget.functions.echo.enabled({ signal });
      }
      assertEquals(gadgetTraces(), kept, `round ${round}, ${delay} ms`);
      assertEquals(await readForeign(), foreign);
    }
  } finally {
    await removeForeign();
  }
  assertEquals(gadgetTraces(), traces);
});

Deno.test("cleanUp() removes what a killed process has left, and leaves the living alone", async () => {
  const traces = gadgetTraces();
  const code = `
    import { bulkPair, Gadget, usbFunction } from "${new URL(
    "../../mod.ts",
    import.meta.url,
  )}";
    await Gadget.start({
      vendorId: 0x1209,
      productId: 0x0002,
      functions: [usbFunction({
        name: "victim",
        interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
      })],
    }, { name: "left", mounts: { victim: { path: "/run/left", mode: 0o770, uid: 5 } } });
    console.log("up");`;
  await using own = await Gadget.start(
    { ...ids, functions: [echo] },
    { bind: false },
  );
  const living = gadgetTraces();
  const victim = startProgram(code);
  await firstOutput(victim);
  assertEquals((await Deno.stat("/run/left/ep1")).uid, 5);
  assertEquals((await Deno.stat("/run/left/ep1")).mode! & 0o777, 0o660);
  assertEquals(await Gadget.cleanUp(), []);
  await assertRejects(
    () => Gadget.start({ ...ids, functions: [echo] }, { name: "left" }),
    Deno.errors.AlreadyExists,
    `Cannot make gadget "left": one of process ${victim.pid} has the name`,
  );
  victim.kill("SIGKILL");
  await victim.status;
  await victim.stdout.cancel();
  assertEquals(await Gadget.cleanUp(), ["left"]);
  await assertRejects(() => Deno.stat("/run/left"), Deno.errors.NotFound);
  assertEquals(gadgetTraces(), living);
  assertEquals(await Gadget.cleanUp(), []);
  await waitForNoDevice({ vendorId: 0x1209, productId: 0x0002 });
  await own.stop();
  assertEquals(gadgetTraces(), traces);
});
