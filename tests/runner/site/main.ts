/**
 * Builds the documentation as a site: the pages of docs, and the API of each
 * entry point. Fails if a link leads nowhere.
 *
 * @module
 */
import { buildSite } from "./build.ts";
import { deadLinks } from "./links.ts";

const root = new URL("../../../", import.meta.url);
const folder = new URL(".site/", root);

await Deno.remove(folder, { recursive: true }).catch((error) => {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
});
const pages = await buildSite(root, folder);
const dead = await deadLinks(folder);
for (const { page, link } of dead) console.error(`${page}: ${link}`);
console.log(
  `${pages} pages, ${dead.length} dead links: ${new URL("index.html", folder)}`,
);
if (dead.length > 0) Deno.exit(1);
