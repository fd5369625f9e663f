/**
 * Gadgets as text.
 *
 * @module
 */
import type { FoundFunction, FoundGadget } from "./inventory.ts";

/** One gadget in a few lines: identity, controller, owner, functions. */
export function formatGadget(gadget: FoundGadget): string {
  return [
    ...formatIdentity(gadget),
    ...Object.entries(gadget.configurations).map(([name, { functions }]) =>
      `  ${name}: ${functions.join(", ") || "no functions"}`
    ),
    ...gadget.functions.filter((it) => it.directory.startsWith("ffs."))
      .flatMap((it) => formatFunction(it)),
  ].join("\n");
}

/** What a gadget is, where it is, and whose. */
export function formatIdentity(gadget: FoundGadget): string[] {
  const { name, ids, strings, udc, owner, pid } = gadget;
  const words = Object.values(strings).map((it) => JSON.stringify(it));
  const owners = {
    alive: `process ${pid}`,
    dead: `process ${pid}, which has left it behind`,
    persistent: "persistent",
    foreign: "not of this package",
  };
  return [
    `${name}  ${[ids, ...words].join(" ")}`,
    `  controller: ${udc || "none"}`,
    `  owner: ${owners[owner]}`,
  ];
}

/** A function of FunctionFS: where it is mounted, and who serves it. */
export function formatFunction(found: FoundFunction): string[] {
  const { directory, ready, mounts, heldBy } = found;
  const state = ready === undefined ? "" : ready ? ", ready" : ", not ready";
  return [
    `  ${directory}: ${
      mounts.length === 0 ? "not mounted" : `on ${mounts.join(", ")}`
    }${state}`,
    ...heldBy.map(({ pid, program }) => `    held by ${pid} (${program})`),
  ];
}
