/**
 * Printers as the kernel's driver shows them to programs: /dev/usb/lp0.
 *
 * @module
 */
import { shell } from "../machine/shell.ts";
import { until } from "../waiting/until.ts";

const CLASS = "/sys/class/usbmisc";

/** Which printer. */
export interface UsblpMatch {
  readonly vendorId: number;
  readonly productId: number;
}

/** The file of a printer, if the driver has made it. */
export function findUsblp(match: UsblpMatch): string | undefined {
  for (const name of namesIn(CLASS)) {
    try {
      const read = (file: string) =>
        parseInt(
          Deno.readTextFileSync(`${CLASS}/${name}/device/../${file}`),
          16,
        );
      // devtmpfs makes it a moment later.
      const isThere = read("idVendor") === match.vendorId &&
        read("idProduct") === match.productId &&
        Deno.statSync(`/dev/usb/${name}`).isCharDevice;
      if (isThere) return `/dev/usb/${name}`;
    } catch (error) {
      // It is new or has gone, or is no printer.
      const { code } = error as { code?: string };
      if (code !== "ENOENT" && code !== "ENODEV") throw error;
    }
  }
  return undefined;
}

/** Waits for the file of a printer. */
export async function waitForUsblp(match: UsblpMatch): Promise<string> {
  let path: string | undefined;
  await shell("modprobe -q usblp || true");
  await until(
    () => (path = findUsblp(match)) !== undefined,
    "the host has the printer",
  );
  return path as string;
}

/** Starts a program that takes steps with a printer: see usblp.pl. */
export function startUsblp(
  node: string,
  ...steps: string[]
): Deno.ChildProcess {
  const program = new URL("../programs/usblp.pl", import.meta.url);
  return new Deno.Command("perl", {
    args: [program.pathname, node, ...steps],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/**
 * Takes steps with a printer.
 *
 * @returns What each step has printed, line by line.
 * @throws {Error} If one fails.
 */
export async function runUsblp(
  node: string,
  ...steps: string[]
): Promise<string[]> {
  return await linesOf(startUsblp(node, ...steps));
}

/** Waits for a program that {@linkcode startUsblp} has started. */
export async function linesOf(program: Deno.ChildProcess): Promise<string[]> {
  const { stdout, stderr, success } = await program.output();
  const text = new TextDecoder().decode(stdout);
  if (!success) throw new Error(new TextDecoder().decode(stderr) + text);
  return text.split("\n").slice(0, -1);
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
