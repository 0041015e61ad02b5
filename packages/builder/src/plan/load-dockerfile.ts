import { statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { parseDockerfile, type Dockerfile } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { builtInSyntax } from '@tbuild/frontend';
import { readLimitedFile } from '@tbuild/linux';
import type { BuildRequest } from '../request.ts';

/** The text of a Dockerfile and where it lies. */
export interface Definition {
  readonly text: string;
  /** As the user would name it, e.g. `Dockerfile`. */
  readonly name: string;
  /** Relative to the main context when it is inside, for its own ignore file. */
  readonly inContext?: string;
  /** In bytes. */
  readonly size: number;
  /** When the file was last changed, in milliseconds since the epoch; undefined for a text without a file. */
  readonly changedAt?: number;
}

export interface LoadedDockerfile extends Definition {
  readonly dockerfile: Dockerfile;
  /** The frontend image that the file asked for, which is built in. */
  readonly syntax?: string;
}

/** @throws TbuildError DOCKERFILE_SYNTAX, UNSUPPORTED for another language. */
export function parseDefinition(definition: Definition, { buildArgs }: BuildRequest): LoadedDockerfile {
  const { text, name } = definition;
  const syntax = builtInSyntax(text, { file: name, buildArgs });
  return { ...definition, dockerfile: parseDockerfile(text, name), ...(syntax === undefined ? {} : { syntax }) };
}

/** @throws TbuildError NOT_FOUND when there is none. */
export function readDefinition({ dockerfile: spec, context }: BuildRequest): Definition {
  if (spec.kind === 'inline') return { text: spec.text, name: spec.name, size: Buffer.byteLength(spec.text) };
  if (spec.kind !== 'file') throw new Error('The Dockerfile was not fetched');
  const root = context.kind === 'directory' ? context.path : undefined;
  const candidates =
    spec.path !== undefined
      ? [spec.path]
      : root === undefined
        ? []
        : [join(root, 'Dockerfile'), join(root, 'dockerfile')];
  for (const path of candidates) {
    const text = readLimitedFile(path, { what: `Dockerfile ${JSON.stringify(path)}` })?.toString();
    if (text === undefined) continue;
    const inContext = root === undefined ? undefined : insideOf(root, path);
    const name = inContext ?? basename(path);
    const changedAt = statSync(path).mtimeMs;
    return { text, name, inContext, size: Buffer.byteLength(text), changedAt };
  }
  const wanted = spec.path ?? 'Dockerfile';
  throw new TbuildError(
    'NOT_FOUND',
    `No Dockerfile at ${JSON.stringify(wanted)}${root === undefined ? '' : ` (context ${JSON.stringify(root)})`}`,
    {
      hint: 'Name it with -f FILE, or the directory that holds it as the last argument',
    },
  );
}

function insideOf(root: string, path: string): string | undefined {
  const inside = relative(root, path);
  return inside.startsWith('..') || inside.startsWith('/') ? undefined : inside;
}
