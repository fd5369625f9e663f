/**
 * The commands of the command line.
 *
 * @module
 */
import { cleanUp } from "../state/recovery.ts";
import type { Answer, Commands } from "./command.ts";
import { completionScript } from "./completion.ts";
import { examine, formatFindings, thisMachine } from "./doctor.ts";
import { describeGadget } from "./gadget_file/describe.ts";
import { formatToml } from "./gadget_file/format.ts";
import { findGadget, listGadgets } from "./inventory.ts";
import { share } from "./share.ts";
import { formatGadget, formatGadgetTree, gadgetTree } from "./show.ts";
import { unit } from "./unit.ts";
import { down, up } from "./up.ts";
import { watchGadgets } from "./watch/watch.ts";

/** The name of the installed program. */
const PROGRAM = "usb-gadget";

/**
 * Returns the commands by their names.
 *
 * @param cli The URL of the module that this program was started with.
 */
export function makeCommands(cli: string): Commands {
  const commands: Commands = {
    doctor: {
      summary: "what gadgets need, and what is missing",
      run: doctor,
    },
    list: {
      summary: "gadgets, functions, mounts, and the processes that hold them",
      run: () => {
        const gadgets = listGadgets();
        const text = gadgets.map(formatGadget).join("\n\n") || "No gadgets.";
        return answer(text, gadgets);
      },
    },
    show: {
      summary: "a gadget with its descriptors, or all",
      operand: { name: "NAME", count: "?" },
      run: ([name]) => {
        const found = name === undefined ? listGadgets() : [findGadget(name)];
        const trees = found.map(gadgetTree);
        const text = trees.map(formatGadgetTree).join("\n\n") || "No gadgets.";
        return answer(text, trees);
      },
    },
    up: {
      summary: "make the gadget of a file, or change it to match",
      operand: { name: "FILE" },
      options: { wait: { summary: "until there is a controller" } },
      run: ([path], { wait }) => up(path, wait === true),
    },
    down: {
      summary: "remove a gadget",
      operand: { name: "NAME" },
      run: ([name]) => down(name),
    },
    export: {
      summary: "a gadget as such a file, in TOML or JSON",
      operand: { name: "NAME" },
      run: async ([name]) => {
        const content = describeGadget(findGadget(name));
        return answer(await formatToml(content), content);
      },
    },
    unit: {
      summary: "a systemd unit that makes the gadget of a file at boot",
      operand: { name: "FILE" },
      run: async ([path]) => {
        const text = await unit(path, cli);
        return answer(text.trimEnd(), { unit: text });
      },
    },
    share: {
      summary: "share gadgets on usbip-vudc over a network",
      operand: { name: "NAME", count: "*" },
      options: {
        address: { summary: "127.0.0.1 by default", value: "ADDRESS" },
        port: { summary: "3240 by default", value: "PORT" },
        "all-addresses": { summary: "allow 0.0.0.0 and ::" },
      },
      handlesSignals: true,
      run: share,
    },
    watch: {
      summary: "what gadgets do, as it happens",
      options: { each: { summary: "each transfer, not their sums" } },
      handlesSignals: true,
      run: (_, { each }, emit) => watchGadgets(each === true, emit),
    },
    clean: {
      summary: "remove gadgets that ended processes have left behind",
      options: { persistent: { summary: "also persistent gadgets" } },
      run: async (_, { persistent }) => {
        const removed = await cleanUp({ persistent: persistent === true });
        const text = removed.map((it) => `removed ${it}`).join("\n");
        return answer(text || "Nothing to remove.", { removed });
      },
    },
    completion: {
      summary: "completion of these commands for bash and zsh",
      run: () => {
        const script = completionScript(PROGRAM, commands);
        return answer(script, { script });
      },
    },
  };
  return commands;
}

function answer(text: string, json: unknown): Answer {
  return { text, json, code: 0 };
}

async function doctor(): Promise<Answer> {
  const findings = examine(await thisMachine());
  const broken = findings.some(({ state }) => state === "missing");
  return {
    text: formatFindings(findings),
    json: findings,
    code: broken ? 1 : 0,
  };
}
