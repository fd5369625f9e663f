/**
 * Links that lead nowhere.
 *
 * @module
 */

/** A link in a page. */
export interface DeadLink {
  /** The page, below the site's folder. */
  readonly page: string;
  readonly link: string;
}

/**
 * Finds the links between the pages of a site that lead nowhere.
 *
 * @param generated Pages below this folder are not searched for their fragments,
 * which another program has made.
 */
export async function deadLinks(
  folder: URL,
  generated = "api/",
): Promise<DeadLink[]> {
  const files = new Set<string>();
  await visit(folder.pathname.replace(/\/$/, ""), files);
  const folders = new Set([...files].flatMap(foldersOf));
  const pages = new Map<string, { ids: Set<string>; links: string[] }>();
  for (const file of files) {
    if (!file.endsWith(".html")) continue;
    const text = await Deno.readTextFile(file);
    pages.set(file, {
      ids: new Set(all(text, /\bid="([^"]+)"/g)),
      links: all(text, /<(?:a|img|link)\b[^>]*?\b(?:href|src)="([^"]*)"/g),
    });
  }
  const dead: DeadLink[] = [];
  for (const [page, { links }] of pages) {
    const name = page.slice(folder.pathname.length);
    for (const link of new Set(links)) {
      const { protocol, pathname, hash } = new URL(
        decode(link),
        new URL(encodeURI(page), folder),
      );
      if (protocol !== "file:") continue;
      const path = decodeURIComponent(pathname).replace(/\/$/, "");
      const fragment = decodeURIComponent(hash.slice(1));
      const ids = pages.get(path)?.ids;
      const leads = files.has(path)
        ? fragment === "" || ids === undefined || ids.has(fragment) ||
          name.startsWith(generated)
        : folders.has(path);
      if (!leads) dead.push({ page: name, link: decode(link) });
    }
  }
  return dead;
}

/** The folders that a file is in, without slashes at their ends. */
function foldersOf(file: string): string[] {
  const parts = file.split("/");
  return parts.map((_, index) => parts.slice(0, index).join("/"));
}

/** A link without HTML's escapes. */
function decode(link: string): string {
  return link.replaceAll("&#x2F;", "/").replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}

async function visit(folder: string, files: Set<string>): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) await visit(path, files);
    else files.add(path);
  }
}

function all(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, found]) => found);
}
