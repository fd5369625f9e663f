/**
 * Dates as texts: `YYYYMMDDThhmmss`, optionally with tenths of a second and a time
 * zone (PTP 5.3.5.1).
 *
 * @module
 */

const FORM =
  /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(?:\.\d+)?(?:(Z)|([+-])(\d\d)(\d\d))?$/;

/**
 * A date in the local time of this machine, which is how hosts read it, without a
 * time zone: some hosts refuse a date that has one.
 *
 * @param time Milliseconds since 1970. Years after 9999 give an empty text.
 */
export function encodeDate(time: number | undefined): string {
  const date = new Date(time ?? NaN);
  const year = date.getFullYear();
  if (!(year >= 0 && year <= 9999)) return "";
  const two = (value: number) => String(value).padStart(2, "0");
  const day = String(year).padStart(4, "0") + two(date.getMonth() + 1) +
    two(date.getDate());
  const clock = two(date.getHours()) + two(date.getMinutes()) +
    two(date.getSeconds());
  return `${day}T${clock}`;
}

/**
 * The time of a date, in milliseconds since 1970; `undefined` if it is not one. A
 * date without a time zone is local.
 */
export function decodeDate(text: string): number | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7)
    .map(Number);
  const [, , , , , , , utc, sign, hours, minutes] = match;
  const isLocal = utc === undefined && sign === undefined;
  const date = new Date(0);
  if (isLocal) {
    date.setFullYear(year, month - 1, day);
    date.setHours(hour, minute, second);
    return isDay(month, day) ? date.getTime() : undefined;
  }
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const offset = sign === undefined
    ? 0
    : Number(`${sign}1`) * (60 * Number(hours) + Number(minutes));
  return isDay(month, day) ? date.getTime() - offset * 60_000 : undefined;
}

function isDay(month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}
