/**
 * Everything about a release that can be checked offline: the score that JSR
 * gives, and that the changelog has the version.
 *
 * @module
 */
import { type ScoreItem, scoreItems } from "./score.ts";

const root = new URL("../../../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, root));

const { version } = JSON.parse(await read("deno.json")) as { version: string };
const changelog = await read("CHANGELOG.md");
const [, unreleased = ""] = /^## Unreleased\n([^]*?)(?=^## |$(?![^]))/m
  .exec(changelog) ?? [];
const items: ScoreItem[] = [
  ...await scoreItems(root),
  {
    name: "version",
    met:
      new RegExp(`^## ${RegExp.escape(version)} - \\d{4}-\\d\\d-\\d\\d$`, "m")
        .test(changelog) && unreleased.trim() === "",
    text:
      `CHANGELOG.md needs a section "## ${version} - DATE", and nothing under "Unreleased"`,
  },
];
for (const { name, met, text } of items) {
  console.log(`${met ? "ok     " : "MISSING"} ${name}: ${text}`);
}
console.log(
  "\nOnly JSR shows: the description, and the runtimes (Deno) of the package.",
);
if (items.some(({ met }) => !met)) Deno.exit(1);
