/**
 * Gadgets as text.
 *
 * @module
 */
import { exists, readFile } from "../../ffi/file.ts";
import { decodeFunctionBlock, formatTree } from "../descriptors/mod.ts";
import { recordedBlocks } from "../gadget/record.ts";
import type { FoundFunction, FoundGadget } from "../gadget/inventory.ts";

/** One gadget in a few lines: identity, controller, owner, functions. */
export function formatGadget(gadget: FoundGadget): string {
  const { name, ids, strings, udc, owner, pid } = gadget;
  const words = Object.values(strings).map((it) => JSON.stringify(it));
  const owners = {
    alive: `process ${pid}`,
    dead: `process ${pid}, which has ended`,
    persistent: "persistent",
    foreign: "not of this package",
  };
  return [
    `${name}  ${[ids, ...words].join(" ")}`,
    `  controller: ${udc || "none"}`,
    `  owner: ${owners[owner]}`,
    ...Object.entries(gadget.configurations).map(([configuration, its]) =>
      `  ${configuration}: ${its.join(", ") || "no functions"}`
    ),
    ...gadget.functions.filter((it) => it.directory.startsWith("ffs."))
      .flatMap((it) => formatFunction(it)),
  ].join("\n");
}

function formatFunction(found: FoundFunction): string[] {
  const { directory, ready, mounts, heldBy } = found;
  const state = ready === undefined ? "" : ready ? ", ready" : ", not ready";
  return [
    `  ${directory}: ${
      mounts.length === 0 ? "not mounted" : `on ${mounts.join(", ")}`
    }${state}`,
    ...heldBy.map(({ pid, program }) => `    held by ${pid} (${program})`),
  ];
}

/** A gadget with the descriptors of its FunctionFS functions. */
export function formatGadgetTree(gadget: FoundGadget): string {
  const parts = [formatGadget(gadget)];
  for (const { directory } of gadget.functions) {
    if (!directory.startsWith("ffs.")) continue;
    const tree = functionTree(gadget.name, directory);
    parts.push(
      tree === undefined
        ? `${directory}: its descriptors cannot be read back; another program has written them`
        : `${directory}\n${tree.replaceAll(/^/gm, "  ")}`,
    );
  }
  return parts.join("\n\n");
}

function functionTree(gadget: string, directory: string): string | undefined {
  const paths = recordedBlocks(gadget, directory.slice("ffs.".length));
  if (!exists(paths.descriptors)) return undefined;
  return formatTree(
    decodeFunctionBlock(readFile(paths.descriptors), readFile(paths.strings)),
  );
}
