import { posix, resolve } from 'node:path';
import { suggest } from '@tbuild/errors';
import { secondsOf } from '@tbuild/frontend';
import type { Platform } from '@tbuild/oci';
import type { OutputOptions, OutputSpec } from '@tbuild/spec';
import { imageOptions } from './image-options.ts';
import { OptionFields } from './option-fields.ts';

export interface OutputContext {
  readonly cwd: string;
  readonly host: Platform;
}

const OUTPUT = { option: '--output', hint: 'Write for example -o type=docker,dest=image.tar' };

/**
 * Reads one output: options such as `type=…,dest=…`, a bare path (a local tree) or `-` (a tar on standard output).
 * @throws TbuildError USAGE, also for what Docker's builder has and tbuild lacks.
 */
export function outputSpec(output: string | OutputOptions, context: OutputContext): OutputSpec {
  if (output === '-') return { type: 'tar', destination: '-' };
  if (typeof output === 'string' && output !== '' && !output.includes('='))
    return { type: 'local', destination: resolve(context.cwd, output) };
  const fields = new OptionFields(output, OUTPUT);
  const type = fields.required('type');
  const make = Object.hasOwn(makers, type) ? makers[type] : undefined;
  if (make !== undefined) return fields.done(type, make(fields, context));
  const near = suggest(type, Object.keys(makers));
  throw fields.invalid(
    `type ${JSON.stringify(type)} is not one of ${Object.keys(makers).join(', ')}`,
    near === undefined ? undefined : `Did you mean type=${near}?`,
  );
}

const makers: Readonly<Record<string, (fields: OptionFields, context: OutputContext) => OutputSpec>> = {
  image: (fields, context) => image(fields, context, false),
  registry: (fields, context) => image(fields, context, true),
  docker(fields, { cwd, host }) {
    fields.refuse('tar', 'Use -o type=oci,tar=false for a directory', 'true');
    const destination = path(fields, cwd);
    const engineContext = fields.text('context');
    return { type: 'docker', destination, engineContext, epoch: epoch(fields), ...imageOptions(fields, host) };
  },
  oci(fields, { cwd, host }) {
    const tar = fields.flag('tar') ?? true;
    const destination = tar ? (path(fields, cwd) ?? '-') : directory(fields, cwd);
    return { type: 'oci', destination, tar, epoch: epoch(fields), ...imageOptions(fields, host) };
  },
  local: (fields, { cwd }) => ({
    type: 'local',
    destination: directory(fields, cwd),
    mode: fields.oneOf('mode', ['copy', 'delete']),
    from: absolute(fields),
    when: fields.oneOf('when', ['success', 'failure', 'always']),
    ...treeOptions(fields),
  }),
  tar: (fields, { cwd }) => ({ type: 'tar', destination: path(fields, cwd) ?? '-', ...treeOptions(fields) }),
  cacheonly: () => ({ type: 'cacheonly' }),
};

function image(fields: OptionFields, { host }: OutputContext, pushes: boolean): OutputSpec {
  // Only engines unpack images on request; here a step that needs the files does it.
  fields.flag('unpack');
  return {
    type: 'image',
    push: fields.flag('push') ?? pushes,
    epoch: epoch(fields),
    store: fields.flag('store'),
    byDigest: fields.flag('push-by-digest'),
    insecure: fields.flag('registry.insecure'),
    nameCanonical: fields.flag('name-canonical'),
    danglingPrefix: fields.text('dangling-name-prefix'),
    // The second spelling is Docker's.
    danglingEmptyOnly: fields.flag('dangling-name-empty-only') ?? fields.flag('danging-name-empty-only'),
    ...imageOptions(fields, host),
  };
}

function treeOptions(fields: OptionFields): {
  readonly platformSplit?: boolean;
  readonly attestationPrefix?: string;
  readonly epoch?: number | 'none';
} {
  const attestationPrefix = fields.text('attestation-prefix');
  if (attestationPrefix?.includes('/') === true) throw fields.invalid('attestation-prefix must not contain "/"');
  return { platformSplit: fields.flag('platform-split'), attestationPrefix, epoch: epoch(fields) };
}

/** Returns an absolute path, or `-` for standard output. */
function path(fields: OptionFields, cwd: string): string | undefined {
  const dest = fields.text('dest');
  return dest === undefined || dest === '-' ? dest : resolve(cwd, dest);
}

function directory(fields: OptionFields, cwd: string): string {
  const dest = fields.required('dest', 'Name a directory: dest=DIR');
  if (dest === '-') throw fields.invalid('a directory cannot be written to standard output');
  return resolve(cwd, dest);
}

/** Returns the path in the image, which begins at its root. */
function absolute(fields: OptionFields): string | undefined {
  const from = fields.text('from');
  return from === undefined ? undefined : posix.resolve('/', from);
}

/** An empty value means that the times of the build stay. */
function epoch(fields: OptionFields): number | 'none' | undefined {
  const text = fields.text('source-date-epoch');
  if (text === undefined) return undefined;
  return text === '' ? 'none' : secondsOf(text) * 1000;
}
