/**
 * The host of an MTP device: mtp-tools, whose library is what Linux desktops and
 * FUSE clients use.
 *
 * @module
 */
import type { LibmtpStep } from "../programs/libmtp.ts";

/** What libmtp and its programs print of failures that their exit code does not show. */
const FAILURE = /error|panic|failed|fail:|could not|unable|denied/i;

/** The kernel configures the device at the same time, and has drivers on it. */
const HARMLESS = /^libusb_set_configuration\(\) failed, continuing anyway.*$/gm;

/** A file as `mtp-files` lists it. */
export interface ListedFile {
  readonly id: number;
  readonly name: string;
  readonly parent: number;
  readonly size: number;
}

/**
 * Runs one of mtp-tools.
 *
 * @returns What it prints.
 * @throws {Error} If it fails, or prints that something has failed.
 */
export async function runMtp(
  program: string,
  ...args: string[]
): Promise<string> {
  const { stdout, stderr, code } = await new Deno.Command(program, {
    args,
    // Names in UTF-8.
    env: { LC_ALL: "C.UTF-8", LANG: "C.UTF-8" },
  }).output();
  const text = new TextDecoder().decode(stdout) +
    new TextDecoder().decode(stderr);
  if (code !== 0 || FAILURE.test(text.replace(HARMLESS, ""))) {
    throw new Error(`${program} ${args.join(" ")}: exit code ${code}: ${text}`);
  }
  return text;
}

/** Sends a file, which keeps its name, into a folder. Returns its handle. */
export async function sendFile(local: string, folder = "/"): Promise<number> {
  const text = await runMtp("mtp-sendfile", local, folder);
  return numberIn(text, /New file ID: (\d+)/);
}

/** Receives a file. */
export async function getFile(id: number, local: string): Promise<void> {
  await runMtp("mtp-getfile", String(id), local);
}

/** Lists all files. */
export async function listFiles(): Promise<ListedFile[]> {
  const text = await runMtp("mtp-files");
  return text.split("File ID: ").slice(1).map((entry) => ({
    id: parseInt(entry),
    name: /Filename: (.*)/.exec(entry)![1],
    parent: numberIn(entry, /Parent ID: (\d+)/),
    size: numberIn(entry, /File size (\d+)/),
  }));
}

/**
 * Has libmtp do something, step by step.
 *
 * @returns The result of each step: the handle of what was sent, the text of a part.
 */
export async function runLibmtp(
  ...steps: LibmtpStep[]
): Promise<(number | string | null)[]> {
  const program = new URL("../programs/libmtp.ts", import.meta.url);
  const text = await runMtp(
    Deno.execPath(),
    "run",
    "--no-check",
    "--allow-ffi",
    "--allow-read",
    program.pathname,
    ...steps.map((step) => JSON.stringify(step)),
  );
  return JSON.parse(/^results: (.*)$/m.exec(text)![1]);
}

/** The number in a text. */
export function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`No ${pattern} in: ${text}`);
  return Number(found);
}
