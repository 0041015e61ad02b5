import { join } from 'node:path';

process.argv.splice(2, 0, join(import.meta.dirname, 'run.ts'));
await import('../support/run-ts.mjs');
