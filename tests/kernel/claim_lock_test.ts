/**
 * The lock for the removal of leftovers: a user without rights cannot take it,
 * and the wait for it is limited.
 *
 * @module
 */
// VM: any speed, newest kernel
import "../support/run/aio_libraries.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { Gadget } from "@usb/gadget";
import { O_RDONLY } from "../../ffi/abi.ts";
import { close, open, tryLock } from "../../ffi/file.ts";
import { withLock } from "../../src/state/claim_lock.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { asNobody } from "../support/machine/unprivileged.ts";
import { until } from "../support/waiting/until.ts";
import {
  firstOutput,
  startProgram,
  victimProgram,
} from "../support/programs/victim.ts";

const STATE = "/run/usb-gadget";
const LOCK = `${STATE}/=lock`;

/** Leaves a gadget behind. */
async function leaveGadget(name: string): Promise<void> {
  const victim = startProgram(victimProgram(`
    await start({ name: "${name}", bind: false });
    console.log("up");`));
  await firstOutput(victim);
  victim.kill("SIGKILL");
  await victim.status;
  await victim.stdout.cancel();
}

Deno.test("a lock that any user can take does not delay cleanUp()", async () => {
  const before = gadgetTraces();
  await leaveGadget("left");
  const fd = await asNobody(() => Promise.resolve(open(STATE, O_RDONLY)));
  try {
    assertEquals(tryLock(fd), true);
    assertEquals(await Gadget.cleanUp(), ["left"]);
  } finally {
    close(fd);
  }
  const { mode, uid } = await Deno.stat(LOCK);
  assertEquals([mode! & 0o777, uid], [0o600, 0]);
  await asNobody(() =>
    assertRejects(
      () => withLock(() => Promise.resolve()),
      Deno.errors.PermissionDenied,
    )
  );
  assertEquals(gadgetTraces(), before);
});

Deno.test("the wait for a lock of another process is limited", async () => {
  const holder = new Deno.Command("flock", {
    args: ["--no-fork", LOCK, "sleep", "3600"],
  }).spawn();
  const isHeld = () => {
    const fd = open(LOCK, O_RDONLY);
    try {
      return !tryLock(fd);
    } finally {
      close(fd);
    }
  };
  try {
    await until(isHeld, "the lock is held");
    const error = await assertRejects(
      () => withLock(() => Promise.resolve(), 100),
      Deno.errors.TimedOut,
    );
    assertEquals(
      error.message,
      `Cannot clean up gadgets: process ${holder.pid} has locked "${LOCK}" for more than 0.1 seconds; end it, or continue it with "kill -CONT" if it is stopped`,
    );
  } finally {
    holder.kill("SIGKILL");
    await holder.status;
  }
  assertEquals(await withLock(() => Promise.resolve("free")), "free");
});
