/**
 * Formats of files, by the extensions of their names (PTP 6, MTP 1.1 appendix A).
 *
 * @module
 */
import { ObjectFormat } from "./codes.ts";

const BY_EXTENSION: Readonly<Record<string, number>> = {
  txt: 0x3004,
  htm: 0x3005,
  html: 0x3005,
  aif: 0x3007,
  aiff: 0x3007,
  wav: 0x3008,
  mp3: 0x3009,
  avi: 0x300a,
  mpg: 0x300b,
  mpeg: 0x300b,
  asf: 0x300c,
  jpg: 0x3801,
  jpeg: 0x3801,
  bmp: 0x3804,
  gif: 0x3807,
  jp2: 0x380f,
  png: 0x380b,
  tif: 0x380d,
  tiff: 0x380d,
  dng: 0x3811,
  heic: 0x3812,
  wma: 0xb901,
  ogg: 0xb902,
  aac: 0xb903,
  flac: 0xb906,
  wmv: 0xb981,
  mp4: 0xb982,
  m4v: 0xb982,
  "3gp": 0xb984,
  m3u: 0xba11,
  pls: 0xba14,
  xml: 0xba82,
  doc: 0xba83,
  xls: 0xba85,
  ppt: 0xba86,
};

/** The formats of all objects that a device offers. */
export const FORMATS: readonly number[] = [
  ObjectFormat.Undefined,
  ObjectFormat.Association,
  ...new Set(Object.values(BY_EXTENSION)),
];

/** The format of a file with this name. */
export function formatOf(name: string): number {
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  if (!Object.hasOwn(BY_EXTENSION, extension) || !name.includes(".")) {
    return ObjectFormat.Undefined;
  }
  return BY_EXTENSION[extension];
}
