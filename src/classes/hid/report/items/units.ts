/**
 * Units by name (HID 1.11, 6.2.2.7). Each nibble of a unit is the exponent of
 * one quantity; the lowest is the system of units.
 *
 * @module
 */

/**
 * Units that have a name here. A dyne, with the unit exponent 5, is a newton; an
 * erg, with the unit exponent 7, is a joule.
 *
 * @category Report descriptors
 */
export type UnitName =
  | "none"
  | "centimeter"
  | "radian"
  | "inch"
  | "degree"
  | "gram"
  | "slug"
  | "second"
  | "kelvin"
  | "fahrenheit"
  | "ampere"
  | "candela"
  | "hertz"
  | "centimeter per second"
  | "centimeter per second squared"
  | "inch per second"
  | "inch per second squared"
  | "radian per second"
  | "radian per second squared"
  | "degree per second"
  | "degree per second squared"
  | "dyne"
  | "erg";

const UNITS: Readonly<Record<UnitName, number>> = {
  "none": 0,
  "centimeter": 0x11,
  "radian": 0x12,
  "inch": 0x13,
  "degree": 0x14,
  "gram": 0x0101,
  "slug": 0x0103,
  "second": 0x1001,
  "kelvin": 0x010001,
  "fahrenheit": 0x010003,
  "ampere": 0x100001,
  "candela": 0x01000001,
  "hertz": 0xf001,
  "centimeter per second": 0xf011,
  "centimeter per second squared": 0xe011,
  "inch per second": 0xf013,
  "inch per second squared": 0xe013,
  "radian per second": 0xf012,
  "radian per second squared": 0xe012,
  "degree per second": 0xf014,
  "degree per second squared": 0xe014,
  "dyne": 0xe111,
  "erg": 0xe121,
};

/** The names of units. */
export const UNIT_NAMES = Object.keys(UNITS) as readonly UnitName[];

const names = new Map<number, string>(
  Object.entries(UNITS).map(([name, code]) => [code, name]),
);

/** The code of a unit, or `undefined`. */
export function unitCode(name: string): number | undefined {
  return Object.hasOwn(UNITS, name) ? UNITS[name as UnitName] : undefined;
}

/** The name of a unit, if it has one. */
export function unitName(code: number): string | undefined {
  return names.get(code);
}
