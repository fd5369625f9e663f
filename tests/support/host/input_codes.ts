/**
 * Types and codes of input events by name, as `linux/input-event-codes.h` has
 * them and evtest prints them.
 *
 * @module
 */

/** The number of each type. */
const TYPES: Readonly<Record<string, number>> = {
  EV_SYN: 0x00,
  EV_KEY: 0x01,
  EV_REL: 0x02,
  EV_ABS: 0x03,
  EV_MSC: 0x04,
  EV_SW: 0x05,
  EV_LED: 0x11,
  EV_SND: 0x12,
  EV_REP: 0x14,
  EV_FF: 0x15,
  EV_PWR: 0x16,
  EV_FF_STATUS: 0x17,
};

/** Codes that follow each other: the first, and the names without the prefix. */
type Run = readonly [first: number, names: string];

/** The codes, by the prefix of their names. */
const CODES: Readonly<Record<string, readonly Run[]>> = {
  SYN: [[0x00, "REPORT CONFIG MT_REPORT DROPPED"]],
  KEY: [
    [
      0x1,
      "ESC 1 2 3 4 5 6 7 8 9 0 MINUS EQUAL BACKSPACE TAB Q W E R T Y U I " +
      "O P LEFTBRACE RIGHTBRACE ENTER LEFTCTRL A S D F G H J K L " +
      "SEMICOLON APOSTROPHE GRAVE LEFTSHIFT BACKSLASH Z X C V B N M COMMA " +
      "DOT SLASH RIGHTSHIFT KPASTERISK LEFTALT SPACE CAPSLOCK F1 F2 F3 F4 " +
      "F5 F6 F7 F8 F9 F10 NUMLOCK SCROLLLOCK KP7 KP8 KP9 KPMINUS KP4 KP5 " +
      "KP6 KPPLUS KP1 KP2 KP3 KP0 KPDOT",
    ],
    [
      0x55,
      "ZENKAKUHANKAKU 102ND F11 F12 RO KATAKANA HIRAGANA HENKAN " +
      "KATAKANAHIRAGANA MUHENKAN KPJPCOMMA KPENTER RIGHTCTRL KPSLASH " +
      "SYSRQ RIGHTALT LINEFEED HOME UP PAGEUP LEFT RIGHT END DOWN " +
      "PAGEDOWN INSERT DELETE MACRO MUTE VOLUMEDOWN VOLUMEUP POWER " +
      "KPEQUAL KPPLUSMINUS PAUSE SCALE KPCOMMA HANGEUL HANJA YEN LEFTMETA " +
      "RIGHTMETA COMPOSE STOP AGAIN PROPS UNDO FRONT COPY OPEN PASTE FIND " +
      "CUT HELP MENU CALC SETUP SLEEP WAKEUP FILE SENDFILE DELETEFILE " +
      "XFER PROG1 PROG2 WWW MSDOS COFFEE ROTATE_DISPLAY CYCLEWINDOWS MAIL " +
      "BOOKMARKS COMPUTER BACK FORWARD CLOSECD EJECTCD EJECTCLOSECD " +
      "NEXTSONG PLAYPAUSE PREVIOUSSONG STOPCD RECORD REWIND PHONE ISO " +
      "CONFIG HOMEPAGE REFRESH EXIT MOVE EDIT SCROLLUP SCROLLDOWN " +
      "KPLEFTPAREN KPRIGHTPAREN NEW REDO F13 F14 F15 F16 F17 F18 F19 F20 " +
      "F21 F22 F23 F24",
    ],
    [
      0xc8,
      "PLAYCD PAUSECD PROG3 PROG4 ALL_APPLICATIONS SUSPEND CLOSE PLAY " +
      "FASTFORWARD BASSBOOST PRINT HP CAMERA SOUND QUESTION EMAIL CHAT " +
      "SEARCH CONNECT FINANCE SPORT SHOP ALTERASE CANCEL BRIGHTNESSDOWN " +
      "BRIGHTNESSUP MEDIA SWITCHVIDEOMODE KBDILLUMTOGGLE KBDILLUMDOWN " +
      "KBDILLUMUP SEND REPLY FORWARDMAIL SAVE DOCUMENTS BATTERY BLUETOOTH " +
      "WLAN UWB UNKNOWN VIDEO_NEXT VIDEO_PREV BRIGHTNESS_CYCLE " +
      "BRIGHTNESS_AUTO DISPLAY_OFF WWAN RFKILL MICMUTE",
    ],
    [
      0x160,
      "OK SELECT GOTO CLEAR POWER2 OPTION INFO TIME VENDOR ARCHIVE " +
      "PROGRAM CHANNEL FAVORITES EPG PVR MHP LANGUAGE TITLE SUBTITLE " +
      "ANGLE FULL_SCREEN MODE KEYBOARD ASPECT_RATIO PC TV TV2 VCR VCR2 " +
      "SAT SAT2 CD TAPE RADIO TUNER PLAYER TEXT DVD AUX MP3 AUDIO VIDEO " +
      "DIRECTORY LIST MEMO CALENDAR RED GREEN YELLOW BLUE CHANNELUP " +
      "CHANNELDOWN FIRST LAST AB NEXT RESTART SLOW SHUFFLE BREAK PREVIOUS " +
      "DIGITS TEEN TWEN VIDEOPHONE GAMES ZOOMIN ZOOMOUT ZOOMRESET " +
      "WORDPROCESSOR EDITOR SPREADSHEET GRAPHICSEDITOR PRESENTATION " +
      "DATABASE NEWS VOICEMAIL ADDRESSBOOK MESSENGER DISPLAYTOGGLE " +
      "SPELLCHECK LOGOFF DOLLAR EURO FRAMEBACK FRAMEFORWARD CONTEXT_MENU " +
      "MEDIA_REPEAT 10CHANNELSUP 10CHANNELSDOWN IMAGES",
    ],
    [
      0x1bc,
      "NOTIFICATION_CENTER PICKUP_PHONE HANGUP_PHONE LINK_PHONE DEL_EOL " +
      "DEL_EOS INS_LINE DEL_LINE",
    ],
    [
      0x240,
      "BUTTONCONFIG TASKMANAGER JOURNAL CONTROLPANEL APPSELECT " +
      "SCREENSAVER VOICECOMMAND ASSISTANT KBD_LAYOUT_NEXT EMOJI_PICKER " +
      "DICTATE",
    ],
    [0x250, "BRIGHTNESS_MIN BRIGHTNESS_MAX"],
    [
      0x260,
      "KBDINPUTASSIST_PREV KBDINPUTASSIST_NEXT KBDINPUTASSIST_PREVGROUP " +
      "KBDINPUTASSIST_NEXTGROUP KBDINPUTASSIST_ACCEPT " +
      "KBDINPUTASSIST_CANCEL",
    ],
  ],
  BTN: [
    [0x100, "0 1 2 3 4 5 6 7 8 9"],
    [0x110, "LEFT RIGHT MIDDLE SIDE EXTRA FORWARD BACK TASK"],
    [
      0x120,
      "TRIGGER THUMB THUMB2 TOP TOP2 PINKIE BASE BASE2 BASE3 BASE4 BASE5 " +
      "BASE6",
    ],
    [
      0x12f,
      "DEAD SOUTH EAST C NORTH WEST Z TL TR TL2 TR2 SELECT START MODE " +
      "THUMBL THUMBR",
    ],
    [
      0x140,
      "TOOL_PEN TOOL_RUBBER TOOL_BRUSH TOOL_PENCIL TOOL_AIRBRUSH " +
      "TOOL_FINGER TOOL_MOUSE TOOL_LENS TOOL_QUINTTAP STYLUS3 TOUCH " +
      "STYLUS STYLUS2 TOOL_DOUBLETAP TOOL_TRIPLETAP TOOL_QUADTAP",
    ],
    [0x220, "DPAD_UP DPAD_DOWN DPAD_LEFT DPAD_RIGHT"],
    [
      0x2c0,
      "TRIGGER_HAPPY1 TRIGGER_HAPPY2 TRIGGER_HAPPY3 TRIGGER_HAPPY4 " +
      "TRIGGER_HAPPY5 TRIGGER_HAPPY6 TRIGGER_HAPPY7 TRIGGER_HAPPY8 " +
      "TRIGGER_HAPPY9 TRIGGER_HAPPY10 TRIGGER_HAPPY11 TRIGGER_HAPPY12 " +
      "TRIGGER_HAPPY13 TRIGGER_HAPPY14 TRIGGER_HAPPY15 TRIGGER_HAPPY16 " +
      "TRIGGER_HAPPY17 TRIGGER_HAPPY18 TRIGGER_HAPPY19 TRIGGER_HAPPY20 " +
      "TRIGGER_HAPPY21 TRIGGER_HAPPY22 TRIGGER_HAPPY23 TRIGGER_HAPPY24 " +
      "TRIGGER_HAPPY25 TRIGGER_HAPPY26 TRIGGER_HAPPY27 TRIGGER_HAPPY28 " +
      "TRIGGER_HAPPY29 TRIGGER_HAPPY30 TRIGGER_HAPPY31 TRIGGER_HAPPY32 " +
      "TRIGGER_HAPPY33 TRIGGER_HAPPY34 TRIGGER_HAPPY35 TRIGGER_HAPPY36 " +
      "TRIGGER_HAPPY37 TRIGGER_HAPPY38 TRIGGER_HAPPY39 TRIGGER_HAPPY40",
    ],
  ],
  REL: [
    [0x00, "X Y Z RX RY RZ HWHEEL DIAL WHEEL MISC"],
    [0x0b, "WHEEL_HI_RES HWHEEL_HI_RES"],
  ],
  ABS: [
    [0x00, "X Y Z RX RY RZ THROTTLE RUDDER WHEEL GAS BRAKE"],
    [0x10, "HAT0X HAT0Y HAT1X HAT1Y HAT2X HAT2Y HAT3X HAT3Y"],
    [0x18, "PRESSURE DISTANCE TILT_X TILT_Y TOOL_WIDTH"],
    [0x20, "VOLUME"],
    [0x28, "MISC"],
  ],
  MSC: [[0x00, "SERIAL PULSELED GESTURE RAW SCAN TIMESTAMP"]],
  LED: [
    [
      0x00,
      "NUML CAPSL SCROLLL COMPOSE KANA SLEEP SUSPEND MUTE MISC MAIL CHARGING",
    ],
  ],
  REP: [[0x00, "DELAY PERIOD"]],
  FF: [
    [
      0x50,
      "RUMBLE PERIODIC CONSTANT SPRING FRICTION DAMPER INERTIA RAMP SQUARE " +
      "TRIANGLE SINE SAW_UP SAW_DOWN CUSTOM",
    ],
    [0x60, "GAIN AUTOCENTER"],
  ],
};

const nameOfType = new Map(
  Object.entries(TYPES).map(([name, number]) => [number, name]),
);

/** The type of the codes with a prefix. */
function typeOf(prefix: string): string {
  return prefix === "BTN" ? "EV_KEY" : `EV_${prefix}`;
}

const numberOfCode = new Map<string, number>();
const nameOfCode = new Map<string, string>();
for (const [prefix, runs] of Object.entries(CODES)) {
  for (const [first, names] of runs) {
    names.split(" ").forEach((name, index) => {
      const code = first + index;
      numberOfCode.set(`${prefix}_${name}`, code);
      nameOfCode.set(`${typeOf(prefix)} ${code}`, `${prefix}_${name}`);
    });
  }
}

/** The name of a type; one without a name is `"EV_0x1f"`. */
export function typeName(type: number): string {
  return nameOfType.get(type) ?? `EV_0x${type.toString(16)}`;
}

/**
 * The name of a code, such as `"KEY_A"` or `"REL_X"`; one without a name is
 * `"KEY_0x2ff"`.
 *
 * @param type The name of its type.
 */
export function codeName(type: string, code: number): string {
  return nameOfCode.get(`${type} ${code}`) ??
    `${type.replace(/^EV_/, "")}_0x${code.toString(16)}`;
}

/** The numbers of the type and the code that a name stands for. */
export function codeNumbers(name: string): { type: number; code: number } {
  const type = TYPES[typeOf(name.slice(0, name.indexOf("_")))];
  const code = numberOfCode.get(name) ?? Number(name.replace(/^[A-Z]+_/, ""));
  if (type === undefined || !Number.isInteger(code)) {
    throw new TypeError(`Unknown code of an input event: "${name}"`);
  }
  return { type, code };
}

/** All codes that have a name here, with their numbers. */
export function knownCodes(): ReadonlyMap<string, number> {
  return numberOfCode;
}
