const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Formats a size as Docker's tables do: three digits, units of 1000, e.g. `10.5MB`, `0B`. */
export function formatBytes(bytes: number): string {
  const { value, unit } = scale(bytes, 999.5);
  return `${Number(value.toPrecision(3))}${unit}`;
}

/** Formats a size as Docker's builder does during a transfer: two decimals from 1 kB on, e.g. `2.34MB`, `130B`. */
export function formatTransferred(bytes: number): string {
  const { value, unit } = scale(bytes, 999.995);
  return unit === 'B' ? `${value}B` : `${value.toFixed(2)}${unit}`;
}

/** Formats a time span as Docker's builder does behind a step: `0.3s`. */
export function formatSeconds(milliseconds: number): string {
  return `${(Math.max(0, milliseconds) / 1000).toFixed(1)}s`;
}

/** Formats an estimate of the time left: `8s`, `2m05s`, `1h02m`. */
export function formatRemaining(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60)];
  const two = (value: number): string => String(value).padStart(2, '0');
  if (minutes === 0) return `${whole}s`;
  return hours === 0 ? `${minutes}m${two(whole % 60)}s` : `${hours}h${two(minutes % 60)}m`;
}

/** Formats the seconds in front of a line of output, in about five characters: `0.234`, `12.34`, `123.4`. */
export function formatLogTime(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  return seconds.toFixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 1);
}

/** Formats an age as Docker's tables do, without `ago`: `About a minute`, `3 weeks`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.round(milliseconds / 3_600_000);
  const days = Math.floor(hours / 24);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${days} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(days / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}

function scale(bytes: number, limit: number): { value: number; unit: string } {
  let value = bytes;
  let unit = 0;
  while (value >= (unit === 0 ? 1000 : limit) && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return { value, unit: UNITS[unit] ?? 'B' };
}
