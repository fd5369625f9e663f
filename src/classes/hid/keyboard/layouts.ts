/**
 * Keyboard layouts: what each key types on hosts that have them.
 *
 * They are the default layouts us, gb, de, fr, es, it, se, ch and jp (jp with the
 * model jp106) of xkeyboard-config 2.35.1, as libxkbcommon reads them. What two
 * keys type is left out on the one that only Linux has, so that text arrives
 * well on other systems too: "{" on AltGr+7 of the Spanish layout, and the key
 * right of the left Shift, which US and Japanese keyboards do not have.
 *
 * @module
 */
import type { KeyboardLayout } from "./layout.ts";

/**
 * A ready-made layout, by the language and region of its keyboards. They are the
 * default layouts of Linux for them (xkeyboard-config 2.35.1). Other systems
 * differ in characters that few keyboards show, and in what a dead key types
 * with the space bar.
 *
 * @category Devices
 */
export type KeyboardLayoutName =
  | "en-US"
  | "en-GB"
  | "de-DE"
  | "fr-FR"
  | "es-ES"
  | "it-IT"
  | "sv-SE"
  | "de-CH"
  | "ja-JP";

/** The ready-made layouts. */
export const LAYOUTS: Readonly<Record<KeyboardLayoutName, KeyboardLayout>> = {
  "en-US": {
    name: "en-US",
    plain: [
      "`1234567890-=",
      "qwertyuiop[]",
      "asdfghjkl;'\\",
      " zxcvbnm,./",
    ],
    shift: [
      "~!@#$%^&*()_+",
      "QWERTYUIOP{}",
      'ASDFGHJKL:"|',
      " ZXCVBNM<>?",
    ],
  },
  "en-GB": {
    name: "en-GB",
    plain: [
      "`1234567890-=",
      "qwertyuiop[]",
      "asdfghjkl;'#",
      "\\zxcvbnm,./",
    ],
    shift: [
      '¬!"£$%^&*()_+',
      "QWERTYUIOP{}",
      "ASDFGHJKL:@~",
      "|ZXCVBNM<>?",
    ],
    altGr: [
      "|¹²³€½¾{[]}\\◌̧",
      "@ſe¶ŧ←↓→øþ◌̈◌̃",
      "æßðđŋħ◌̉ĸł◌́◌̂◌̀",
      "|«»¢„“”µ•·◌̣",
    ],
    shiftAltGr: [
      "|¡⅛£¼⅜⅝⅞™±°¿◌̨",
      "Ω§E®Ŧ¥↑ıØÞ◌̊◌̄",
      "ÆẞÐªŊĦ◌̛&Ł◌̋◌̌◌̆",
      "¦<>©‚‘’º×÷◌̇",
    ],
  },
  "de-DE": {
    name: "de-DE",
    plain: [
      "◌̂1234567890ß◌́",
      "qwertzuiopü+",
      "asdfghjklöä#",
      "<yxcvbnm,.-",
    ],
    shift: [
      '°!"§$%&/()=?◌̀',
      "QWERTZUIOPÜ*",
      "ASDFGHJKLÖÄ'",
      ">YXCVBNM;:_",
    ],
    altGr: [
      "′¹²³¼½¬{[]}\\◌̧",
      "@ſ€¶ŧ←↓→øþ◌̈~",
      "æſðđŋħ◌̣ĸł◌̋◌̂’",
      "|»«¢„“”µ·…–",
    ],
    shiftAltGr: [
      "″¡⅛£¤⅜⅝⅞™±°¿◌̨",
      "Ω§€®Ŧ¥↑ıØÞ◌̊¯",
      "ÆẞÐªŊĦ◌̇&Ł◌̣◌̌◌̆",
      "◌̱›‹©‚‘’º×÷—",
    ],
  },
  "fr-FR": {
    name: "fr-FR",
    plain: [
      "²&é\"'(-è_çà)=",
      "azertyuiop◌̂$",
      "qsdfghjklmù*",
      "<wxcvbn,;:!",
    ],
    shift: [
      "~1234567890°+",
      "AZERTYUIOP◌̈£",
      "QSDFGHJKLM%µ",
      ">WXCVBN?./§",
    ],
    altGr: [
      "¬¹~#{[|`\\^@]}",
      "æ«€¶ŧ←↓→øþ◌̈¤",
      "@ßðđŋħ◌̉ĸłµ◌̂◌̀",
      "|ł»¢„“”◌́•·◌̣",
    ],
    shiftAltGr: [
      "¬¡⅛£$⅜⅝⅞™±°¿◌̨",
      "Æ<¢®Ŧ¥↑ıØÞ◌̊◌̄",
      "ΩẞÐªŊĦ◌̛&Łº◌̌◌̆",
      "¦Ł>©‚‘’◌̋×÷◌̇",
    ],
  },
  "es-ES": {
    name: "es-ES",
    plain: [
      "º1234567890'¡",
      "qwertyuiop◌̀+",
      "asdfghjklñ◌́ç",
      "<zxcvbnm,.-",
    ],
    shift: [
      'ª!"·$%&/()=?¿',
      "QWERTYUIOP◌̂*",
      "ASDFGHJKLÑ◌̈Ç",
      ">ZXCVBNM;:_",
    ],
    altGr: [
      "\\|@#~½¬    \\◌̧",
      "@ſ€¶ŧ←↓→øþ[]",
      "æßðđŋħ◌̉ĸł◌̃{}",
      "|«»¢„“”µ•·◌̣",
    ],
    shiftAltGr: [
      "\\¡⅛£$⅜⅝⅞™±°¿◌̨",
      "Ω§¢®Ŧ¥↑ıØÞ◌̊◌̄",
      "ÆẞÐªŊĦ◌̛&Ł◌̋◌̌◌̆",
      "¦<>©‚‘’º×÷◌̇",
    ],
  },
  "it-IT": {
    name: "it-IT",
    plain: [
      "\\1234567890'ì",
      "qwertyuiopè+",
      "asdfghjklòàù",
      "<zxcvbnm,.-",
    ],
    shift: [
      '|!"£$%&/()=?^',
      "QWERTYUIOPé*",
      "ASDFGHJKLç°§",
      ">ZXCVBNM;:_",
    ],
    altGr: [
      "¬¹²³¼½¬    `~",
      " ſ€¶ŧ←↓→øþ[]",
      "æßðđŋħ◌̉ĸł@#◌̀",
      "««»¢“”ñµ◌́·◌̄",
    ],
    shiftAltGr: [
      "¦¡◌̋◌̃⅛⅜⅝⅞™±◌̨¿◌̂",
      "Ω§¢®Ŧ¥↑ıØÞ{}",
      "ÆẞÐªŊĦ◌̛&Ł◌̧◌̊◌̆",
      "»<>©‘’Ñº×◌̈÷",
    ],
  },
  "sv-SE": {
    name: "sv-SE",
    plain: [
      "§1234567890+◌́",
      "qwertyuiopå◌̈",
      "asdfghjklöä'",
      "<zxcvbnm,.-",
    ],
    shift: [
      '½!"#¤%&/()=?◌̀',
      "QWERTYUIOPÅ◌̂",
      "ASDFGHJKLÖÄ*",
      ">ZXCVBNM;:_",
    ],
    altGr: [
      "¶¡@£$€¥{[]}\\±",
      "@ſ€®þ←↓→œþ◌̈◌̃",
      "ªßðđŋħ◌̉ĸłøæ´",
      "|«»©„“”µ◌̧·◌̣",
    ],
    shiftAltGr: [
      "¾¹²³¼¢⅝÷«»°¿¬",
      "Ω§¢®Þ¥↑ıŒÞ◌̊◌̌",
      "ºẞÐªŊĦ◌̛&ŁØÆ×",
      "¦<>©‚‘’º◌̨◌̇◌̇",
      "\u00a0",
    ],
  },
  "de-CH": {
    name: "de-CH",
    plain: [
      "§1234567890'◌̂",
      "qwertzuiopü◌̈",
      "asdfghjklöä$",
      "<yxcvbnm,.-",
    ],
    shift: [
      '°+"*ç%&/()=?◌̀',
      "QWERTZUIOPè!",
      "ASDFGHJKLéà£",
      ">YXCVBNM;:_",
    ],
    altGr: [
      "  @#¼½¬|¢  ◌́◌̃",
      "@ſ€¶ŧ←↓→œþ[]",
      "æßðđŋħ◌̉ĸł◌́{}",
      "\\«»¢„“”µ•·◌̣",
    ],
    shiftAltGr: [
      "¬¡⅛£$⅜⅝⅞™±°¿◌̨",
      "Ω§E®Ŧ¥↑ıŒÞ◌̊◌̄",
      "ÆẞÐªŊĦ◌̛&Ł◌̋◌̌◌̆",
      "¦<>©‚‘’º×÷◌̇",
    ],
  },
  "ja-JP": {
    name: "ja-JP",
    plain: [
      " 1234567890-^\\",
      "qwertyuiop@[",
      "asdfghjkl;:]",
      " zxcvbnm,./\\",
    ],
    shift: [
      " !\"#$%&'() =~|",
      "QWERTYUIOP`{",
      "ASDFGHJKL+*}",
      " ZXCVBNM<>?_",
    ],
  },
};
