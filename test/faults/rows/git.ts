import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startGitServer } from '../../support/git-server.ts';
import { listen } from '../../support/web-server.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { checkBrokenFetch } from '../network/check-broken-fetch.ts';
import { gitFaults } from '../network/git-faults.ts';
import { buildArguments, runGood, runTbuild, writeFiles } from '../run-tbuild.ts';

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
  const content = Array.from({ length: 500 + random.int(10_000) }, () => random.int(2 ** 31).toString(36)).join('');
  const isPrivate = random.int(2) === 0;
  await using server = await startGitServer(isPrivate ? { authorization: AUTHORIZATION } : {});
  await server.commit('app', { Dockerfile: 'FROM scratch\nCOPY a /\n', a: content });
  await server.commit('app', { b: 'later\n' });
  await using other = await listen((request, response) => {
    response.writeHead(random.pick([200, 401, 404]), { 'www-authenticate': 'Basic realm="x"' }).end(request.url);
  });
  await using proxy = await startFaultProxy(new URL(server.url).host);
  const ran = join(directory, 'ran');
  const fault = random.pick(gitFaults(random, { other: other.url, command: `touch ${ran}` }));
  const url = `http://${isPrivate ? `${user}:${password}@` : ''}${proxy.host}/app.git`;
  const source =
    random.int(2) === 0 ? url : writeFiles(join(directory, 'project'), { Dockerfile: `FROM scratch\nADD ${url} /\n` });
  const build = (output: string) => buildArguments(source, '-o', `type=local,dest=${output}`);
  const isRight = (output: string): boolean => readFileSync(join(output, 'a'), 'utf8') === content;

  let [left, breaks] = [random.int(isPrivate ? 8 : 5), 0];
  let interrupt = (): void => {};
  proxy.decide = () => {
    if (left-- > 0 || breaks >= fault.times) return undefined;
    breaks++;
    interrupt();
    return fault.fault;
  };
  const isInterrupted = fault.isSilent && random.int(2) === 0;
  const [first, next] = [join(directory, '1'), join(directory, '2')];
  const { exitCode, stderr } = await runTbuild(context, build(first), {
    env: { TBUILD_SERVER_TIMEOUT: '2s' },
    onStart: (child) => {
      if (isInterrupted) interrupt = () => void setTimeout(() => child.kill('SIGINT'), 100);
    },
  });
  if (stderr.includes(password)) context.fail('The output has the password', stderr);
  checkBrokenFetch(context, { exitCode, stderr, kind: fault.fault.kind, isInterrupted: isInterrupted && breaks > 0 });
  // Ctrl-C may come when the output is complete.
  if (exitCode === 1 && existsSync(first)) context.fail('A build that failed has an output');
  if ((exitCode === 0 || existsSync(first)) && !isRight(first))
    context.fail('The build has another file than the repository');
  if (existsSync(ran)) context.fail('A command of the server ran', stderr);
  if (other.take().some(({ headers }) => headers.authorization !== undefined))
    context.fail('Another server gets the password', stderr);

  proxy.decide = () => undefined;
  await runGood(context, build(next));
  if (!isRight(next)) context.fail('The next build has another file than the repository');
  await runGood(context, ['fsck', '--full']);
}
