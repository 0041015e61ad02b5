import { TbuildError } from '@tbuild/errors';
import { openDockerConfig, registryOf } from '../config/docker-config.ts';
import type { Environment } from '../config/environment.ts';
import { registryFlags, registryOptions } from '../flags/registry-flags.ts';
import { openRegistry } from '../services/open-registry.ts';
import { storeCommand } from './store-command.ts';

export const login = storeCommand({
  summary: 'Check the password for a registry, and keep it where Docker keeps it',
  usage: 'login [OPTIONS] [REGISTRY]',
  flags: {
    username: { kind: 'text', short: 'u', value: 'NAME', help: 'The name of the user' },
    password: {
      kind: 'text',
      short: 'p',
      value: 'TEXT',
      help: 'The password or token; other users may see it in the list of processes',
    },
    'password-stdin': { kind: 'switch', help: 'Read the password from standard input' },
    ...registryFlags,
  },
  takes: [0, 1],
  async run({ flags, words: [server = 'docker.io'], env, signal }) {
    const registry = registryOf(server);
    const username = flags.username ?? (await ask('Username: ', env, { signal }));
    const password =
      flags['password-stdin'] === true
        ? await readLine(env)
        : (flags.password ?? (await ask('Password: ', env, { signal, hidden: true })));
    if (username === '' || password === '')
      throw new TbuildError('USAGE', 'A user and a password are required', {
        hint: 'Use -u NAME --password-stdin',
      });
    await using client = openRegistry(registryOptions(flags), env, {
      credentials: async () => ({ kind: 'password', username, password }),
    });
    await client.authenticate(registry, signal);
    const place = await openDockerConfig(env).store(registry, username, password);
    env.stderr.write(`The password is kept in ${place}\n`);
    env.stdout.write('Login Succeeded\n');
  },
});

async function readLine({ stdin }: Environment): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

async function ask(
  question: string,
  { stdin, stderr }: Environment,
  { signal, hidden = false }: { readonly signal: AbortSignal; readonly hidden?: boolean },
): Promise<string> {
  if (!stdin.isTTY)
    throw new TbuildError('USAGE', 'Cannot ask for the password: there is no terminal', {
      hint: 'Use -u NAME --password-stdin',
    });
  const [{ createInterface }, { Writable }] = await Promise.all([
    import('node:readline/promises'),
    import('node:stream'),
  ]);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: stdin, output: hidden ? silent : stderr, terminal: true, signal });
  if (hidden) stderr.write(question);
  // Ctrl-D and Ctrl-C close it, and nothing answers then.
  const closed = new Promise<undefined>((resolve) => terminal.once('close', () => resolve(undefined)));
  const answer = await Promise.race([terminal.question(hidden ? '' : question), closed]).finally(() =>
    terminal.close(),
  );
  // Neither a hidden answer nor the keys that cancel end the line.
  if (hidden || answer === undefined) stderr.write('\n');
  if (answer === undefined) throw new TbuildError('CANCELLED', 'The login was cancelled');
  return answer.trim();
}
