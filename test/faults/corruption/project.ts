import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pushBaseImage } from '../../support/base-images.ts';
import { startGitServer } from '../../support/git-server.ts';
import { sharedService } from '../../support/services.ts';
import { startWebServer } from '../../support/web-server.ts';
import type { FaultContext } from '../fault-row.ts';
import { buildArguments, runTbuild, writeFiles } from '../run-tbuild.ts';
import type { Kind } from './kinds.ts';

/** The server that a project fetches from. */
export interface Source extends AsyncDisposable {
  /** An instruction that fetches from it, or none. */
  readonly instruction: string;
  readonly base: string;
}

export async function openSource(kind: Kind['source']): Promise<Source> {
  const none = { instruction: '', base: 'busybox', [Symbol.asyncDispose]: async () => {} };
  if (kind === 'registry') return { ...none, base: await pushBaseImage('busybox', await sharedService('registry')) };
  if (kind === 'web') {
    const server = await startWebServer(
      new Map([
        ['/a', { body: 'from the web\n' }],
        ['/b', { body: 'not a\n' }],
      ]),
    );
    return {
      ...none,
      instruction: `ADD ${server.url}/a ${server.url}/b /web/\n`,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  }
  if (kind === 'git') {
    const server = await startGitServer();
    await server.commit('app', { file: 'of a repository\n' });
    return {
      ...none,
      instruction: `ADD ${server.url}/app.git /git\n`,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  }
  return none;
}

/** Writes a project whose build makes every kind of file in a store. */
export function writeProject(
  { directory }: Pick<FaultContext, 'directory'>,
  { name }: Kind,
  { base, instruction }: Source,
): string {
  // A copy of fewer files is not remembered.
  const many = Object.fromEntries(
    Array.from({ length: name === 'list of a copy' ? 500 : 1 }, (_, at) => [`many/${at}`, `${at}\n`]),
  );
  return writeFiles(join(directory, 'project'), {
    Dockerfile: `FROM ${base} AS build
COPY . /src
RUN --mount=type=secret,id=s mkdir /own && cat /src/a > /own/a && echo b > /own/b
RUN --mount=type=cache,target=/c echo c > /own/c && cat /own/* > /all
FROM ${base}
WORKDIR /w
COPY --from=build /own/a /all /w/
COPY --from=build /own/b /w/
COPY --link a /linked
${instruction}`,
    'bad.Dockerfile': `FROM ${base}\nRUN echo failed > /failed && false\n`,
    a: 'a\n',
    secret: 'secret\n',
    ...many,
  });
}

/** Builds the project into the store and into a directory. Returns the exit code, the output and the digest of the good image. */
export async function buildProject(context: FaultContext, project: string) {
  const output = join(context.directory, 'image');
  const { exitCode, stderr } = await runTbuild(context, [
    ...buildArguments(project, '-t', 'app:1', '--secret', `id=s,src=${project}/secret,rebuild=true`),
    '-o',
    'type=image,rewrite-timestamp=true',
    '-o',
    `type=oci,dest=${output},tar=false,rewrite-timestamp=true`,
  ]);
  return { exitCode, stderr, digest: exitCode === 0 ? imageIn(output) : undefined };
}

/** Returns the digest of the image in a layout, or a sentence about a blob that is not what its name says. */
function imageIn(layout: string): string {
  const blobs = join(layout, 'blobs/sha256');
  const index: { manifests: readonly { digest: string }[] } = JSON.parse(
    readFileSync(join(layout, 'index.json'), 'utf8'),
  );
  const wrong = readdirSync(blobs).find((name) => name !== sha256(readFileSync(join(blobs, name))));
  return wrong === undefined ? (index.manifests.at(-1)?.digest ?? 'no image') : `blob ${wrong} is wrong`;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
