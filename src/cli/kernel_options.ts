/**
 * How the running kernel was built.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { readFile } from "../../ffi/file.ts";

/** `"y"` is built in, `"m"` a module, `"n"` absent. */
export type OptionValue = "y" | "m" | "n";

/**
 * Reads the configuration of the running kernel from `/proc/config.gz`, or from
 * the `/boot/config-RELEASE` of most distributions.
 *
 * @param names The options to look for, such as `"CONFIG_USB_CONFIGFS"`.
 * @returns `undefined` if the kernel's configuration is in neither place, or
 * this process may not read it.
 */
export async function kernelOptions(
  release: string,
  names: readonly string[],
): Promise<Map<string, OptionValue> | undefined> {
  const text = await readConfiguration(release);
  return text === undefined ? undefined : parseOptions(text, names);
}

/** Reads options out of a configuration's text. */
export function parseOptions(
  text: string,
  names: readonly string[],
): Map<string, OptionValue> {
  const set = new Map(
    [...text.matchAll(/^(CONFIG_\w+)=([ym])$/gm)]
      .map(([, name, value]) => [name, value as OptionValue]),
  );
  return new Map(names.map((name) => [name, set.get(name) ?? "n"]));
}

async function readConfiguration(release: string): Promise<string | undefined> {
  const plain = readIfAllowed(`/boot/config-${release}`);
  if (plain !== undefined) return new TextDecoder().decode(plain);
  const packed = readIfAllowed("/proc/config.gz");
  if (packed === undefined) return undefined;
  const stream = new Blob([packed]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text();
}

/** Reads a file; `undefined` if it does not exist, or only root may read it. */
function readIfAllowed(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return readFile(path);
  } catch (error) {
    const missing = ["ENOENT", "ENOTDIR", "EACCES", "EPERM"] as const;
    if (isSystemError(error, ...missing)) return undefined;
    throw error;
  }
}
