import type { Flags, FlagValues } from './args.ts';

/** What `docker build` understands and has no meaning here, so that scripts go on working. */
export const ignoredFlags = {
  builder: { kind: 'text', hidden: true, help: 'There is one builder' },
  compress: { kind: 'switch', hidden: true, help: 'Contexts are sent nowhere' },
  'disable-content-trust': { kind: 'switch', hidden: true, help: 'Images are asked for by digest to be sure of them' },
  'force-rm': { kind: 'switch', hidden: true, help: 'Steps leave no containers' },
  rm: { kind: 'switch', hidden: true, help: 'Steps leave no containers' },
  'security-opt': { kind: 'list', hidden: true, help: 'Use --allow security.insecure and RUN --security=insecure' },
  squash: { kind: 'switch', hidden: true, help: 'Use a last stage that copies what is wanted' },
} as const satisfies Flags;

/** Those of them whose absence changes the result. */
const TOLD = ['security-opt', 'squash'] as const;

/** What to tell about options that do nothing, a line each. */
export function ignoredOptions(flags: FlagValues<typeof ignoredFlags>): readonly string[] {
  return TOLD.filter((name) => flags[name] !== undefined && flags[name] !== false).map(
    (name) => `Option --${name} does nothing. ${ignoredFlags[name].help}`,
  );
}
