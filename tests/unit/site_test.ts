import { assert, assertEquals } from "@std/assert";
import { buildSite } from "../runner/site/build.ts";
import { deadLinks } from "../runner/site/links.ts";

const root = new URL("../../", import.meta.url);

/** A folder for the time of a test. */
async function temporaryFolder() {
  const path = await Deno.makeTempDir();
  return {
    url: new URL(`file://${path}/`),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

Deno.test("the site has every page and the API, and no dead links", async () => {
  await using folder = await temporaryFolder();
  const count = await buildSite(root, folder.url);
  assert(count > 25, `${count} pages`);
  assertEquals(await deadLinks(folder.url), []);
  const guide = await Deno.readTextFile(
    new URL("docs/protocols.html", folder.url),
  );
  assert(guide.includes('<a href="../docs/endpoints.html">'), "the menu");
  const api = await Deno.readTextFile(
    new URL("api/~/Gadget.html", folder.url),
  );
  assert(!api.includes("file:&#x2F;"), "links to files of this machine");
});

Deno.test("dead links and missing headings are found", async () => {
  await using folder = await temporaryFolder();
  const write = (name: string, text: string) =>
    Deno.writeTextFile(new URL(name, folder.url), text);
  await Deno.mkdir(new URL("sub/", folder.url));
  await write(
    "sub/[a].html",
    '<h1 id="top"></h1><a href="../index.html#top">x</a><a href="#top">y</a>',
  );
  await write(
    "index.html",
    `<a href="sub/[a].html#top">1</a> <a href="sub/">2</a> <a href="sub">3</a>
    <a href="https://example.org/none">4</a> <a href="sub&#x2F;[a].html">5</a>
    <a href="none.html">6</a> <img alt="" src="none.svg">
    <a href="sub/[a].html#none">7</a>`,
  );
  assertEquals(
    (await deadLinks(folder.url)).map(({ page, link }) => `${page}: ${link}`)
      .sort(),
    [
      "index.html: none.html",
      "index.html: none.svg",
      "index.html: sub/[a].html#none",
      "sub/[a].html: ../index.html#top",
    ],
  );
});
