import type { FunctionDefinition, LocalizedString } from "@usb/gadget";
import { validateFunction } from "@usb/gadget/inspect";
import { assertEquals } from "@std/assert";

type Expected = readonly (readonly [path: string, message: string])[];

function problems(
  description: LocalizedString,
  expected: Expected,
  parts: Partial<FunctionDefinition> = {},
): void {
  const found = validateFunction({
    name: "f",
    interfaces: [{ class: 0xff, description }],
    ...parts,
  });
  assertEquals(
    found.map((it) => [it.path, it.message]),
    expected.map((it) => [...it]),
  );
}

const PATH = "interfaces[0].description";

Deno.test("a description has up to 126 bytes of UTF-8", () => {
  problems("a".repeat(126), []);
  problems("數".repeat(42), []);
  problems("a".repeat(127), [[
    PATH,
    "The text takes 127 bytes in UTF-8, but the kernel takes 126 at most: shorten it",
  ]]);
  problems("數".repeat(43), [[
    PATH,
    "The text takes 129 bytes in UTF-8, but the kernel takes 126 at most: shorten it",
  ]]);
});

Deno.test("a description is text of whole characters", () => {
  problems("😀", []);
  problems("", [[
    PATH,
    "The text is empty: leave it out, the host then asks for none",
  ]]);
  problems("a\0b", [[
    PATH,
    "The text has a NUL character, which ends a string: remove it",
  ]]);
  problems("\ud83d", [[
    PATH,
    "The text has half of a surrogate pair, which is no character: remove it",
  ]]);
  problems(7 as never, [[
    PATH,
    "Description is 7: give a string, or an object with a string for each language",
  ]]);
  problems({ "en-US": 7 as never }, [[
    `${PATH}.en-US`,
    "The value is 7: give a string",
  ]]);
});

Deno.test("a language has a tag or a LANGID", () => {
  problems({ "en-us": "a", 0x0407: "b", "0x0411": "c" }, []);
  problems({ "en-US": "a", english: "b" }, [[
    `${PATH}["english"]`,
    'Language "english" has no known LANGID: use a tag such as "en-US", or the LANGID, 1 to 65535',
  ]]);
  problems("a", [[
    "languages[1]",
    'Language 65536 has no known LANGID: use a tag such as "en-US", or the LANGID, 1 to 65535',
  ]], { languages: [0xffff, 0x10000] });
  problems("a", [[
    "languages[0]",
    'Language 0 has no known LANGID: use a tag such as "en-US", or the LANGID, 1 to 65535',
  ]], { languages: [0] });
});

Deno.test("a language is named once", () => {
  problems("a", [[
    "languages[1]",
    "Language 1033 is named twice: name it once",
  ]], { languages: ["en-US", 0x0409] });
  problems({ "en-US": "a", "0x0409": "b" }, [[
    `${PATH}["0x0409"]`,
    "Language en-US is given twice: give it once",
  ]]);
  problems("a", [[
    "languages",
    'There is no language: name one, such as "en-US", or leave languages out',
  ]], { languages: [] });
});

Deno.test("every text is there in every language of the function", () => {
  problems({ "en-US": "a" }, [[
    PATH,
    'Language "de-DE" is missing, but every text needs all languages: add text for "de-DE"',
  ]], { languages: ["en-US", "de-DE"] });
  problems({ "en-US": "a", "de-DE": "b" }, [[
    `${PATH}["de-DE"]`,
    'Language "de-DE" is not one of the function: add it to languages',
  ]], { languages: ["en-US"] });
  problems({ "en-US": "a" }, [
    [
      PATH,
      'Language "fr-FR" is missing, but every text needs all languages: add text for "fr-FR"',
    ],
    [
      "interfaces[0].alternates[0].description",
      'Language "en-US" is missing, but every text needs all languages: add text for "en-US"',
    ],
  ], {
    interfaces: [{
      class: 0xff,
      description: { "en-US": "a" },
      alternates: [{ description: { "fr-FR": "b" } }],
    }],
  });
});

Deno.test("the host can read 126 languages at most", () => {
  const languages = (length: number) =>
    Array.from({ length }, (_, i) => 0x0401 + i);
  problems("a", [], { languages: languages(126) });
  problems("a", [[
    "languages",
    "There are 127 languages, but the host can read 126 at most: use fewer",
  ]], { languages: languages(127) });
});
