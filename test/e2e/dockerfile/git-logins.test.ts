import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startGitServer } from '../../support/git-server.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline } from '../../support/tbuild.ts';
import { listen } from '../../support/web-server.ts';

const basic = (login: string): string => `basic ${Buffer.from(login).toString('base64')}`;

/** Starts a public git server, and one that redirects to it by another host name. */
async function startRedirectedServer() {
  const git = await startGitServer();
  await git.commit('app', { f: 'x\n' });
  const first = await listen(({ url }, response) => {
    response.writeHead(302, { location: `${git.url.replace('127.0.0.1', 'localhost')}${url}` }).end();
  });
  return {
    url: `${first.url}/app.git`,
    /** The logins that the public server got. */
    logins: () => git.take().map(({ headers }) => headers.authorization),
    async [Symbol.asyncDispose]() {
      await Promise.all([git, first].map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

test.each([
  ['the token of a secret', 'x-access-token:s3cret', ['--secret', 'id=GIT_AUTH_TOKEN,env=VALUE'], 's3cret'],
  ['the header of a secret', 'me:s3cret', ['--secret', 'id=GIT_AUTH_HEADER,env=VALUE'], basic('me:s3cret')],
  ['the password of a URL', 'me:s3cret', [], ''],
])('%s goes to no other server that a git server redirects to', async (_, login, args, VALUE) => {
  await using server = await startRedirectedServer();
  const url = args.length === 0 ? server.url.replace('://', `://${login}@`) : server.url;
  const build = await buildGood({ Dockerfile: `FROM scratch\nADD ${url} /\n` }, { args, env: { VALUE } });
  expect(build.tree().readText('/f')).toBe('x\n');
  const logins = server.logins();
  expect(logins.length).toBeGreaterThan(1);
  expect(logins.filter((each) => each !== undefined)).toEqual([]);
});

test('a git server that gets a header of another kind may not redirect', async () => {
  await using server = await startRedirectedServer();
  const { exitCode, stderr } = await buildInline(
    { Dockerfile: `FROM scratch\nADD ${server.url} /\n` },
    { args: ['--secret', 'id=GIT_AUTH_HEADER,env=VALUE'], env: { VALUE: 'bearer s3cret' } },
  );
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`Failed to fetch remote "${server.url}": its server redirects to another address`);
  expect(server.logins()).toEqual([]);
});

test('a credential helper is asked for the password of the user in a git URL', async () => {
  await using server = await startGitServer({ authorization: basic('me:s3cret') });
  await server.commit('app', { f: 'x\n' });
  const HOME = scratchDirectory('home');
  writeFileSync(
    join(HOME, '.gitconfig'),
    `[credential]\n\thelper = "!grep -q ^username=me && echo password=s3cret; :"\n`,
  );
  const url = `${server.url.replace('://', '://me@')}/app.git`;
  const build = await buildGood({ Dockerfile: `FROM scratch\nADD ${url} /\n` }, { env: { HOME } });
  expect(build.tree().readText('/f')).toBe('x\n');
});
