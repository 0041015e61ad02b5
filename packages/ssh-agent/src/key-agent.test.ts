import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { AgentMessage, frameMessage, readMessages, type SshAgent } from './agent.ts';
import { createKeyAgent } from './key-agent.ts';
import { readPrivateKey } from './private-key.ts';
import { serveAgent, type ServedAgent } from './serve-agent.ts';

const directory = mkdtempSync(join(tmpdir(), 'ssh-'));
afterAll(() => rmSync(directory, { recursive: true }));

const hasOpenSsh = ((): boolean => {
  try {
    execFileSync('sh', ['-c', 'command -v ssh-keygen ssh-add'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

function makeKey(name: string, ...options: readonly string[]): string {
  const path = join(directory, name);
  execFileSync('ssh-keygen', ['-q', '-N', '', '-C', `${name} key`, '-f', path, ...options]);
  return path;
}

function serve(agent: SshAgent): Promise<ServedAgent> {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  return serveAgent(agent, { directory: mkdtempSync(join(directory, 's-')), mode: 0o600, uid, gid });
}

const kinds: readonly [name: string, options: readonly string[]][] = [
  ['ed25519', ['-t', 'ed25519']],
  ['rsa', ['-t', 'rsa', '-b', '2048']],
  ['rsa-pem', ['-t', 'rsa', '-b', '2048', '-m', 'PEM']],
  ['ecdsa256', ['-t', 'ecdsa', '-b', '256']],
  ['ecdsa384', ['-t', 'ecdsa', '-b', '384']],
  ['ecdsa521', ['-t', 'ecdsa', '-b', '521']],
  ['ecdsa-pkcs8', ['-t', 'ecdsa', '-b', '256', '-m', 'PKCS8']],
];

describe("OpenSSH's own programs", needs({ met: hasOpenSsh, lacks: 'openssh-client' }), () => {
  test.each(kinds)('list and sign with a key of kind %s', async (name, options) => {
    const path = makeKey(name, ...options);
    await using served = await serve(createKeyAgent([readPrivateKey(path)]));
    const run = (file: string, args: readonly string[], input = ''): Promise<string> =>
      runWithAgent(served.path, file, args, input);
    const publicKey = readFileSync(`${path}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
    expect(await run('ssh-add', ['-L'])).toContain(publicKey);
    const signature = await run('ssh-keygen', ['-Y', 'sign', '-n', 'file', '-f', `${path}.pub`], 'a message');
    writeFileSync(`${path}.sig`, signature.slice(signature.indexOf('-----BEGIN')));
    writeFileSync(`${path}.allowed`, `me ${publicKey}\n`);
    const verified = await run(
      'ssh-keygen',
      ['-Y', 'verify', '-n', 'file', '-I', 'me', '-f', `${path}.allowed`, '-s', `${path}.sig`],
      'a message',
    );
    expect(verified).toContain('Good "file" signature');
  });

  test('an agent with key files refuses to add or remove keys', async () => {
    const path = makeKey('harmless', '-t', 'ed25519');
    await using served = await serve(createKeyAgent([readPrivateKey(path)]));
    await expect(runWithAgent(served.path, 'ssh-add', [makeKey('another', '-t', 'ed25519')])).rejects.toThrow();
    await expect(runWithAgent(served.path, 'ssh-add', ['-D'])).rejects.toThrow();
    expect((await runWithAgent(served.path, 'ssh-add', ['-L'])).trim().split('\n')).toHaveLength(1);
  });

  test('a key with a passphrase is refused', () => {
    const path = join(directory, 'locked');
    execFileSync('ssh-keygen', ['-q', '-N', 'words', '-t', 'ed25519', '-f', path]);
    expect(() => readPrivateKey(path)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });
});

test('a file that is no key is refused', () => {
  const path = join(directory, 'text');
  writeFileSync(path, 'no key\n');
  expect(() => readPrivateKey(path)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test('answers come in the order of the requests, and malformed requests are refused', async () => {
  await using served = await serve(createKeyAgent([]));
  const socket = connect(served.path);
  const { requestIdentities, signRequest, failure, identitiesAnswer } = AgentMessage;
  const questions = [[requestIdentities], [17, 1, 2], [signRequest, 0], [], [requestIdentities]];
  socket.write(Buffer.concat(questions.map((bytes) => frameMessage(Buffer.from(bytes)))));
  const answers: number[] = [];
  for await (const message of readMessages(socket)) {
    answers.push(message[0] ?? 0);
    if (answers.length === questions.length) break;
  }
  expect(answers).toEqual([identitiesAnswer, failure, failure, failure, identitiesAnswer]);
});

async function runWithAgent(socket: string, file: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(file, args, {
    env: { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: 'never' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const code = await new Promise((resolve) => child.on('close', resolve));
  const text = Buffer.concat(output).toString();
  if (code !== 0) throw new Error(`${file} exited with ${String(code)}: ${text}`);
  return text;
}
