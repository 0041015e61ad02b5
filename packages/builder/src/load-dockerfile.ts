import { readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { parseDockerfile, type Dockerfile } from '@tbuild/dockerfile';
import { errnoName, TbuildError } from '@tbuild/errors';
import type { BuildRequest } from './request.ts';

/** A Dockerfile and where it lies. */
export interface LoadedDockerfile {
  readonly dockerfile: Dockerfile;
  /** As the user would name it, e.g. `Dockerfile`. */
  readonly name: string;
  /** Relative to the main context when it is inside, for its own ignore file. */
  readonly inContext?: string;
  /** In bytes. */
  readonly size: number;
  /** When the file was last changed, in milliseconds since the epoch; undefined for a text without a file. */
  readonly changedAt?: number;
}

/** @throws TbuildError NOT_FOUND when there is none, DOCKERFILE_SYNTAX. */
export function loadDockerfile({ dockerfile: spec, context }: BuildRequest): LoadedDockerfile {
  if (spec.kind === 'inline') {
    return { dockerfile: parseDockerfile(spec.text, spec.name), name: spec.name, size: Buffer.byteLength(spec.text) };
  }
  const root = context.kind === 'directory' ? context.path : undefined;
  const candidates = spec.path !== undefined ? [spec.path] : root === undefined ? [] : [join(root, 'Dockerfile'), join(root, 'dockerfile')];
  for (const path of candidates) {
    const text = read(path);
    if (text === undefined) continue;
    const inContext = root === undefined ? undefined : insideOf(root, path);
    const name = inContext ?? basename(path);
    const changedAt = statSync(path).mtimeMs;
    return { dockerfile: parseDockerfile(text, name), name, inContext, size: Buffer.byteLength(text), changedAt };
  }
  const wanted = spec.path ?? 'Dockerfile';
  throw new TbuildError('NOT_FOUND', `No Dockerfile at ${JSON.stringify(wanted)}${root === undefined ? '' : ` (context ${JSON.stringify(root)})`}`, {
    hint: 'Name it with -f FILE, or the directory that holds it as the last argument',
  });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoName(error) === 'ENOENT' || errnoName(error) === 'ENOTDIR') return undefined;
    if (errnoName(error) === 'EISDIR') throw new TbuildError('USAGE', `Dockerfile ${JSON.stringify(path)} is a directory`, { cause: error });
    throw new TbuildError('CONTEXT', `Dockerfile ${JSON.stringify(path)} cannot be read (${errnoName(error) ?? 'unknown'})`, { cause: error });
  }
}

function insideOf(root: string, path: string): string | undefined {
  const inside = relative(root, path);
  return inside.startsWith('..') || inside.startsWith('/') ? undefined : inside;
}
