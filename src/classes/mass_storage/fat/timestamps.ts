/**
 * Points in time as FAT stores them (FAT specification, section 6.3).
 *
 * @module
 */

/** A date and a time of day, to two seconds. */
export interface Timestamp {
  readonly date: number;
  readonly time: number;
}

/** The years that can be stored. */
const FIRST_YEAR = 1980;
const LAST_YEAR = 2107;

/**
 * Encodes a time in the local time zone, of which FAT knows nothing: the host
 * shows it as its own local time. A time before 1980 or after 2107 becomes the
 * first or the last one that can be stored.
 */
export function encodeTime(when: Date): Timestamp {
  const year = when.getFullYear();
  if (year < FIRST_YEAR) return { date: dateOf(FIRST_YEAR, 1, 1), time: 0 };
  if (year > LAST_YEAR) {
    return { date: dateOf(LAST_YEAR, 12, 31), time: timeOf(23, 59, 58) };
  }
  return {
    date: dateOf(year, when.getMonth() + 1, when.getDate()),
    time: timeOf(when.getHours(), when.getMinutes(), when.getSeconds()),
  };
}

function dateOf(year: number, month: number, day: number): number {
  return (year - FIRST_YEAR) << 9 | month << 5 | day;
}

function timeOf(hours: number, minutes: number, seconds: number): number {
  return hours << 11 | minutes << 5 | seconds >> 1;
}
