import type { Flags, FlagValues } from './args.ts';

/** Options of `docker build` without a meaning here, accepted so that scripts go on working. */
export const ignoredFlags = {
  builder: { kind: 'text', hidden: true, help: 'No effect: there is one builder' },
  compress: { kind: 'switch', hidden: true, help: 'No effect: contexts are sent nowhere' },
  'disable-content-trust': {
    kind: 'switch',
    hidden: true,
    help: 'No effect: refer to an image by digest to verify it',
  },
  'force-rm': { kind: 'switch', hidden: true, help: 'No effect: steps leave no containers' },
  rm: { kind: 'switch', hidden: true, help: 'No effect: steps leave no containers' },
  'security-opt': { kind: 'list', hidden: true, help: 'Use --allow security.insecure and RUN --security=insecure' },
  squash: { kind: 'switch', hidden: true, help: 'Use a last stage that copies the files you want' },
} as const satisfies Flags;

/** Those that would change the result. */
const TOLD = ['security-opt', 'squash'] as const;

/** Returns a warning for each given option that would change the result. */
export function ignoredOptions(flags: FlagValues<typeof ignoredFlags>): readonly string[] {
  return TOLD.filter((name) => flags[name] !== undefined && flags[name] !== false).map(
    (name) => `--${name} has no effect. ${ignoredFlags[name].help}`,
  );
}
