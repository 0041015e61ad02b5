import { describe, expect, test } from 'vitest';
import { needs } from '../support/requirements.ts';
import { rows } from './rows/index.ts';
import { replayCommand, runCase } from './run-case.ts';

const SEED = 1;

describe.each(rows)('$title', ({ needs: needed = [], brief = 2, ...row }) => {
  test.each(Array.from({ length: brief }, (_, index) => index + 1))(
    `case %i of ${row.name}`,
    needs(...needed),
    async (number) => {
      const { failure } = await runCase({ row, seed: SEED, number });
      expect(failure, replayCommand({ row, seed: SEED, number })).toBeUndefined();
    },
  );
});
