import { readFileSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { BuildRequest, NamedContextSpec } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { parseEngineName } from '@tbuild/frontend';
import { readLimitedFile } from '@tbuild/linux';
import type { BuildSpec } from '@tbuild/spec';
import { storeLayout } from '@tbuild/store';
import { contextSource, isFetched } from './context-source.ts';
import { readStandardInput } from './standard-input.ts';

type Dockerfile = BuildRequest['dockerfile'];
type Sources = Pick<BuildRequest, 'context' | 'dockerfile'>;

export interface SourcePlaces {
  readonly cwd: string;
  /** The store's directory. */
  readonly root: string;
}

const DEFAULT_NAME = 'Dockerfile';

/**
 * Finds the main context and the Dockerfile; either may come from standard input.
 * @throws TbuildError USAGE, CONTEXT
 */
export function sources({ context, dockerfile }: BuildSpec, { cwd, root }: SourcePlaces): Sources {
  if (context === '-' && dockerfile === '-')
    throw new TbuildError('USAGE', 'Standard input cannot be both the Dockerfile and the context');
  if (context === '-') return inputSources(dockerfile, root);
  const spec = contextSource(context, cwd);
  const onDisk = (path?: string): Dockerfile =>
    path === undefined ? { kind: 'file' } : fileOrPipe(resolve(cwd, path));
  return { context: spec, dockerfile: dockerfileOf(dockerfile, isFetched(spec) ? inContext : onDisk) };
}

/**
 * Reads `NAME=SOURCE` of `--build-context`.
 * @throws TbuildError USAGE, CONTEXT
 */
export function namedContext(name: string, source: string, cwd: string): NamedContextSpec {
  if (name === '' || source === '')
    throw new TbuildError(
      'USAGE',
      `Invalid --build-context ${JSON.stringify(`${name}=${source}`)}: expected NAME=SOURCE`,
    );
  return schemedContext(source, cwd) ?? contextSource(source, cwd, name);
}

/** Returns the named context that a text with a scheme of its own stands for; undefined for a path, a repository or a URL. */
export function schemedContext(source: string, cwd: string): NamedContextSpec | undefined {
  const image =
    /^docker-image:\/\/(.+)$/.exec(source)?.[1] ?? (parseEngineName(source) === undefined ? undefined : source);
  if (image !== undefined) return { kind: 'image', reference: image };
  const target = /^target:(.+)$/.exec(source)?.[1];
  if (target !== undefined) return { kind: 'target', name: target };
  const [, path, digest, tag] = /^oci-layout:\/\/(.+?)(?:@(sha256:[a-f0-9]+)|:([\w][\w.-]*))?$/.exec(source) ?? [];
  return path === undefined ? undefined : { kind: 'layout', path: resolve(cwd, path), reference: digest ?? tag ?? '' };
}

function dockerfileOf(written: BuildSpec['dockerfile'], fromPath: (path?: string) => Dockerfile): Dockerfile {
  if (typeof written === 'object') return inline(written.text);
  if (written === '-') return inline(readFileSync(0, 'utf8'));
  return written !== undefined && isUrl(written) ? { kind: 'url', url: written } : fromPath(written);
}

/** Whether a Dockerfile is on a web server. */
export function isUrl(dockerfile: string): boolean {
  return /^https?:\/\//i.test(dockerfile);
}

/** Finds the Dockerfile of a context that has yet to be fetched or unpacked. */
function inContext(path?: string): Dockerfile {
  return { kind: 'in-context', path };
}

function inline(text: string, name = DEFAULT_NAME): Dockerfile {
  return { kind: 'inline', text, name };
}

/** A pipe, such as the shell's `<(command)`, can be read only once. A signal still ends the wait for it here, not later. */
function fileOrPipe(path: string): Dockerfile {
  if (statSync(path, { throwIfNoEntry: false })?.isFIFO() !== true) return { kind: 'file', path };
  const text = readLimitedFile(path, { what: `Dockerfile ${JSON.stringify(path)}`, pipes: true })?.toString() ?? '';
  return inline(text, basename(path));
}

/** Standard input is an archive with everything, or a Dockerfile alone. */
function inputSources(dockerfile: BuildSpec['dockerfile'], root: string): Sources {
  const input = readStandardInput(storeLayout(root).run);
  if (input.kind === 'archive') return { context: input, dockerfile: dockerfileOf(dockerfile, inContext) };
  if (dockerfile !== undefined)
    throw new TbuildError('USAGE', 'Standard input is a Dockerfile, and -f names another one');
  return { context: { kind: 'empty' }, dockerfile: inline(input.text) };
}
