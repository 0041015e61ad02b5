import { openShell } from '../debug/open-shell.ts';
import { isolationOf, networkOf, sshPair } from '../flags/build-spec.ts';
import { parseSecrets } from '../request/secrets.ts';
import { sshSources } from '../request/ssh-sources.ts';
import { storeCommand } from './store-command.ts';

export const debug = storeCommand({
  summary: 'Open a shell in a step of a build, as it failed or ended, without running it again',
  usage: 'debug [OPTIONS] [BUILD]',
  flags: {
    at: {
      kind: 'text',
      value: 'STEP',
      help: "A line of the Dockerfile, a stage, or part of a step's name (default: the failed or last one)",
    },
    before: { kind: 'switch', help: 'The state that the step saw, instead of the one that it left' },
    isolation: { kind: 'text', value: 'KIND', help: 'Isolate the shell so, instead of as the step was' },
    network: { kind: 'text', value: 'MODE', help: 'The network of the shell, instead of that of the step' },
    ssh: { kind: 'list', value: 'ID[=SOCKET|KEY,...]', help: 'An SSH agent or keys, beside those of the build' },
    secret: { kind: 'list', value: 'id=ID[,src=FILE|env=NAME]', help: 'A secret for the mounts of the step' },
  },
  takes: [0, 1],
  run({ flags, words: [build], services: { store }, env, signal }) {
    const readSecret = parseSecrets(flags.secret ?? [], env);
    const options = {
      build,
      at: flags.at,
      before: flags.before ?? false,
      isolation: flags.isolation === undefined ? undefined : isolationOf(flags.isolation),
      network: flags.network === undefined ? undefined : networkOf(flags.network),
      ssh: sshSources(Object.fromEntries((flags.ssh ?? []).map(sshPair)), env),
      secretsOf: () => readSecret,
      note: '',
    };
    return openShell({ ...options, signal }, store, env);
  },
});
