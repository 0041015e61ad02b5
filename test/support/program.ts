import { join } from 'node:path';

/** The program under test: that of this clone, unless the environment names another. */
export const program = process.env['TBUILD_TEST_PROGRAM'] ?? join(import.meta.dirname, '../../packages/cli/bin/tbuild');
