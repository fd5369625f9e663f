/**
 * Programs with a gadget, and how they end.
 *
 * @module
 */

/** How a program ended, and its output. */
export interface End {
  readonly status: Deno.CommandStatus;
  readonly output: string;
}

/** Signals to send when a program first writes a text. */
export type Reaction = readonly [text: string, ...signals: Deno.Signal[]];

/** How to run a program. */
export interface RunOptions {
  readonly reactions?: readonly Reaction[];
  /** A command to prepend, such as `env`. */
  readonly wrapper?: readonly string[];
  /** @default {`--allow-ffi` alone} */
  readonly permissions?: readonly string[];
}

/** The import statement of such a program. */
export function importFrom(mod: string | URL): string {
  return `import { bulkPair, Gadget, usbFunction } from "${mod}";`;
}

/** The runner's bundle of the package, or the package. */
export const IMPORT = importFrom(
  Deno.env.get("GADGET_BUNDLE") ?? new URL("../../../mod.ts", import.meta.url),
);

/** Starts the gadget of such a program. */
export const START = `
  const gadget = await Gadget.start({
    vendorId: 0x1209,
    productId: 0x0001,
    functions: [usbFunction({
      name: "end",
      interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
    })],
  });
  await gadget.functions.end.enabled();`;

/** Runs a program that starts a gadget with a pending read, and then ends. */
export function runToItsEnd(
  ending: string,
  signals: readonly Deno.Signal[] = [],
  options: RunOptions = {},
): Promise<End> {
  return run(
    `${IMPORT}${START}
    const reading = gadget.functions.end.endpoints.link.read(512);
    console.log("enabled");
    ${ending}`,
    { reactions: [["enabled", ...signals]], ...options },
  );
}

/** Runs a program. */
export async function run(
  code: string,
  { reactions = [], wrapper = [], permissions = [] }: RunOptions = {},
): Promise<End> {
  const [command, ...args] = [
    // A shell makes its background jobs ignore some signals.
    "env",
    "--default-signal",
    ...wrapper,
    Deno.execPath(),
    "run",
    "--no-prompt",
    "--no-check",
    "--allow-ffi",
    ...permissions,
    `data:application/typescript,${encodeURIComponent(code)}`,
  ];
  const process = new Deno.Command(command, {
    args,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(process.stderr).text();
  const left = [...reactions];
  let output = "";
  for await (
    const text of process.stdout.pipeThrough(new TextDecoderStream())
  ) {
    output += text;
    while (left.length > 0 && output.includes(left[0][0])) {
      const [, ...signals] = left.shift()!;
      for (const signal of signals) process.kill(signal);
    }
  }
  return { status: await process.status, output: output + await stderr };
}
