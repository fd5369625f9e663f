/**
 * Programs that are killed in the middle of a gadget's life.
 *
 * @module
 */
/** The runner's bundle of the package, or the package. */
const MOD = Deno.env.get("GADGET_BUNDLE") ??
  new URL("../../../mod.ts", import.meta.url).href;

/** The IDs of the programs' gadgets. */
export const VICTIM_IDS = { vendorId: 0x1209, productId: 0x0002 };

/**
 * Returns the text of a program that ends with `rest`. Its preamble defines
 * `start(options, ...functions)`, which starts a gadget with the function `victim`
 * before others, and imports the package as `usb`.
 */
export function victimProgram(rest: string): string {
  return `
import * as usb from "${MOD}";
const victim = usb.usbFunction({
  name: "victim",
  interfaces: [{ class: 0xff, endpoints: { link: usb.bulkPair() } }],
});
const start = (options, ...functions) => usb.Gadget.start({
  ...${JSON.stringify(VICTIM_IDS)},
  product: "Victim",
  functions: [victim, ...functions],
}, options);
${rest}`;
}

/** The phases of {@linkcode CHURN}. */
export const PHASES = ["start", "transfer", "stop"] as const;

/**
 * Waits for a line with options as JSON. Then starts a gadget, echoes, and stops it,
 * repeatedly, and prints each phase before it begins.
 */
export const CHURN = victimProgram(`
const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));
const line = new Uint8Array(1000);
const length = await Deno.stdin.read(line);
const options = JSON.parse(new TextDecoder().decode(line.subarray(0, length)));
for (;;) {
  console.log("start");
  const gadget = await start(options, usb.kernelFunction("acm"));
  await gadget.functions.victim.enabled();
  console.log("transfer");
  const { link } = gadget.functions.victim.endpoints;
  const echo = link.readable.pipeTo(link.writable).catch(() => {});
  await wait(300 + 300 * Math.random());
  console.log("stop");
  await gadget.stop();
  await echo;
}`);

/**
 * Starts a program from its text, with `--allow-ffi` alone.
 *
 * @param stdin Whether it has a standard input, which the caller closes.
 */
export function startProgram(
  code: string,
  stdin: "null" | "piped" = "null",
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--cached-only",
      "--allow-ffi",
      `data:application/typescript,${encodeURIComponent(code)}`,
    ],
    env: { NO_COLOR: "1" },
    stdin,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Waits for a program's first output. */
export async function firstOutput(process: Deno.ChildProcess): Promise<void> {
  const reader = process.stdout.getReader();
  await reader.read();
  reader.releaseLock();
}
