/**
 * Programs that are killed in the middle of a gadget's life.
 *
 * @module
 */
const MOD = new URL("../../mod.ts", import.meta.url);

/** What a victim does, again and again: start, transfer, stop. */
export const CHURN = `
import { bulkPair, Gadget, kernelFunction, usbFunction } from "${MOD}";
const echo = usbFunction({
  name: "victim",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
});
console.log("up");
for (;;) {
  const gadget = await Gadget.start({
    vendorId: 0x1209,
    productId: 0x0002,
    product: "Victim",
    functions: [kernelFunction("acm", {}), echo],
  }, JSON.parse('OPTIONS'));
  const { link } = gadget.functions.victim.endpoints;
  const reading = link.read(4096).catch(() => {});
  const writing = link.write(new Uint8Array(8192)).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 40 * Math.random()));
  await gadget.stop();
  await Promise.all([reading, writing]);
}`;

/** Starts a program that is given as text, with `--allow-ffi` alone. */
export function startProgram(code: string): Deno.ChildProcess {
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
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Waits until a program writes for the first time. */
export async function firstOutput(process: Deno.ChildProcess): Promise<void> {
  const reader = process.stdout.getReader();
  await reader.read();
  reader.releaseLock();
}
