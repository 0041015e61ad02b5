import type { Flags } from './args.ts';

/** The options of every command on the store. */
export const storeFlags = {
  root: { kind: 'text', value: 'DIR', help: 'The store (default: $TBUILD_ROOT, or the data directory of the user)' },
  debug: { kind: 'switch', short: 'D', help: 'Show the causes of errors' },
  help: { kind: 'switch', short: 'h', help: 'Show this text' },
} as const satisfies Flags;
