/**
 * Languages of string descriptors.
 *
 * @module
 */

import { checkArgument, NUMBER } from "../arguments/rules.ts";

/**
 * Language identifiers (LANGIDs) by language tag, from "Language Identifiers (LANGIDs)" of the USB Implementers Forum.
 *
 * @category USB vocabulary
 */
export const LANGUAGE_IDS: Readonly<Record<string, number>> = {
  "ar-SA": 0x0401,
  "bg-BG": 0x0402,
  "ca-ES": 0x0403,
  "zh-TW": 0x0404,
  "cs-CZ": 0x0405,
  "da-DK": 0x0406,
  "de-DE": 0x0407,
  "el-GR": 0x0408,
  "en-US": 0x0409,
  "fi-FI": 0x040b,
  "fr-FR": 0x040c,
  "he-IL": 0x040d,
  "hu-HU": 0x040e,
  "is-IS": 0x040f,
  "it-IT": 0x0410,
  "ja-JP": 0x0411,
  "ko-KR": 0x0412,
  "nl-NL": 0x0413,
  "nb-NO": 0x0414,
  "pl-PL": 0x0415,
  "pt-BR": 0x0416,
  "ro-RO": 0x0418,
  "ru-RU": 0x0419,
  "hr-HR": 0x041a,
  "sk-SK": 0x041b,
  "sq-AL": 0x041c,
  "sv-SE": 0x041d,
  "th-TH": 0x041e,
  "tr-TR": 0x041f,
  "ur-PK": 0x0420,
  "id-ID": 0x0421,
  "uk-UA": 0x0422,
  "be-BY": 0x0423,
  "sl-SI": 0x0424,
  "et-EE": 0x0425,
  "lv-LV": 0x0426,
  "lt-LT": 0x0427,
  "fa-IR": 0x0429,
  "vi-VN": 0x042a,
  "hy-AM": 0x042b,
  "eu-ES": 0x042d,
  "mk-MK": 0x042f,
  "af-ZA": 0x0436,
  "ka-GE": 0x0437,
  "hi-IN": 0x0439,
  "ms-MY": 0x043e,
  "kk-KZ": 0x043f,
  "bn-IN": 0x0445,
  "ta-IN": 0x0449,
  "zh-CN": 0x0804,
  "de-CH": 0x0807,
  "en-GB": 0x0809,
  "es-MX": 0x080a,
  "fr-BE": 0x080c,
  "it-CH": 0x0810,
  "nl-BE": 0x0813,
  "nn-NO": 0x0814,
  "pt-PT": 0x0816,
  "zh-HK": 0x0c04,
  "de-AT": 0x0c07,
  "en-AU": 0x0c09,
  "es-ES": 0x0c0a,
  "fr-CA": 0x0c0c,
  "zh-SG": 0x1004,
  "de-LU": 0x1007,
  "en-CA": 0x1009,
  "fr-CH": 0x100c,
  "en-NZ": 0x1409,
  "en-IE": 0x1809,
  "en-ZA": 0x1c09,
};

const TAGS = new Map<number, string>();
const IDS_BY_LOWER_CASE = new Map<string, number>();
for (const [tag, id] of Object.entries(LANGUAGE_IDS)) {
  TAGS.set(id, tag);
  IDS_BY_LOWER_CASE.set(tag.toLowerCase(), id);
}

/**
 * Returns the LANGID of a language.
 *
 * @param language A language tag such as `"en-US"`, in upper or lower case, or a LANGID as a number or in digits
 * (`"1033"`, `"0x0409"`).
 * @returns The LANGID, or `undefined` for an unknown tag, or a number outside 1 to 0xffff.
 *
 * @example Usage
 * ```ts
 * import { languageId } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(languageId("en-US"), 0x0409);
 * assertEquals(languageId("0x0411"), 0x0411);
 * assertEquals(languageId("xx-XX"), undefined);
 * ```
 *
 * @category USB vocabulary
 */
export function languageId(language: string | number): number | undefined {
  // Callers without type checking may pass anything.
  const id = typeof language !== "string"
    ? language
    : IDS_BY_LOWER_CASE.get(language.toLowerCase()) ??
      (/^(0x[0-9a-f]{1,4}|[0-9]{1,5})$/i.test(language)
        ? Number(language)
        : undefined);
  if (id === undefined || !Number.isInteger(id)) return undefined;
  return id > 0 && id <= 0xffff ? id : undefined;
}

/**
 * Returns the language tag of a LANGID, or the LANGID in hexadecimal if it is unknown.
 *
 * @example Usage
 * ```ts
 * import { languageTag } from "@usb/gadget";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(languageTag(0x0409), "en-US");
 * assertEquals(languageTag(0x0500), "0x0500");
 * ```
 *
 * @category USB vocabulary
 */
export function languageTag(id: number): string {
  checkArgument("name language", "the LANGID", id, NUMBER);
  return TAGS.get(id) ?? `0x${id.toString(16).padStart(4, "0")}`;
}

/** Texts by their LANGIDs as definitions have them: one text if there is only that of American English. */
export function textsByTag(
  texts: ReadonlyMap<number, string>,
): string | Record<string, string> {
  const [[id, text] = [0, ""]] = texts;
  if (texts.size === 1 && id === LANGUAGE_IDS["en-US"]) return text;
  return Object.fromEntries(
    [...texts].map(([id, text]) => [languageTag(id), text]),
  );
}
