import { TbuildError } from '@tbuild/errors';
import { toNumber } from '../value/convert.ts';
import { Num } from '../value/number.ts';
import { object, type Value } from '../value/value.ts';
import { fn, toIndex, type BakeFunction, type FunctionEnvironment } from './function.ts';

/** A time and the zone that it is told in. */
interface ZonedTime {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Minutes east of Greenwich. */
  readonly offset: number;
  /** Digits behind the seconds as they were given. */
  readonly isUtc: boolean;
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:(Z)|([-+])(\d\d):(\d\d))$/;

/** The functions of dates. */
export function timeFunctions({ now }: FunctionEnvironment): Readonly<Record<string, BakeFunction>> {
  return {
    formatdate: fn(['string', 'string'], (pattern, time) => formatDate(pattern, parseTime(time))),
    formattimestamp: fn(['string', 'any'], (pattern, time) => formatDate(pattern, timeOf(time))),
    timeadd: fn(['string', 'string'], (time, duration) => addTo(parseTime(time), parseDuration(duration))),
    timestamp: fn([], () => rfc3339({ at: now(), offset: 0, isUtc: true })),
    rfc3339parse: fn(['string'], (text) => describe(parseTime(text), (at) => ['unix', Num.of(Math.floor(at / 1000))])),
    unixtimestampparse: fn(['number'], (seconds) => {
      const time = { at: requireTime(toIndex(seconds, 'The timestamp') * 1000), offset: 0, isUtc: true };
      return describe(time, () => ['rfc3339', rfc3339(time)]);
    }),
  };
}

function parseTime(text: string): ZonedTime {
  const match = RFC3339.exec(text);
  const at = Date.parse(text);
  if (match === null || Number.isNaN(at))
    throw new TbuildError('BAKE_FILE', `not a valid RFC3339 timestamp: ${JSON.stringify(text)}`);
  const [, utc, sign, hours = '0', minutes = '0'] = match;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  return { at, offset, isUtc: utc !== undefined };
}

/** A time is RFC 3339, or seconds since the epoch. */
function timeOf(value: Value): ZonedTime {
  if (typeof value === 'string' && !/^-?\d+$/.test(value)) return parseTime(value);
  return { at: requireTime(toIndex(toNumber(value), 'The timestamp') * 1000), offset: 0, isUtc: true };
}

function requireTime(milliseconds: number): number {
  if (Math.abs(milliseconds) <= 8.64e15) return milliseconds;
  throw new TbuildError('BAKE_FILE', 'the time is too far away');
}

const UNITS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

function parseDuration(text: string): number {
  if (!/^[-+]?(\d+(\.\d*)?(h|ms|us|µs|ns|m|s))+$/.test(text))
    throw new TbuildError('BAKE_FILE', `not a valid duration: ${JSON.stringify(text)}`);
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?)(h|ms|us|µs|ns|m|s)/g)];
  const sum = parts.reduce((total, [, count, unit = '']) => total + Number(count) * (UNITS[unit] ?? 0), 0);
  return text.startsWith('-') ? -sum : sum;
}

function addTo({ at, ...zone }: ZonedTime, milliseconds: number): string {
  return rfc3339({ at: requireTime(at + milliseconds), ...zone });
}

function rfc3339({ at, offset, isUtc }: ZonedTime): string {
  const local = new Date(at + offset * 60_000).toISOString().slice(0, 19);
  return local + (isUtc ? 'Z' : zone(offset, ':'));
}

function zone(offset: number, separator: string): string {
  const pad = (value: number): string => String(value).padStart(2, '0');
  const size = Math.abs(offset);
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}${separator}${pad(size % 60)}`;
}

/** Formats by runs of one letter; text in single quotes stays. */
function formatDate(pattern: string, time: ZonedTime): string {
  const local = new Date(time.at + time.offset * 60_000);
  return pattern.replace(/'((?:[^']|'')*)'|([a-zA-Z])\2*/g, (run, quoted: string | undefined) => {
    if (quoted !== undefined) return quoted.replaceAll("''", "'");
    const part = datePart(run, local, time);
    if (part === undefined) throw new TbuildError('BAKE_FILE', `invalid date format verb ${JSON.stringify(run)}`);
    return part;
  });
}

function datePart(run: string, local: Date, { at, offset, isUtc }: ZonedTime): string | undefined {
  const two = (value: number): string => String(value).padStart(2, '0');
  const month = local.getUTCMonth();
  const hour = local.getUTCHours();
  const weekday = DAYS[local.getUTCDay()] ?? '';
  const parts: Record<string, () => string> = {
    YYYY: () => String(local.getUTCFullYear()).padStart(4, '0'),
    YY: () => two(local.getUTCFullYear() % 100),
    MMMM: () => MONTHS[month] ?? '',
    MMM: () => MONTHS[month]?.slice(0, 3) ?? '',
    MM: () => two(month + 1),
    M: () => String(month + 1),
    DD: () => two(local.getUTCDate()),
    D: () => String(local.getUTCDate()),
    EEEE: () => weekday,
    EEE: () => weekday.slice(0, 3),
    hh: () => two(hour),
    h: () => String(hour),
    HH: () => two(hour % 12 || 12),
    H: () => String(hour % 12 || 12),
    AA: () => (hour < 12 ? 'AM' : 'PM'),
    aa: () => (hour < 12 ? 'am' : 'pm'),
    mm: () => two(local.getUTCMinutes()),
    m: () => String(local.getUTCMinutes()),
    ss: () => two(local.getUTCSeconds()),
    s: () => String(local.getUTCSeconds()),
    X: () => String(Math.floor(at / 1000)),
    ZZZZZ: () => zone(offset, ':'),
    ZZZZ: () => zone(offset, ''),
    ZZZ: () => (isUtc || offset === 0 ? 'UTC' : zone(offset, '')),
    Z: () => (isUtc || offset === 0 ? 'Z' : zone(offset, ':')),
  };
  return Object.hasOwn(parts, run) ? parts[run]?.() : undefined;
}

const DAY = 86_400_000;

/** Returns the parts of a time in its zone, and the whole in another form. */
function describe({ at: moment, offset }: ZonedTime, whole: (at: number) => [string, Value]): Value {
  const at = moment + offset * 60_000;
  const time = new Date(at);
  const year = time.getUTCFullYear();
  // The week of a date is that of its Thursday.
  const thursday = new Date(at + (3 - ((time.getUTCDay() + 6) % 7)) * DAY);
  const isoYear = thursday.getUTCFullYear();
  const yearDay = (of: Date, start: number): number => Math.floor((of.getTime() - Date.UTC(start, 0, 1)) / DAY);
  const numbers = {
    year,
    year_day: yearDay(time, year) + 1,
    day: time.getUTCDate(),
    month: time.getUTCMonth() + 1,
    weekday: time.getUTCDay(),
    hour: time.getUTCHours(),
    minute: time.getUTCMinutes(),
    second: time.getUTCSeconds(),
    iso_year: isoYear,
    iso_week: Math.floor(yearDay(thursday, isoYear) / 7) + 1,
  };
  return object([
    ...Object.entries(numbers).map(([name, value]): [string, Value] => [name, Num.of(value)]),
    ['month_name', MONTHS[time.getUTCMonth()] ?? ''],
    ['weekday_name', DAYS[time.getUTCDay()] ?? ''],
    whole(moment),
  ]);
}
