import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startGitServer } from '../../support/git-server.ts';
import { listen } from '../../support/web-server.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { buildFromBroken, commitApp } from '../network/broken-fetch.ts';
import { gitFaults } from '../network/git-faults.ts';

export const row: FaultRow = {
  name: 'git',
  title: 'Builds say what failed when a git server fails, lies or is silent, and give no other server the password',
  needs: ['git'],
  run: breakGit,
};

const [user, password] = ['me', 'pass-word'];
const AUTHORIZATION = `basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

async function breakGit(context: FaultContext): Promise<void> {
  const { random, directory } = context;
  const isPrivate = random.int(2) === 0;
  await using server = await startGitServer(isPrivate ? { authorization: AUTHORIZATION } : {});
  const content = await commitApp(server, random);
  await using other = await listen((request, response) => {
    response.writeHead(random.pick([200, 401, 404]), { 'www-authenticate': 'Basic realm="x"' }).end(request.url);
  });
  await using proxy = await startFaultProxy(new URL(server.url).host);
  const ran = join(directory, 'ran');
  const { fault, times, isSilent } = random.pick(gitFaults(random, { other: other.url, command: `touch ${ran}` }));
  const stderr = await buildFromBroken(context, {
    url: `http://${isPrivate ? `${user}:${password}@` : ''}${proxy.host}/app.git`,
    content,
    fault,
    before: random.int(isPrivate ? 8 : 5),
    times,
    isInterrupted: isSilent && random.int(2) === 0,
    timeout: '2s',
    onAnswer: (decide) => void (proxy.decide = decide),
  });
  if (stderr.includes(password)) context.fail('The output has the password', stderr);
  if (existsSync(ran)) context.fail('A command of the server ran', stderr);
  if (other.take().some(({ headers }) => headers.authorization !== undefined))
    context.fail('Another server gets the password', stderr);
}
