import { expect, test } from 'vitest';
import {
  formatBytes,
  formatDuration,
  formatLogTime,
  formatRemaining,
  formatSeconds,
  formatTransferred,
} from './format.ts';

test.each([
  [0, '0B'],
  [12, '12B'],
  [999, '999B'],
  [1000, '1kB'],
  [1530, '1.53kB'],
  [10_485_760, '10.5MB'],
  [104_857_600, '105MB'],
  [999_900, '1MB'],
  [1_234_567_890, '1.23GB'],
])('formatBytes(%d) is %s', (bytes, expected) => {
  expect(formatBytes(bytes)).toBe(expected);
});

test.each([
  [2, '2B'],
  [1080, '1.08kB'],
  [2_300_000, '2.30MB'],
  [29_150_000, '29.15MB'],
])('formatTransferred(%d) is %s', (bytes, expected) => {
  expect(formatTransferred(bytes)).toBe(expected);
});

test.each([
  [0, '0.0s'],
  [340, '0.3s'],
  [62_500, '62.5s'],
])('formatSeconds(%d) is %s', (milliseconds, expected) => {
  expect(formatSeconds(milliseconds)).toBe(expected);
});

test.each([
  [234, '0.234'],
  [12_345, '12.35'],
  [123_456, '123.5'],
])('formatLogTime(%d) is %s', (milliseconds, expected) => {
  expect(formatLogTime(milliseconds)).toBe(expected);
});

test.each([
  [0.2, '1s'],
  [59, '59s'],
  [61, '1m01s'],
  [3600, '1h00m'],
  [7325, '2h02m'],
])('formatRemaining(%d) is %s', (seconds, expected) => {
  expect(formatRemaining(seconds)).toBe(expected);
});

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
test.each([
  [500, 'Less than a second'],
  [SECOND, '1 second'],
  [59 * SECOND, '59 seconds'],
  [60 * SECOND, 'About a minute'],
  [300 * SECOND, '5 minutes'],
  [HOUR, 'About an hour'],
  [30 * HOUR, '30 hours'],
  [3 * DAY, '3 days'],
  [21 * DAY, '3 weeks'],
  [90 * DAY, '3 months'],
  [800 * DAY, '2 years'],
])('formatDuration(%d) is %s', (milliseconds, expected) => {
  expect(formatDuration(milliseconds)).toBe(expected);
});
