/**
 * Names from the HID Usage Tables 1.5, for the devices that programs build.
 * Usages without a name here are given by number.
 *
 * @module
 */

/** Names of usage pages (section 3, table 1). */
export const PAGES: Readonly<Record<number, string>> = {
  0x01: "generic desktop",
  0x02: "simulation controls",
  0x03: "vr controls",
  0x04: "sport controls",
  0x05: "game controls",
  0x06: "generic device controls",
  0x07: "keyboard/keypad",
  0x08: "led",
  0x09: "button",
  0x0a: "ordinal",
  0x0b: "telephony device",
  0x0c: "consumer",
  0x0d: "digitizers",
  0x0e: "haptics",
  0x0f: "physical input device",
  0x10: "unicode",
  0x11: "soc",
  0x12: "eye and head trackers",
  0x14: "auxiliary display",
  0x20: "sensors",
  0x40: "medical instrument",
  0x41: "braille display",
  0x59: "lighting and illumination",
  0x80: "monitor",
  0x81: "monitor enumerated",
  0x82: "vesa virtual controls",
  0x84: "power",
  0x85: "battery system",
  0x8c: "barcode scanner",
  0x8d: "scales",
  0x8e: "magnetic stripe reader",
  0x90: "camera control",
  0x91: "arcade",
  0xf1d0: "fido alliance",
};

/** Names of usages: the first number of a run, and the names from there on. */
export const NAMED_USAGES: Readonly<
  Record<number, Readonly<Record<number, string>>>
> = {
  // Generic desktop (section 4)
  0x01: {
    0x01: "pointer, mouse",
    0x04: "joystick, gamepad, keyboard, keypad, multi-axis controller, " +
      "tablet pc system controls, water cooling device, " +
      "computer chassis device, wireless radio controls, " +
      "portable device control, system multi-axis controller, " +
      "spatial controller, assistive control, device dock, " +
      "dockable device, call state management control",
    0x30: "x, y, z, rx, ry, rz, slider, dial, wheel, hat switch, " +
      "counted buffer, byte count, motion wakeup, start, select",
    0x40: "vx, vy, vz, vbrx, vbry, vbrz, vno, feature notification, " +
      "resolution multiplier, qx, qy, qz, qw",
    0x80: "system control, system power down, system sleep, system wake up, " +
      "system context menu, system main menu, system app menu, " +
      "system menu help, system menu exit, system menu select, " +
      "system menu right, system menu left, system menu up, " +
      "system menu down, system cold restart, system warm restart, " +
      "d-pad up, d-pad down, d-pad right, d-pad left, index trigger, " +
      "palm trigger, thumbstick, system function shift, " +
      "system function shift lock, system function shift lock indicator, " +
      "system dismiss notification, system do not disturb",
    0xa0: "system dock, system undock, system setup, system break, " +
      "system debugger break, application break, " +
      "application debugger break, system speaker mute, system hibernate, " +
      "system microphone mute, system accessibility binding",
    0xb0: "system display invert, system display internal, " +
      "system display external, system display both, system display dual, " +
      "system display toggle int/ext mode, " +
      "system display swap primary/secondary, " +
      "system display toggle lcd autoscale",
    0xc6: "wireless radio button, wireless radio led, " +
      "wireless radio slider switch, " +
      "system display rotation lock button, " +
      "system display rotation lock slider switch, control enable",
  },
  // Simulation controls (section 5)
  0x02: {
    0x01: "flight simulation device, automobile simulation device, " +
      "tank simulation device, spaceship simulation device, " +
      "submarine simulation device, sailing simulation device, " +
      "motorcycle simulation device, sports simulation device, " +
      "airplane simulation device, helicopter simulation device, " +
      "magic carpet simulation device, bicycle simulation device",
    0x20: "flight control stick, flight stick, cyclic control, cyclic trim, " +
      "flight yoke, track control",
    0xb0: "aileron, aileron trim, anti-torque control, autopilot enable, " +
      "chaff release, collective control, dive brake, " +
      "electronic countermeasures, elevator, elevator trim, rudder, " +
      "throttle, flight communications, flare release, landing gear, " +
      "toe brake, trigger, weapons arm, weapons select, wing flaps, " +
      "accelerator, brake, clutch, shifter, steering, turret direction, " +
      "barrel elevation, dive plane, ballast, bicycle crank, handle bars, " +
      "front brake, rear brake",
  },
  // LED (section 11)
  0x08: {
    0x01: "num lock, caps lock, scroll lock, compose, kana, power, shift, " +
      "do not disturb, mute, tone enable, high cut filter, low cut filter, " +
      "equalizer enable, sound field on, surround on, repeat, stereo, " +
      "sampling rate detect, spinning, cav, clv, recording format detect, " +
      "off-hook, ring, message waiting, data mode, battery operation, " +
      "battery ok, battery low, speaker, headset, hold, microphone, " +
      "coverage, night mode, send calls, call pickup, conference, stand-by, " +
      "camera on, camera off, on-line, off-line, busy, ready, paper-out, " +
      "paper-jam, remote, forward, reverse, stop, rewind, fast forward, " +
      "play, pause, record, error, usage selected indicator, " +
      "usage in use indicator, usage multi mode indicator, indicator on, " +
      "indicator flash, indicator slow blink, indicator fast blink, " +
      "indicator off, flash on time, slow blink on time, " +
      "slow blink off time, fast blink on time, fast blink off time, " +
      "usage indicator color, indicator red, indicator green, " +
      "indicator amber, generic indicator, system suspend, " +
      "external power connected, indicator blue, indicator orange, " +
      "good status, warning status, rgb led, red led channel, " +
      "blue led channel, green led channel, led intensity, " +
      "system microphone mute",
    0x60: "player indicator, player 1, player 2, player 3, player 4, " +
      "player 5, player 6, player 7, player 8",
  },
  // Consumer (section 15)
  0x0c: {
    0x01: "consumer control, numeric key pad, programmable buttons, " +
      "microphone, headphone, graphic equalizer",
    0x20: "+10, +100, am/pm",
    0x30: "power, reset, sleep, sleep after, sleep mode, illumination, " +
      "function buttons",
    0x40: "menu, menu pick, menu up, menu down, menu left, menu right, " +
      "menu escape, menu value increase, menu value decrease",
    0x60: "data on screen, closed caption, closed caption select, vcr/tv, " +
      "broadcast mode, snapshot, still",
    0x69: "red menu button, green menu button, blue menu button, " +
      "yellow menu button",
    0x6f: "display brightness increment, display brightness decrement, " +
      "display brightness, display backlight toggle, " +
      "display set brightness to minimum, " +
      "display set brightness to maximum, display set auto brightness, " +
      "camera access enabled, camera access disabled, " +
      "camera access toggle, keyboard brightness increment, " +
      "keyboard brightness decrement, keyboard backlight set level",
    0x80: "selection, assign selection, mode step, recall last, " +
      "enter channel, order movie, channel, media selection, " +
      "media select computer, media select tv, media select www, " +
      "media select dvd, media select telephone, " +
      "media select program guide, media select video phone, " +
      "media select games, media select messages, media select cd, " +
      "media select vcr, media select tuner, quit, help, " +
      "media select tape, media select cable, media select satellite, " +
      "media select security, media select home, media select call, " +
      "channel increment, channel decrement, media select sap",
    0xb0: "play, pause, record, fast forward, rewind, scan next track, " +
      "scan previous track, stop, eject, random play, select disc, " +
      "enter disc, repeat, tracking, track normal, slow tracking, " +
      "frame forward, frame back, mark, clear mark, repeat from mark, " +
      "return to mark, search mark forward, search mark backwards, " +
      "counter reset, show counter, tracking increment, " +
      "tracking decrement, stop/eject, play/pause, play/skip, " +
      "voice command",
    0xe0: "volume, balance, mute, bass, treble, bass boost, surround mode, " +
      "loudness, mpx, volume increment, volume decrement",
    0x180: "application launch buttons, " +
      "al launch button configuration tool, " +
      "al programmable button configuration, " +
      "al consumer control configuration, al word processor, " +
      "al text editor, al spreadsheet, al graphics editor, " +
      "al presentation app, al database app, al email reader, " +
      "al newsreader, al voicemail, al contacts/address book, " +
      "al calendar/schedule, al task/project manager, " +
      "al log/journal/timecard, al checkbook/finance, al calculator, " +
      "al a/v capture/playback, al local machine browser, " +
      "al lan/wan browser, al internet browser, " +
      "al remote networking/isp connect, al network conference, " +
      "al network chat, al telephony/dialer, al logon, al logoff, " +
      "al logon/logoff, al terminal lock/screensaver, al control panel, " +
      "al command line processor/run, al process/task manager, " +
      "al select task/application, al next task/application, " +
      "al previous task/application, al preemptive halt task/application, " +
      "al integrated help center, al documents, al thesaurus, " +
      "al dictionary, al desktop, al spell check, al grammar check, " +
      "al wireless status, al keyboard layout, al virus protection, " +
      "al encryption, al screen saver, al alarms, al clock, " +
      "al file browser, al power status, al image browser, " +
      "al audio browser, al movie browser",
    0x200: "generic gui application controls, ac new, ac open, ac close, " +
      "ac exit, ac maximize, ac minimize, ac save, ac print, ac properties",
    0x21a: "ac undo, ac copy, ac cut, ac paste, ac select all, ac find, " +
      "ac find and replace, ac search, ac go to, ac home, ac back, " +
      "ac forward, ac stop, ac refresh, ac previous link, ac next link, " +
      "ac bookmarks, ac history, ac subscriptions, ac zoom in, " +
      "ac zoom out, ac zoom, ac full screen view, ac normal view, " +
      "ac view toggle, ac scroll up, ac scroll down, ac scroll, " +
      "ac pan left, ac pan right, ac pan, ac new window",
  },
  // Digitizers (section 16)
  0x0d: {
    0x01: "digitizer, pen, light pen, touch screen, touch pad, whiteboard, " +
      "coordinate measuring machine, 3d digitizer, stereo plotter, " +
      "articulated arm, armature, multiple point digitizer, " +
      "free space wand, device configuration",
    0x20: "stylus, puck, finger, device settings, character gesture",
    0x30: "tip pressure, barrel pressure, in range, touch, untouch, tap, " +
      "quality, data valid, transducer index, tablet function keys, " +
      "program change keys, battery strength, invert, x tilt, y tilt, " +
      "azimuth, altitude, twist, tip switch, secondary tip switch, " +
      "barrel switch, eraser, tablet pick, touch valid, width, height",
    0x51: "contact identifier, device mode, device identifier, " +
      "contact count, contact count maximum, scan time, surface switch, " +
      "button switch, pad type, secondary barrel switch, " +
      "transducer serial number",
    0x60: "latency mode",
  },
  // Haptics (section 17)
  0x0e: {
    0x01: "simple haptic controller",
    0x10: "waveform list, duration list",
    0x20: "auto trigger, manual trigger, auto trigger associated control, " +
      "intensity, repeat count, retrigger period, waveform vendor page, " +
      "waveform vendor id, waveform cutoff time",
    0x1001: "waveform none, waveform stop, waveform click, " +
      "waveform buzz continuous, waveform rumble continuous, " +
      "waveform press, waveform release",
  },
  // FIDO alliance (section 32, and CTAP 2.1, 11.2.8.2)
  0xf1d0: {
    0x01: "u2f authenticator device",
    0x20: "input report data, output report data",
  },
};
