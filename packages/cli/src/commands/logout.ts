import { openDockerConfig, registryOf } from '../config/docker-config.ts';
import { storeCommand } from './store-command.ts';

export const logout = storeCommand({
  summary: 'Forget the password for a registry',
  usage: 'logout [OPTIONS] [REGISTRY]',
  flags: {},
  takes: [0, 1],
  async run({ words: [server = 'docker.io'], env }) {
    const registry = registryOf(server);
    const known = await openDockerConfig(env).erase(registry);
    env.stdout.write(known ? `Removing login credentials for ${registry}\n` : `Not logged in to ${registry}\n`);
  },
});
