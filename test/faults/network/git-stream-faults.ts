import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { StreamFault } from '../../support/git-streams.ts';
import type { Random } from '../../support/random.ts';
import { runChecked } from '../../support/run-process.ts';
import type { SshServer } from '../../support/ssh-server.ts';

/** Returns the faults of git servers that speak without HTTP. */
export function streamFaults(random: Random): readonly StreamFault[] {
  const at = random.int(random.pick([200, 3000, 30_000]));
  const said = ['', '0000', 'ffff', '0001', '00000000', 'SSH-2.0-x\r\n', '000eversion 2\n', '0015ERR access denied'];
  return [
    { kind: 'hang' },
    { kind: 'stall', after: at },
    { kind: 'stall', after: random.int(100) },
    { kind: 'dribble', everyMs: 1500 },
    { kind: 'cut', after: at },
    { kind: 'cut', after: random.int(400) },
    { kind: 'reset' },
    { kind: 'corrupt', at },
    { kind: 'corrupt', at: random.int(400) },
    { kind: 'delay', milliseconds: random.int(1000) },
    { kind: 'say', text: random.pick(said) },
    {
      kind: 'say',
      text: random.pick(['0000', 'banner\n', '0009x\n\0\0\0', '\0', '001c\u0002still on my way ...\n0005\u0001']),
      endless: true,
    },
  ];
}

/** Makes the client refuse the server, or the server the client. */
export async function breakTrust(random: Random, { files, name }: SshServer): Promise<void> {
  const other = `${files.key}.other`;
  await runChecked('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
  const port = name.split(':').at(-1);
  if (random.int(2) === 0) writeFileSync(files.known, `[127.0.0.1]:${port} ${readFileSync(`${other}.pub`, 'utf8')}`);
  else renameSync(other, files.key);
}
