import { join } from 'node:path';
import { startGitServer } from '../../support/git-server.ts';
import { startGitDaemon, startGitStreams } from '../../support/git-streams.ts';
import { startSshServer, type SshServer } from '../../support/ssh-server.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { buildFromBroken, commitApp } from '../network/broken-fetch.ts';
import { breakTrust, streamFaults } from '../network/git-stream-faults.ts';
import { buildArguments, runTbuild } from '../run-tbuild.ts';

export const row: FaultRow = {
  name: 'git-streams',
  title: 'Builds say what failed when a git server behind ssh or git:// fails, lies or is silent',
  needs: ['git', 'root', 'sshd', 'ssh'],
  run: breakStreams,
};

async function breakStreams(context: FaultContext): Promise<void> {
  const { random } = context;
  await using server = await startGitServer();
  const content = await commitApp(server, random);
  const isSsh = random.int(2) === 0;
  await using streams = await (isSsh
    ? startGitStreams(['upload-pack', join(server.directory, 'app.git')])
    : startGitDaemon(server.directory));
  // Git's side of ssh ends with the connection, and not the other way round.
  const pass = `exec 3<>/dev/tcp/127.0.0.1/${streams.port}; cat <&0 >&3 & exec cat <&3`;
  await using ssh = await startSshServer({ command: `/bin/bash -c "${pass}"` });
  const url = isSsh ? `ssh://${ssh.name}/app.git` : `git://127.0.0.1:${streams.port}/app.git`;
  const fault = random.pick(streamFaults(random));
  await buildFromBroken(context, {
    url,
    content,
    fault,
    before: random.int(2),
    times: random.pick([1, 2, Infinity]),
    isInterrupted: ['hang', 'stall', 'dribble'].includes(fault.kind) && random.int(2) === 0,
    timeout: '4s',
    env: ssh.env,
    onAnswer: (decide) => void (streams.decide = decide),
  });
  if (isSsh) await refuseTrust(context, ssh, url);
}

/** A build, by an ssh that knows another key of the server, or has another key than the server knows, says so. */
async function refuseTrust(context: FaultContext, ssh: SshServer, url: string): Promise<void> {
  await breakTrust(context.random, ssh);
  const build = buildArguments(url, '-o', 'type=cacheonly');
  const { exitCode, stderr } = await runTbuild(context, build, { env: ssh.env });
  if (
    exitCode !== 1 ||
    !/^ERROR: .*app\.git": (?:the key of its server is not known|its server accepts none of)/m.test(stderr)
  )
    context.fail('A build does not say which key is wrong', stderr);
}
