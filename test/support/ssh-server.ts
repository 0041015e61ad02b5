import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort, startDaemon } from './daemon.ts';
import { runChecked } from './run-process.ts';
import { scratchDirectory } from './scratch.ts';

/** An ssh server for root on this machine, and a home whose ssh reaches it. */
export interface SshServer extends AsyncDisposable {
  /** The host of an `ssh://` address. */
  readonly name: string;
  /** Variables for a client, with a PATH whose `ssh` has its key and knows those of the server. */
  readonly env: { readonly PATH: string };
  /** The files of the client: its key and the keys of servers that it knows. */
  readonly files: { readonly key: string; readonly known: string };
}

export interface SshServerOptions {
  /** Value of DOCKER_HOST for commands there. */
  readonly dockerHost?: string;
  /** Runs instead of the command that a client asks for. */
  readonly command?: string;
}

/** Starts sshd on a free loopback port. */
export async function startSshServer({ dockerHost, command }: SshServerOptions): Promise<SshServer> {
  const directory = scratchDirectory('ssh');
  const at = (name: string) => join(directory, name);
  for (const key of ['host', 'user']) await runChecked('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(key)]);
  copyFileSync(at('user.pub'), at('authorized'));
  const port = await freePort();
  const settings = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${at('host')}`,
    `AuthorizedKeysFile ${at('authorized')}`,
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin yes',
    `PidFile ${at('pid')}`,
    ...(dockerHost === undefined ? [] : [`SetEnv DOCKER_HOST=${dockerHost}`]),
    ...(command === undefined ? [] : [`ForceCommand ${command}`]),
  ];
  writeFileSync(at('sshd_config'), `${settings.join('\n')}\n`);
  const options = ['IdentityFile', 'UserKnownHostsFile', 'StrictHostKeyChecking', 'IdentitiesOnly'];
  const values = [at('user'), at('known'), 'accept-new', 'yes'];
  const given = options.map((option, index) => `-o ${option}=${values[index]}`).join(' ');
  mkdirSync(at('programs'));
  writeFileSync(at('programs/ssh'), `#!/bin/sh\nexec /usr/bin/ssh ${given} "$@"\n`);
  chmodSync(at('programs/ssh'), 0o755);
  const daemon = await startDaemon({
    program: 'unshare',
    // The server wants a directory that the machine may lack.
    args: [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      `mount -t tmpfs run /run && mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e -f ${at('sshd_config')}`,
    ],
    logFile: at('log'),
    isReady: () => accepts(port),
  });
  return {
    name: `root@127.0.0.1:${port}`,
    env: { PATH: `${at('programs')}:/usr/sbin:/usr/bin:/sbin:/bin` },
    files: { key: at('user'), known: at('known') },
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
