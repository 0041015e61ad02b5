import { openShell } from '../debug/open-shell.ts';
import { parseSecrets } from '../request/secrets.ts';
import { storeCommand } from './store-command.ts';

export const debug = storeCommand({
  summary: 'Open a shell in a step of a build, as it failed or ended, without running it again',
  usage: 'debug [OPTIONS] [BUILD]',
  flags: {
    at: {
      kind: 'text',
      value: 'STEP',
      help: 'A line of the Dockerfile, a stage, or part of the name of a step (default: the one that failed, else the last)',
    },
    before: { kind: 'switch', help: 'The state that the step saw, instead of the one that it left' },
    secret: { kind: 'list', value: 'id=ID[,src=FILE|env=NAME]', help: 'A secret for the mounts of the step' },
  },
  takes: [0, 1],
  async run({ flags: { at, before = false, secret = [] }, words: [build], services, env, signal }) {
    await openShell({ build, at, before, note: '', readSecret: parseSecrets(secret, env), signal }, services, env);
  },
});
