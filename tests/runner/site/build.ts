/**
 * Makes the pages of the site.
 *
 * @module
 */
import { Marked } from "marked";
import { run } from "../../../src/vm/process.ts";

const ROOT_FILES = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "mod.ts",
  "cli.ts",
];
/** Pages, and what they and the API link to. */
const FOLDERS = [
  "docs",
  "examples",
  "bench",
  "src",
  "ffi",
  "tests/gadget_test",
];

/**
 * Builds the site.
 *
 * @param root The project.
 * @param folder Where to put the site; is made.
 * @returns The number of pages made from Markdown.
 */
export async function buildSite(root: URL, folder: URL): Promise<number> {
  await Deno.mkdir(folder, { recursive: true });
  const { exports } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  ) as { exports: Record<string, string> };
  await run(Deno.execPath(), [
    "doc",
    "--html",
    "--name=@usb/gadget",
    `--output=${new URL("api", folder).pathname}`,
    `--import-map=${new URL("tests/import_map.json", root).pathname}`,
    ...Object.values(exports).map((it) => new URL(it, root).pathname),
  ]);
  await linkSources(root, new URL("api/", folder), "../");
  const files = await listFiles(root);
  const pages = files.filter((it) => it.endsWith(".md"));
  const guides = pages.filter((it) => it.startsWith("docs/")).sort();
  for (const file of files) {
    const target = new URL(file, folder);
    await Deno.mkdir(new URL(".", target), { recursive: true });
    if (!file.endsWith(".md")) {
      await Deno.copyFile(new URL(file, root), target);
      continue;
    }
    const text = await Deno.readTextFile(new URL(file, root));
    await Deno.writeTextFile(
      new URL(pageName(file), folder),
      renderPage(file, text, guides),
    );
  }
  return pages.length;
}

/** Makes the API's links to sources lead to those in the site. */
async function linkSources(root: URL, folder: URL, up: string): Promise<void> {
  const source = escapeLink(root.href);
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = new URL(encodeURIComponent(name), folder);
    if (isDirectory) await linkSources(root, new URL(`${path}/`), `../${up}`);
    if (!name.endsWith(".html")) continue;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replaceAll(source, up));
  }
}

/** A link as `deno doc` writes it. */
function escapeLink(href: string): string {
  return href.replaceAll("/", "&#x2F;");
}

/** The files of the site, apart from the API. */
async function listFiles(root: URL): Promise<string[]> {
  const found = [...ROOT_FILES];
  const visit = async (folder: string) => {
    for await (const entry of Deno.readDir(new URL(`${folder}/`, root))) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) await visit(path);
      else found.push(path);
    }
  };
  for (const folder of FOLDERS) await visit(folder);
  return found;
}

/** The name of the page that is made from a file. */
function pageName(file: string): string {
  return file.replace(/README\.md$/, "index.html").replace(/\.md$/, ".html");
}

/** The title of a page: its first heading. */
function titleOf(text: string): string {
  return /^# (.*)$/m.exec(text)?.[1] ?? "";
}

/** Renders a page, with a menu of all guides. */
export function renderPage(
  file: string,
  text: string,
  guides: readonly string[],
): string {
  const up = "../".repeat(file.split("/").length - 1);
  const menu = guides.map((it) => {
    const name = it.slice("docs/".length, -".md".length).replaceAll("_", " ");
    const current = it === file ? ' aria-current="page"' : "";
    return `<li><a href="${up}${pageName(it)}"${current}>${name}</a></li>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(titleOf(text))}</title>
<style>${STYLE}</style>
</head>
<body>
<nav>
<p><a href="${up}index.html">@usb/gadget</a></p>
<p><a href="${up}api/index.html">API</a></p>
<ul>
${menu.join("\n")}
</ul>
</nav>
<main>
${toHtml(text)}
</main>
</body>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; }
body { display: flex; gap: 2rem; max-width: 72rem; margin: 0 auto; padding: 1rem;
  font: 1rem/1.5 system-ui, sans-serif; }
nav { flex: 0 0 11rem; }
nav ul { list-style: none; padding: 0; }
nav [aria-current] { font-weight: bold; }
main { flex: 1; min-width: 0; }
main img { max-width: 100%; background: #fff; }
pre { overflow-x: auto; padding: 0.75rem; border-radius: 0.4rem;
  background: color-mix(in srgb, currentColor 8%, transparent); }
table { display: block; overflow-x: auto; border-collapse: collapse; }
td, th { padding: 0.2rem 0.6rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
`;

/** Markdown as HTML: headings have names, and pages link to pages. */
function toHtml(text: string): string {
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }) {
        const html = this.parser.parseInline(tokens);
        return `<h${depth} id="${slug(text)}">${html}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const html = this.parser.parseInline(tokens);
        return `<a href="${escape(pageLink(href))}">${html}</a>`;
      },
    },
  });
  return marked.parse(text, { async: false });
}

/** Where a link of a page leads in the site. */
function pageLink(href: string): string {
  if (/^[a-z]+:/.test(href)) return href;
  return href.replace(/README\.md(?=#|$)/, "index.html")
    .replace(/\.md(?=#|$)/, ".html");
}

/** The name of a heading, as hosts of repositories make it. */
function slug(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;");
}
