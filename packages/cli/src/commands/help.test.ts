import { describe, expect, test } from 'vitest';
import { buildFlags } from '../flags/build-flags.ts';
import { debug } from './debug.ts';
import { topics } from './help-topics.ts';
import { helpOn, topicLines } from './help.ts';
import { prune } from './store/prune.ts';

test('there are ten topics, each with a line in the list', () => {
  expect(Object.keys(topics)).toHaveLength(10);
  expect(topicLines().map((line) => line.trim().split(' ')[0])).toEqual(Object.keys(topics));
});

test('a topic that does not exist is refused with the nearest one, or with all', () => {
  expect(() => helpOn('secret')).toThrow(expect.objectContaining({ hint: 'Did you mean secrets?' }));
  expect(() => helpOn('weather')).toThrow(
    expect.objectContaining({ hint: expect.stringMatching(/^Topics: cache, ci,/) }),
  );
});

describe('the topic', () => {
  test.each(Object.keys(topics))('%s has lines of at most 120 columns, and only options that exist', (topic) => {
    const text = helpOn(topic);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
    const known = new Set(Object.keys({ ...buildFlags, ...prune.flags, ...debug.flags, write: {}, mount: {} }));
    const named = [...text.matchAll(/(?<=\s)--([a-z-]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});
