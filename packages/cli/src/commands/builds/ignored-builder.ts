import type { Flags } from '../../flags/args.ts';

/** Options that buildx has for several builders. */
export const ignoredBuilder = {
  builder: { kind: 'text', hidden: true, help: 'No effect: there is one builder' },
} as const satisfies Flags;
