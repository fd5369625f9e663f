/**
 * Manages gadgets on the command line. Needs `--allow-ffi` and no other
 * permission.
 *
 * ```sh
 * sudo deno run --allow-ffi jsr:@usb/gadget/cli doctor
 * ```
 *
 * - `doctor` reports what gadgets need and this machine lacks.
 * - `list` shows the gadgets with their functions, mounts and processes.
 * - `show NAME` shows the descriptors of a gadget.
 * - `clean` removes gadgets that ended processes have left behind.
 *
 * @module
 */
import { examine, formatFindings, thisMachine } from "./src/cli/doctor.ts";
import { type FoundGadget, listGadgets } from "./src/cli/inventory.ts";
import { formatGadget, formatGadgetTree, gadgetTree } from "./src/cli/show.ts";
import { cleanUp } from "./src/state/recovery.ts";

const HELP = `Manages USB gadgets on this machine.

Usage: deno run --allow-ffi jsr:@usb/gadget/cli COMMAND [--json]

  doctor         what gadgets need, and what is missing
  list           gadgets, functions, mounts, and the processes that hold them
  show [NAME]    a gadget with its descriptors, or all
  clean          remove gadgets that ended processes have left behind
                   --persistent  also persistent gadgets

Exit code: 0; 1 if something is missing or fails; 2 for a wrong command line.
`;

/** What a command prints, and its exit code. */
interface Answer {
  readonly text: string;
  readonly json: unknown;
  readonly code: number;
}

/**
 * Runs the command line, and returns the exit code.
 *
 * @category Gadget
 */
export async function main(args: string[]): Promise<number> {
  // A dynamic import, so that the package can be checked without JSR.
  const { parseArgs } = await import("@std/cli/parse-args");
  const unknown: string[] = [];
  const options: Record<string, unknown> = parseArgs(args, {
    boolean: ["json", "help", "persistent"],
    unknown: (argument: string): unknown => {
      if (argument.startsWith("-")) unknown.push(argument);
      return undefined;
    },
  });
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const [command = "", name, ...rest] = Array.isArray(options._)
    ? options._.map(String)
    : [];
  const commands = new Map<string, () => Answer | Promise<Answer>>([
    ["doctor", doctor],
    ["list", list],
    ["show", () => show(name)],
    ["clean", () => clean(options.persistent === true)],
  ]);
  const run = commands.get(command);
  const tooMany = rest.length > 0 || name !== undefined && command !== "show";
  if (run === undefined || unknown.length > 0 || tooMany) {
    console.error(HELP);
    return 2;
  }
  try {
    const { text, json, code } = await run();
    console.log(options.json ? JSON.stringify(json, bytesAsArrays, 2) : text);
    return code;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

/** Writes bytes as arrays of numbers. */
function bytesAsArrays(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? [...value] : value;
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

function list(): Answer {
  const gadgets = listGadgets();
  const text = gadgets.map(formatGadget).join("\n\n") || "No gadgets.";
  return { text, json: gadgets, code: 0 };
}

function show(name: string | undefined): Answer {
  const gadgets = listGadgets();
  const found: FoundGadget[] = name === undefined
    ? gadgets
    : gadgets.filter((it) => it.name === name);
  if (name !== undefined && found.length === 0) {
    const names = gadgets.map((it) => `"${it.name}"`).join(", ");
    throw new Deno.errors.NotFound(
      `Cannot find gadget "${name}": there is ${names || "none"}`,
    );
  }
  const trees = found.map(gadgetTree);
  const text = trees.map(formatGadgetTree).join("\n\n") || "No gadgets.";
  return { text, json: trees, code: 0 };
}

async function clean(persistent: boolean): Promise<Answer> {
  const removed = await cleanUp({ persistent });
  return {
    text: removed.map((it) => `removed ${it}`).join("\n") ||
      "Nothing to remove.",
    json: { removed },
    code: 0,
  };
}

if (import.meta.main) {
  const code = await main([...Deno.args]);
  // Not Deno.exit(), which ends before a slow pipe has taken the output.
  if (code !== 0) Deno.exitCode = code;
}
