import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { eventually } from '../../support/eventually.ts';
import { isolations } from '../../support/isolations.ts';
import { killNode, processesNaming } from '../../support/leftovers.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

/** Returns the files below the directories that contain one of the texts: plain, in base64 at any offset, or in hex. */
function filesWith(directories: readonly string[], texts: readonly string[]): string[] {
  const patterns = texts.flatMap((text) => [
    text,
    Buffer.from(text).toString('hex'),
    ...[0, 1, 2].map((skip) => Buffer.from(text.slice(skip)).toString('base64').replaceAll('=', '').slice(0, -1)),
  ]);
  const args = patterns.flatMap((pattern) => ['-e', pattern]);
  try {
    return execFileSync('grep', ['-rlaF', ...args, '--', ...directories], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean);
  } catch {
    // grep exits with 1 when it finds nothing.
    return [];
  }
}

/** Returns the output of all builds of one Dockerfile: plain, or rawjson with its logs decoded. */
function decoded(output: string): string {
  const logs = [...output.matchAll(/"data":"([^"]+)"/g)].map(([, data = '']) => Buffer.from(data, 'base64').toString());
  return output + logs.join('');
}

const Dockerfile = `FROM busybox AS other
RUN --mount=type=secret,id=file,target=/s cat /s; sh -xc 'cat /s > /dev/null; echo "$(cat /s)" >&2'
FROM busybox
RUN --mount=type=secret,id=variable,env=TOKEN echo "<$TOKEN>"; env; set -x; : "$TOKEN"
RUN --mount=type=secret,id=file --mount=type=cache,target=/c wc -c /run/secrets/file > /c/size; tail -n 1 /run/secrets/file; cp /c/size /size
RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && ls /run/buildkit
RUN --mount=type=secret,id=file,required,uid=33 --mount=type=secret,id=variable true
COPY --from=other /etc/passwd /p
`;

describe.each(isolations)('secrets, isolation %s:', (isolation) => {
  test.each(['plain', 'rawjson'])('appear in no store, cache, output, document or %s log', async (progress) => {
    const [store, made] = [scratchDirectory('store'), scratchDirectory('made')];
    const variable = randomBytes(15).toString('base64url');
    const lines = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
    const directory = scratchDirectory('secrets');
    writeFileSync(join(directory, 'file'), `${lines.join('\n')}\n`);
    execFileSync('ssh-keygen', ['-q', '-N', '', '-t', 'ed25519', '-f', join(directory, 'key')]);
    const key = readFileSync(join(directory, 'key'), 'utf8').split('\n').slice(2, 4);
    const context = writeFiles({ Dockerfile });
    const options = `--progress ${progress} --debug --explain --isolation ${isolation} -t test/secrets
        --secret id=file,src=${directory}/file --secret id=variable,env=TOKEN_OUTSIDE --ssh default=${directory}/key
        --provenance mode=max --sbom true --metadata-file ${made}/metadata.json
        --cache-to type=local,dest=${made}/cache,mode=max,mounts=true,compression=uncompressed
        -o type=oci,tar=false,dest=${made}/layout -o type=image`.split(/\s+/);
    const env = { TOKEN_OUTSIDE: variable, BUILDX_METADATA_PROVENANCE: 'max' };
    const build = good(await runTbuild(['build', ...baseImageArguments(), ...options, context], { store, env }));
    const history = await runTbuild(['history', '--format', 'json', 'test/secrets'], { store });
    const secrets = [variable, ...lines, ...key];
    expect(filesWith([store, made], secrets)).toEqual([]);
    const said = decoded(build.stdout + build.stderr) + history.stdout;
    expect(said).toContain('***');
    expect(secrets.filter((secret) => said.includes(secret))).toEqual([]);
  });

  test('are gone from the disk after a build is killed, without a later build', async () => {
    const marker = `97${Math.floor(Math.random() * 1e6)}`;
    const [variable, file] = [randomBytes(15).toString('base64url'), randomBytes(12).toString('hex')];
    const [store, directory] = [scratchDirectory('store'), scratchDirectory('secrets')];
    writeFileSync(join(directory, 'file'), file);
    // Where the secret is not a mount, a step can give it other names.
    const context = writeFiles({
      Dockerfile: `FROM busybox
RUN --mount=type=secret,id=file,target=/s --mount=type=secret,id=variable,env=TOKEN (ln /s /t; mv /s /u) 2> /dev/null; grep -q ${file.slice(0, 4)} /[su] && sleep ${marker}
`,
    });
    const options = `--progress plain --isolation ${isolation} --secret id=file,src=${directory}/file --secret id=variable,env=OUTSIDE`;
    const args = ['build', ...baseImageArguments(), ...options.split(' '), context];
    let stopping: Promise<void> | undefined;
    const isRunning = () => processesNaming(`sleep\0${marker}`).length > 0;
    const build = await runTbuild(args, {
      store,
      env: { OUTSIDE: variable },
      onStart: (child) => {
        stopping = eventually(isRunning).then(() => void killNode(child));
      },
    });
    await stopping;
    expect(build.exitCode).not.toBe(0);
    expect(build.stderr).not.toContain('ERROR');
    await eventually(() => !isRunning() && filesWith([store, '/dev/shm'], [variable, file]).length === 0);
    expect(filesWith([store, '/dev/shm'], [variable, file])).toEqual([]);
    expect(isRunning()).toBe(false);
  });
});
