import { describe, expect, test } from 'vitest';
import { needs } from '../support/requirements.ts';
import { rows } from './rows/index.ts';
import { type Case, replayCommand, runCase } from './run-case.ts';

describe.each(rows)('$title', ({ needs: needed = [], brief = [1, 2], ...row }) => {
  test.each([...brief])(`case %i of ${row.name}`, needs(...needed), async (number) => {
    const one: Case = { row, seed: 1, number, size: 0.5 };
    const { failure } = await runCase(one);
    expect(failure, replayCommand(one)).toBeUndefined();
  });
});
