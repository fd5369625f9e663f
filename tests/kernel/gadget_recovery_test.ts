/**
 * What killed processes leave behind, and its removal.
 *
 * GADGET_SEED=N kills in the same phases after the same times as a run that has
 * printed N; where that hits a process depends on the machine.
 *
 * @module
 */
// VM: any speed, any architecture
import { setTimeout as delay } from "node:timers/promises";
import { assertEquals, assertRejects } from "@std/assert";
import { bulkPair, Gadget, kernelFunction, usbFunction } from "@usb/gadget";
import { withControllers } from "../support/machine/controllers.ts";
import { bulkEndpoints, roundTrip } from "../support/host/echo.ts";
import {
  type ForeignGadget,
  makeForeignGadget,
} from "../support/gadgets/foreign.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { shell } from "../support/machine/shell.ts";
import { soak } from "../support/run/soak.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";
import { waitForNoDevice } from "../../src/testing/usbfs/find.ts";
import {
  CHURN,
  firstOutput,
  PHASES,
  startProgram,
  VICTIM_IDS,
  victimProgram,
} from "../support/programs/victim.ts";
import "../support/run/aio_libraries.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const { maxSpeed } = gadgetSpeed();
const CONFIGFS = "/sys/kernel/config/usb_gadget";
/** Milliseconds that a phase takes, more or less. */
const LENGTHS = { start: 400, transfer: 300, stop: 60 };

const echo = usbFunction({
  name: "echo",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});

type Phase = (typeof PHASES)[number];

/** A process that starts, uses and stops gadgets until it is killed. */
class Victim {
  readonly phases: Phase[] = [];
  readonly #process = startProgram(CHURN, "piped");
  readonly #read = this.#follow();
  #arrived = () => {};

  /** Lets it begin. */
  async go(options: { name?: string }): Promise<void> {
    const stdin = this.#process.stdin.getWriter();
    await stdin.write(new TextEncoder().encode(JSON.stringify(options)));
    await stdin.close();
  }

  /** Waits until it has begun a phase so many times. */
  async reach(phase: Phase, times: number): Promise<void> {
    const ended = this.#process.status.then(({ code }) => {
      throw new Error(`It has ended by itself, with exit code ${code}`);
    });
    while (this.phases.filter((it) => it === phase).length < times) {
      const arrived = new Promise<void>((resolve) => this.#arrived = resolve);
      await Promise.race([arrived, ended]);
    }
    ended.catch(() => {}); // It will, when it is killed.
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  /** Ends it before it has begun. */
  async discard(): Promise<void> {
    await this.#process.stdin.close();
    this.kill();
    await this.end();
  }

  /** Waits for its end, and returns what it did last. */
  async end(): Promise<Phase | undefined> {
    const { signal } = await this.#process.status;
    assertEquals(signal, "SIGKILL", "it has ended by itself");
    await this.#read;
    return this.phases.at(-1);
  }

  async #follow(): Promise<void> {
    let rest = "";
    const text = this.#process.stdout.pipeThrough(new TextDecoderStream());
    for await (const chunk of text) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      this.phases.push(...lines as Phase[]);
      this.#arrived();
    }
  }
}

/** Sends bytes through a victim, until it ends. */
async function traffic(): Promise<void> {
  await using host = await UsbfsDevice.find({ ...VICTIM_IDS, timeout: 5_000 });
  await host.claimInterface(0);
  const endpoints = bulkEndpoints(host);
  for (;;) await roundTrip(host, endpoints, pattern(4000));
}

/** Kills a victim somewhere in a phase, and starts again. */
async function round(
  victim: Victim,
  random: Random,
  phase: Phase,
): Promise<Phase | undefined> {
  const options = random.chance() ? {} : { name: "victim" };
  const start = () =>
    Gadget.start({ ...ids, maxSpeed, functions: [echo] }, options);
  await victim.go(options);
  await victim.reach(phase, random.int(1, 2));
  const busy = phase === "transfer" ? traffic().catch(() => {}) : undefined;
  await delay(random.next() * LENGTHS[phase]);
  victim.kill();
  if (random.chance()) {
    // While it dies, it may still own its name and its controller.
    try {
      await (await start()).stop();
    } catch (error) {
      const expected = error instanceof Deno.errors.AlreadyExists ||
        error instanceof Deno.errors.Busy;
      if (!expected) throw error;
    }
  }
  const last = await victim.end();
  {
    await using gadget = await start();
    const signal = AbortSignal.timeout(60_000);
    await gadget.functions.echo.enabled({ signal });
  }
  await busy;
  return last;
}

async function killAgainAndAgain(rounds: number, foreign: ForeignGadget) {
  const seed = testSeed();
  const random = new Random(seed);
  const kept = gadgetTraces();
  const before = await foreign.look();
  const hits = new Map<string, number>();
  // A process takes longer to load than to kill: the next ones load meanwhile.
  const warm: Victim[] = [];
  let left = rounds;
  const load = () => {
    for (; left > 0 && warm.length < 2; left--) warm.push(new Victim());
  };
  const started = performance.now();
  try {
    for (let count = 0; count < rounds; count++) {
      load();
      const victim = warm.shift()!;
      load();
      const phase = PHASES[count % PHASES.length];
      const last = await round(victim, random, phase);
      hits.set(last ?? "load", (hits.get(last ?? "load") ?? 0) + 1);
      assertEquals(gadgetTraces(), kept, `round ${count}, seed ${seed}`);
      assertEquals(await foreign.look(), before, `round ${count}`);
      if ((count + 1) % 50 === 0) console.log(`${count + 1} kills`);
    }
  } finally {
    await Promise.all(warm.map((it) => it.discard()));
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `${rounds} kills in ${seconds} s, seed ${seed}: ${
      [...hits].map(([phase, count]) => `${count} in ${phase}`).join(", ")
    }`,
  );
}

/** The processes of this machine that use FunctionFS. */
async function processes(): Promise<number> {
  const { length } = (await shell("pidof deno || true")).split(" ");
  return length;
}

Deno.test("after SIGKILL at any moment the next start works, and nothing foreign is touched", async () => {
  const traces = gadgetTraces();
  const running = await processes();
  await withControllers(2, async () => {
    await using foreign = await makeForeignGadget("dummy_udc.1");
    await killAgainAndAgain(soak(300, 3), foreign);
  });
  assertEquals(await processes(), running);
  assertEquals(gadgetTraces(), traces);
});

Deno.test("cleanUp() removes what a killed process has left, and keeps gadgets of running processes", async () => {
  const traces = gadgetTraces();
  await using own = await Gadget.start(
    { ...ids, functions: [echo] },
    { bind: false },
  );
  const living = gadgetTraces();
  const victim = startProgram(victimProgram(`
    await start({ name: "left", mounts: { victim: { path: "/run/left" } } });
    console.log("up");`));
  await firstOutput(victim);
  assertEquals(await Gadget.cleanUp({ persistent: true }), []);
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
  await waitForNoDevice(VICTIM_IDS);
  await own.stop();
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a gadget that another program has made in place of a leftover is not touched", async () => {
  const traces = gadgetTraces();
  const path = `${CONFIGFS}/left`;
  const victim = startProgram(victimProgram(`
    await start({ name: "left" });
    console.log("up");`));
  await firstOutput(victim);
  victim.kill("SIGKILL");
  await victim.status;
  await victim.stdout.cancel();
  // Another program cleans up and takes the name.
  await shell(`
    umount /run/usb-gadget/left/victim
    rm ${path}/configs/c.1/*victim
    rmdir ${path}/functions/* ${path}/configs/c.1 ${path}/strings/0x409 ${path}
    mkdir ${path} ${path}/strings/0x409
    echo Foreign >${path}/strings/0x409/product`);
  await assertRejects(
    () => Gadget.start({ ...ids, functions: [echo] }, { name: "left" }),
    Deno.errors.AlreadyExists,
    "another program has made it",
  );
  assertEquals(
    await Deno.readTextFile(`${path}/strings/0x409/product`),
    "Foreign\n",
  );
  await shell(`rmdir ${path}/strings/0x409 ${path}`);
  assertEquals(gadgetTraces(), traces);
});

Deno.test("a persistent gadget whose process was killed halfway is completed", async () => {
  const traces = gadgetTraces();
  const definition = {
    ...ids,
    maxSpeed,
    functions: [kernelFunction("Loopback")],
  };
  const start = () =>
    Gadget.start(definition, { name: "half", persistent: true });
  // Killed right after it had claimed the name, and right after it had made
  // the directory.
  for (const half of ["", `mkdir ${CONFIGFS}/half`]) {
    await shell(`
      mkdir -p /run/usb-gadget
      ln -s persistent /run/usb-gadget/half=owner
      ${half}`);
    assertEquals(await Gadget.cleanUp(), []);
    const gadget = await start();
    assertEquals(gadget.bound, true);
    assertEquals((await start()).changes, []);
    await gadget.stop();
    assertEquals(gadgetTraces(), traces);
  }
});
