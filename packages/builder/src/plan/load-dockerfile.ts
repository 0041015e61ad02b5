import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { decodeText } from '@tbuild/context';
import { parseDockerfile, type Dockerfile } from '@tbuild/dockerfile';
import { suggest, TbuildError } from '@tbuild/errors';
import { builtInSyntax } from '@tbuild/frontend';
import { readLimitedFile } from '@tbuild/linux';
import type { BuildRequest } from '../request.ts';

/** A Dockerfile's text and location. */
export interface Definition {
  readonly text: string;
  /** The name shown to the user, such as `Dockerfile`. */
  readonly name: string;
  /** Path on disk, inside the main context or elsewhere. The file's own ignore file is beside it. */
  readonly path?: string;
  /** In bytes. */
  readonly size: number;
  /** Modification time in milliseconds since the epoch. Undefined for a text without a file. */
  readonly changedAt?: number;
}

export interface LoadedDockerfile extends Definition {
  readonly dockerfile: Dockerfile;
  /** The requested frontend image, which is built in. */
  readonly syntax?: string;
}

/**
 * Parses a Dockerfile.
 * @throws TbuildError DOCKERFILE_SYNTAX, UNSUPPORTED for another frontend.
 */
export function parseDefinition(definition: Definition, { buildArgs }: BuildRequest): LoadedDockerfile {
  const { text, name } = definition;
  const syntax = builtInSyntax(text, { file: name, buildArgs });
  return { ...definition, dockerfile: parseDockerfile(text, name), ...(syntax === undefined ? {} : { syntax }) };
}

/**
 * Reads the Dockerfile of a request.
 * @throws TbuildError NOT_FOUND if it does not exist.
 */
export function readDefinition({ dockerfile: spec, context }: BuildRequest): Definition {
  if (spec.kind === 'inline') return { text: spec.text, name: spec.name, size: Buffer.byteLength(spec.text) };
  if (spec.kind !== 'file') throw new Error('Expected the Dockerfile to be fetched');
  const root = context.kind === 'directory' ? context.path : undefined;
  const candidates =
    spec.path !== undefined ? [spec.path] : root === undefined ? [] : DEFAULT_NAMES.map((name) => join(root, name));
  for (const path of candidates) {
    const what = `Dockerfile ${JSON.stringify(path)}`;
    const bytes = readLimitedFile(path, { what });
    if (bytes === undefined) continue;
    const text = decodeText(bytes, what);
    const name = nameOf(path, root);
    const changedAt = statSync(path).mtimeMs;
    return { text, name, path, size: Buffer.byteLength(text), changedAt };
  }
  const wanted = spec.path ?? 'Dockerfile';
  throw new TbuildError(
    'NOT_FOUND',
    `Failed to read dockerfile: open ${wanted}: no such file or directory${root === undefined ? '' : ` (context ${JSON.stringify(root)})`}`,
    { hint: similarFile(candidates) ?? 'Pass the file with -f FILE, or its directory as the last argument' },
  );
}

/** Returns a hint with a file whose name is like one of the paths, all of one directory. */
function similarFile(paths: readonly string[]): string | undefined {
  const directory = dirname(paths[0] ?? '');
  const files = filesIn(directory);
  const [near] = paths.flatMap((path) => suggest(basename(path), files) ?? []);
  return near === undefined ? undefined : `Did you mean ${JSON.stringify(join(directory, near))}?`;
}

/** Returns the names of the files in a directory; none when it cannot be read. */
function filesIn(directory: string): readonly string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch {
    return [];
  }
}

/** In this order; the last one is Podman's. */
export const DEFAULT_NAMES: readonly string[] = ['Dockerfile', 'dockerfile', 'Containerfile'];

function nameOf(path: string, root: string | undefined): string {
  const inside = root === undefined ? '..' : relative(root, path);
  return inside.startsWith('..') ? basename(path) : inside;
}
