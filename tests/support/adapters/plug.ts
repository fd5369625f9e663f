/**
 * `download()` of `@denosaurs/plug`, for machines without JSR: downloads a
 * library into a new folder and returns the file.
 *
 * @module
 */

/** Where to get a library. */
export interface FetchOptions {
  url: string | URL;
}

/** Downloads a library, and returns the path of the file. */
export async function download(options: FetchOptions): Promise<string> {
  const response = await fetch(options.url);
  if (!response.ok) {
    throw new Error(`Cannot download library: ${response.status}`);
  }
  const folder = await Deno.makeTempDir({ prefix: "plug-" });
  const name = new URL(options.url).pathname.split("/").at(-1)!;
  await Deno.writeFile(`${folder}/${name}`, await response.bytes());
  return `${folder}/${name}`;
}
