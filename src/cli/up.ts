/**
 * Makes and removes gadgets that files describe.
 *
 * @module
 */
import { Gadget } from "../gadget/gadget.ts";
import { listUdcs } from "../gadget/udc/udc.ts";
import { waitForUdc } from "../gadget/udc/wait.ts";
import { cleanUp } from "../state/recovery.ts";
import type { Answer } from "./command.ts";
import {
  loadGadgetFile,
  servesFunctions,
  staysRunning,
} from "./gadget_file/load.ts";
import { findGadget } from "./inventory.ts";

/**
 * Makes the gadget of a file, or changes the one that exists to match it. The
 * gadget stays when the process ends, unless the process serves functions of it.
 *
 * @param wait Whether to wait for a controller that does not exist yet.
 */
export async function up(path: string, wait: boolean): Promise<Answer> {
  const file = await loadGadgetFile(path);
  const { definition, options } = file;
  const { name, udc } = options;
  if (wait && (udc !== undefined || listUdcs().length === 0)) {
    await waitForUdc({ name: udc, timeout: Infinity });
  }
  const gadget = await Gadget.start(definition, {
    ...options,
    persistent: !servesFunctions(file),
  });
  const { changes, udc: { name: controller } } = gadget;
  const stays = staysRunning(file);
  if (!stays) await gadget[Symbol.asyncDispose]();
  const count = changes.length === 1 ? "1 change" : `${changes.length} changes`;
  return {
    text: `${name} is up on ${controller}, ${
      changes.length === 0 ? "unchanged" : count
    }`,
    json: { name, udc: controller, changes },
    code: 0,
    stays,
  };
}

/**
 * Removes a persistent gadget, or one that an ended process has left behind.
 *
 * @throws {Deno.errors.NotFound} If there is no such gadget.
 * @throws {Error} If another program has made it, or a process has it.
 */
export async function down(name: string): Promise<Answer> {
  const { owner, pid } = findGadget(name);
  const refuse = (reason: string) =>
    new Error(`Cannot remove gadget "${name}": ${reason}`);
  if (owner === "foreign") throw refuse("another program has made it");
  if (owner === "alive") {
    throw refuse(`process ${pid} has it; end that: kill ${pid}`);
  }
  const removed = await cleanUp({ name, persistent: true });
  return {
    text: `${name} is down`,
    json: { removed },
    code: 0,
  };
}
