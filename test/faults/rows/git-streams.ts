import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startGitServer } from '../../support/git-server.ts';
import { startGitStreams } from '../../support/git-streams.ts';
import { startSshServer, type SshServer } from '../../support/ssh-server.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { checkBrokenFetch } from '../network/check-broken-fetch.ts';
import { breakTrust, streamFaults } from '../network/git-stream-faults.ts';
import { buildArguments, runGood, runTbuild, writeFiles } from '../run-tbuild.ts';

export const row: FaultRow = {
  name: 'git-streams',
  title: 'Builds say what failed when a git server behind ssh or git:// fails, lies or is silent',
  needs: ['git', 'root', 'sshd', 'ssh'],
  run: breakStreams,
};

async function breakStreams(context: FaultContext): Promise<void> {
  const { random, directory } = context;
  const content = Array.from({ length: 500 + random.int(10_000) }, () => random.int(2 ** 31).toString(36)).join('');
  await using server = await startGitServer();
  await server.commit('app', { Dockerfile: 'FROM scratch\nCOPY a /\n', a: content });
  await server.commit('app', { b: 'later\n' });
  const isSsh = random.int(2) === 0;
  const daemon = ['daemon', '--inetd', '--log-destination=stderr', '--export-all', `--base-path=${server.directory}`];
  await using streams = await startGitStreams(isSsh ? ['upload-pack', join(server.directory, 'app.git')] : daemon);
  // Git's side of ssh ends with the connection, and not the other way round.
  const pass = `exec 3<>/dev/tcp/127.0.0.1/${streams.port}; cat <&0 >&3 & exec cat <&3`;
  await using ssh = await startSshServer({ command: `/bin/bash -c "${pass}"` });
  const env = { TBUILD_SERVER_TIMEOUT: '4s', PATH: `${ssh.programs}:/usr/sbin:/usr/bin:/sbin:/bin` };
  const url = isSsh ? `ssh://${ssh.name}/app.git` : `git://127.0.0.1:${streams.port}/app.git`;
  const source =
    random.int(2) === 0 ? url : writeFiles(join(directory, 'project'), { Dockerfile: `FROM scratch\nADD ${url} /\n` });
  const build = (output: string) => buildArguments(source, '-o', `type=local,dest=${output}`);
  const isRight = (output: string): boolean => readFileSync(join(output, 'a'), 'utf8') === content;

  const fault = random.pick(streamFaults(random));
  const times = random.pick([1, 2, Infinity]);
  let [left, breaks] = [random.int(2), 0];
  let interrupt = (): void => {};
  streams.decide = () => {
    if (left-- > 0 || breaks >= times) return undefined;
    breaks++;
    interrupt();
    return fault;
  };
  const isInterrupted = ['hang', 'stall', 'dribble'].includes(fault.kind) && random.int(2) === 0;
  const [first, next] = [join(directory, '1'), join(directory, '2')];
  const { exitCode, stderr } = await runTbuild(context, build(first), {
    env,
    onStart: (child) => {
      if (isInterrupted) interrupt = () => void setTimeout(() => child.kill('SIGINT'), 100);
    },
  });
  checkBrokenFetch(context, { exitCode, stderr, kind: fault.kind, isInterrupted: isInterrupted && breaks > 0 });
  // Ctrl-C may come when the output is complete.
  if (exitCode === 1 && existsSync(first)) context.fail('A build that failed has an output');
  if ((exitCode === 0 || existsSync(first)) && !isRight(first))
    context.fail('The build has another file than the repository');

  streams.decide = () => undefined;
  await runGood(context, build(next), { env });
  if (!isRight(next)) context.fail('The next build has another file than the repository');
  await runGood(context, ['fsck', '--full']);
  if (isSsh) await refuseTrust(context, ssh, { url, env });
}

/** A build, by an ssh that knows another key of the server, or has another key than the server knows, says so. */
async function refuseTrust(
  context: FaultContext,
  ssh: SshServer,
  { url, env }: { readonly url: string; readonly env: Readonly<Record<string, string>> },
): Promise<void> {
  await breakTrust(context.random, ssh);
  const { exitCode, stderr } = await runTbuild(context, buildArguments(url, '-o', 'type=cacheonly'), { env });
  if (
    exitCode !== 1 ||
    !/^ERROR: .*app\.git": (?:the key of its server is not known|its server accepts none of)/m.test(stderr)
  )
    context.fail('A build does not say which key is wrong', stderr);
}
