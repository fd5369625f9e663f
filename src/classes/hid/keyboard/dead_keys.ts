/**
 * What a dead key and the key after it type together, as the compose table of
 * libX11 for en_US.UTF-8 has it: Latin letters, and the accent by itself where
 * that is a character of its own. Some dead keys type a combining accent instead;
 * that is no text that stands alone.
 *
 * @module
 */

/** Stands before the accent of a dead key, as in the charts of Unicode: "◌́" is a dead acute. */
export const DEAD = "\u25cc";

/**
 * For each accent: what it types with the space bar, and when it is pressed
 * twice, both empty if that is a combining accent or nothing; and the letters
 * that it goes with. What they become is the composed letter of Unicode (NFC).
 */
const ACCENTS: Readonly<Record<string, readonly [string, string, string]>> = {
  // Grave
  "\u0300": ["`", "`", "AEINOUWYaeinouwyÂÊÔÜâêôüĂăĒēŌōƠơƯư"],
  // Acute
  "\u0301": [
    "'",
    "´",
    "ACEGIKLMNOPRSUWYZacegiklmnoprsuwyzÂÅÆÇÊÏÔÕØÜâåæçêïôõøüĂăĒēŌōŨũƠơƯư",
  ],
  // Circumflex
  "\u0302": ["^", "^", "ACEGHIJOSUWYZaceghijosuwyzẠạẸẹỌọ"],
  // Tilde
  "\u0303": ["~", "~", "AEINOUVYaeinouvyÂÊÔâêôĂăƠơƯư"],
  // Macron
  "\u0304": ["¯", "¯", "AEGIOUYaegiouyÄÆÕÖÜäæõöüǪǫȦȧȮȯḶḷṚṛ"],
  // Breve
  "\u0306": ["˘", "˘", "AEGIOUaegiouȨȩẠạ"],
  // Dot above; with "i" it takes the dot away
  "\u0307": [
    "˙",
    "˙",
    "ABCDEFGHIMNOPRSTWXYZabcdefghmnoprstwxyzŚśŠšſṢṣ",
  ],
  // Diaeresis
  "\u0308": ['"', "¨", "AEHIOUWXYaehiotuwxyÕõŪū"],
  // Hook above
  "\u0309": ["", "", "AEIOUYaeiouyÂÊÔâêôĂăƠơƯư"],
  // Ring above
  "\u030a": ["°", "°", "AUauwy"],
  // Double acute
  "\u030b": ["˝", "˝", "OUou"],
  // Caron
  "\u030c": ["ˇ", "ˇ", "ACDEGHIKLNORSTUZacdeghijklnorstuzÜüƷʒ"],
  // Horn
  "\u031b": ["", "", "OUouÒÓÙÚòóùúỎỏỦủ"],
  // Dot below
  "\u0323": [
    "",
    "",
    "ABDEHIKLMNORSTUVWYZabdehiklmnorstuvwyzÂÊÔâêôĂăƠơƯư",
  ],
  // Cedilla
  "\u0327": ["¸", "¸", "CDEGHKLNRSTcdeghklnrstĆćĔĕ"],
  // Ogonek
  "\u0328": ["˛", "˛", "AEIOUaeiou"],
  // Macron below
  "\u0331": ["", "", "BDKLNRTZbdhklnrtz"],
  // Stroke
  "\u0338": ["/", "/", ""],
};

/** Compositions that Unicode has no composed letter for: base and result in turn. */
const OTHERS: Readonly<Record<string, string>> = {
  "\u0307": "iı",
  "\u0338":
    "AȺaⱥBɃbƀCȻcȼDĐdđEɆeɇGǤgǥHĦhħIƗiɨJɈjɉLŁlłOØoøÓǾóǿPⱣpᵽRɌrɍTŦtŧUɄuʉYɎyɏZƵzƶ",
};

/**
 * Returns what a dead key types with another key, by what that key types alone.
 * The dead key itself stands for pressing it twice.
 *
 * @param key The dead key: `DEAD` and its accent.
 */
export function compositionsOf(key: string): ReadonlyMap<string, string> {
  const accent = key.slice(DEAD.length);
  const found = new Map<string, string>();
  const [spacing, twice, letters] = ACCENTS[accent] ?? ["", "", ""];
  for (const letter of letters) {
    found.set(letter, (letter + accent).normalize("NFC"));
  }
  const others = [...OTHERS[accent] ?? ""];
  for (let index = 0; index < others.length; index += 2) {
    found.set(others[index], others[index + 1]);
  }
  if (spacing !== "") found.set(" ", spacing).set(key, twice);
  return found;
}
