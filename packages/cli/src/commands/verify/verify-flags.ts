import { registryFlags } from '../../flags/registry-flags.ts';
import { htmlFlag } from '../../report/html-flag.ts';
import { recipeFlags } from './reproduce.ts';

/** The options of the command. */
export const verifyFlags = {
  pair: { kind: 'switch', help: 'Compare two images instead of building one again' },
  format: { kind: 'text', value: 'FORMAT', help: 'Print "text" or "json"' },
  html: htmlFlag,
  'ignore-times': { kind: 'switch', help: 'Do not count times of files and of the configuration' },
  ignore: { kind: 'list', value: 'PATH', help: 'Do not count differences below a path; * stands for any name' },
  platform: { kind: 'list', value: 'PLATFORM,...', help: 'The images of an index to verify (default: all)' },
  attest: { kind: 'switch', help: 'Push a statement that the image was reproduced beside it, if it was' },
  ...recipeFlags,
  ...registryFlags,
} as const;
