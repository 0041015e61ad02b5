import { resolve } from 'node:path';
import type { OutputSpec } from '@tbuild/spec';
import { suggest } from '@tbuild/errors';
import type { ImageFormat } from '@tbuild/spec';
import { parseFields } from '../flags/fields.ts';
import { invalidOutput, OutputOptions, type OutputOptionsContext } from './output-options.ts';

/**
 * Reads one `--output`: `type=…,dest=…`, a bare path (a local tree) or `-` (a tar on standard output).
 * @throws TbuildError USAGE; UNSUPPORTED for what Docker's builder has and tbuild has not.
 */
export function parseOutput(text: string, context: OutputOptionsContext): OutputSpec {
  if (text === '-') return { type: 'tar', destination: '-' };
  if (!text.includes('=')) return { type: 'local', destination: resolve(context.cwd, text) };
  const { type, ...options } = parseFields(text, 'output');
  if (type === undefined) throw invalidOutput(text, 'it has no type=');
  const make = Object.hasOwn(makers, type) ? makers[type] : undefined;
  if (make !== undefined) return make(new OutputOptions(text, options, context));
  const near = suggest(type, Object.keys(makers));
  throw invalidOutput(
    text,
    `type ${JSON.stringify(type)} is none of ${Object.keys(makers).join(', ')}`,
    near === undefined ? undefined : `Did you mean type=${near}?`,
  );
}

const makers: Readonly<Record<string, (options: OutputOptions) => OutputSpec>> = {
  image: (options) => image(options, options.flag('push') ?? false),
  registry: (options) => image(options, options.flag('push') ?? true),
  docker(options) {
    options.refuse('tar', 'Use -o type=oci,tar=false for a directory', 'true');
    const destination = options.path();
    return options.done({ type: 'docker', destination, engineContext: options.text('context'), ...named(options) });
  },
  oci(options) {
    const tar = options.flag('tar') ?? true;
    const destination = tar ? (options.path() ?? '-') : options.directory();
    return options.done({ type: 'oci', destination, tar, ...named(options) });
  },
  local: (options) =>
    options.done({
      type: 'local',
      destination: options.directory(),
      mode: options.oneOf('mode', ['copy', 'delete']),
      ...tree(options),
    }),
  tar: (options) => options.done({ type: 'tar', destination: options.path() ?? '-', ...tree(options) }),
  cacheonly: (options) => options.done({ type: 'cacheonly' }),
};

function image(options: OutputOptions, push: boolean): OutputSpec {
  // Whether images are unpacked is a matter of engines; here they are when a step needs them.
  options.flag('unpack');
  return options.done({
    type: 'image',
    push,
    store: options.flag('store'),
    byDigest: options.flag('push-by-digest'),
    insecure: options.flag('registry.insecure'),
    nameCanonical: options.flag('name-canonical'),
    danglingPrefix: options.text('dangling-name-prefix'),
    // The second spelling is Docker's.
    danglingEmptyOnly: options.flag('dangling-name-empty-only') ?? options.flag('danging-name-empty-only'),
    ...named(options),
  });
}

function named(options: OutputOptions): ImageFormat & { readonly names?: readonly string[] } {
  const oci = options.flag('oci-mediatypes');
  const compression = options.compression();
  // Attestations are always stored with the image.
  options.flag('attestation-inline');
  options.refuse('prefer-nondist-layers', 'Layers that are not to be distributed always stay so', 'true');
  refuseEpoch(options);
  return {
    names: options.names(),
    compression,
    compressionLevel: options.level(compression),
    forceCompression: options.flag('force-compression'),
    mediaTypes: oci === undefined ? undefined : oci ? 'oci' : 'docker',
    attestationArtifact: options.flag('oci-artifact'),
    annotations: options.annotations(),
    rewriteTimestamp: options.flag('rewrite-timestamp'),
  };
}

function tree(options: OutputOptions): { readonly platformSplit?: boolean; readonly attestationPrefix?: string } {
  refuseEpoch(options);
  const attestationPrefix = options.text('attestation-prefix');
  if (attestationPrefix?.includes('/') === true) throw options.invalid('attestation-prefix must not contain "/"');
  return { platformSplit: options.flag('platform-split'), attestationPrefix };
}

function refuseEpoch(options: OutputOptions): void {
  options.refuse(
    'source-date-epoch',
    'Set SOURCE_DATE_EPOCH in the environment or with --build-arg, for the whole build',
  );
}
