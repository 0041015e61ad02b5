import { resolve } from 'node:path';
import type { OutputSpec } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import type { Annotation, ImageFormat } from '@tbuild/exporter';
import { formatReference, parseReference, type LayerCompression, type Platform } from '@tbuild/oci';
import { parseFields } from './fields.ts';
import { parseAnnotationKind } from './annotation.ts';

/**
 * Reads one `--output`: `type=…,dest=…`, a bare path (a local tree) or `-` (a tar on standard output).
 * @throws TbuildError USAGE
 */
export function parseOutput(text: string, cwd: string, host: Platform): OutputSpec {
  if (text === '-') return { type: 'tar', destination: '-' };
  if (!text.includes('=')) return { type: 'local', destination: resolve(cwd, text) };
  const fields = parseFields(text, 'output');
  const { type, ...options } = fields;
  if (type === undefined) throw invalid(text, 'it has no type=');
  const make = Object.hasOwn(makers, type) ? makers[type] : undefined;
  if (make === undefined)
    throw invalid(text, `type ${JSON.stringify(type)} is none of ${Object.keys(makers).join(', ')}`);
  return make(new Options(text, options, { cwd, host }));
}

const makers: Readonly<Record<string, (options: Options) => OutputSpec>> = {
  image: (options) => image(options, options.flag('push') ?? false),
  registry: (options) => image(options, options.flag('push') ?? true),
  docker: (options) => options.done({ type: 'docker', destination: options.path(), ...named(options) }),
  oci: (options) =>
    options.done({
      type: 'oci',
      destination: options.path() ?? '-',
      tar: options.flag('tar') ?? true,
      ...named(options),
    }),
  local: (options) =>
    options.done({ type: 'local', destination: options.required(), platformSplit: options.flag('platform-split') }),
  tar: (options) =>
    options.done({ type: 'tar', destination: options.path() ?? '-', platformSplit: options.flag('platform-split') }),
  cacheonly: (options) => options.done({ type: 'cacheonly' }),
};

function image(options: Options, push: boolean): OutputSpec {
  // Whether images are unpacked is a matter of engines; here they are when a step needs them.
  options.flag('unpack');
  return options.done({
    type: 'image',
    push,
    store: options.flag('store'),
    byDigest: options.flag('push-by-digest'),
    ...named(options),
  });
}

function named(options: Options): ImageFormat & { readonly names?: readonly string[] } {
  const oci = options.flag('oci-mediatypes');
  return {
    names: options.names(),
    compression: options.compression(),
    compressionLevel: options.level(),
    forceCompression: options.flag('force-compression'),
    mediaTypes: oci === undefined ? undefined : oci ? 'oci' : 'docker',
    annotations: options.annotations(),
    rewriteTimestamp: options.flag('rewrite-timestamp'),
  };
}

/** The options of one output; each is taken once, and what is left at the end is an error. */
class Options {
  readonly #text: string;
  readonly #left: Map<string, string>;
  readonly #context: { readonly cwd: string; readonly host: Platform };

  constructor(
    text: string,
    options: Readonly<Record<string, string>>,
    context: { readonly cwd: string; readonly host: Platform },
  ) {
    this.#text = text;
    this.#left = new Map(Object.entries(options));
    this.#context = context;
  }

  path(): string | undefined {
    const path = this.#take('dest');
    return path === undefined || path === '-' ? path : resolve(this.#context.cwd, path);
  }

  required(): string {
    const path = this.path();
    if (path === undefined) throw invalid(this.#text, 'it has no dest=');
    return path;
  }

  flag(name: string): boolean | undefined {
    const text = this.#take(name);
    if (text === undefined || text === 'true' || text === 'false')
      return text === undefined ? undefined : text === 'true';
    throw invalid(this.#text, `${name} must be true or false`);
  }

  names(): readonly string[] | undefined {
    return this.#take('name')
      ?.split(',')
      .map((name) => formatReference(parseReference(name)));
  }

  compression(): LayerCompression | undefined {
    const text = this.#take('compression');
    if (text === undefined || text === 'gzip' || text === 'zstd' || text === 'uncompressed') return text;
    throw invalid(this.#text, `compression ${JSON.stringify(text)} is none of uncompressed, gzip, zstd`);
  }

  level(): number | undefined {
    const text = this.#take('compression-level');
    if (text === undefined || (/^\d+$/.test(text) && Number(text) <= 22))
      return text === undefined ? undefined : Number(text);
    throw invalid(this.#text, 'compression-level must be 0 to 9 for gzip, 0 to 22 for zstd');
  }

  annotations(): readonly Annotation[] | undefined {
    const names = [...this.#left.keys()].filter((name) => name.startsWith('annotation'));
    if (names.length === 0) return undefined;
    return names.map((field) => {
      const [, kind = 'manifest', name = ''] =
        /^annotation(?:-((?:manifest|index)(?:-descriptor)?))?(?:\[.*?\])?\.(.+)$/.exec(field) ?? [];
      const platform = /^[^.[]*(\[.*?\])/.exec(field)?.[1] ?? '';
      if (name === '') throw invalid(this.#text, `${JSON.stringify(field)} is not of the form annotation[-KIND].NAME`);
      return { ...parseAnnotationKind(kind + platform, this.#context.host), name, value: this.#take(field) ?? '' };
    });
  }

  done(spec: OutputSpec): OutputSpec {
    const [unknown] = this.#left.keys();
    if (unknown !== undefined) throw invalid(this.#text, `type ${spec.type} has no option ${JSON.stringify(unknown)}`);
    return spec;
  }

  #take(name: string): string | undefined {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value;
  }
}

function invalid(text: string, reason: string): TbuildError {
  return new TbuildError('USAGE', `Output ${JSON.stringify(text)} is not valid: ${reason}`, {
    hint: 'Write for example -o type=docker,dest=image.tar',
  });
}
