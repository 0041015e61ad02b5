import { resolve } from 'node:path';
import type { LayerFormat, OutputSpec } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { parseFields } from './fields.ts';

/**
 * Reads one `--output`: `type=…,dest=…`, a bare path (a local tree) or `-` (a tar on standard output).
 * @throws TbuildError USAGE
 */
export function parseOutput(text: string, cwd: string): OutputSpec {
  if (text === '-') return { type: 'tar', destination: '-' };
  if (!text.includes('=')) return { type: 'local', destination: resolve(cwd, text) };
  const fields = parseFields(text, 'output');
  const { type, ...options } = fields;
  if (type === undefined) throw invalid(text, 'it has no type=');
  const make = Object.hasOwn(makers, type) ? makers[type] : undefined;
  if (make === undefined) throw invalid(text, `type ${JSON.stringify(type)} is none of ${Object.keys(makers).join(', ')}`);
  return make(new Options(text, options, cwd));
}

const makers: Readonly<Record<string, (options: Options) => OutputSpec>> = {
  image: (options) => options.done({ type: 'image', push: options.flag('push'), compression: options.compression() }),
  registry: (options) => options.done({ type: 'image', push: true, compression: options.compression() }),
  docker: (options) => options.done({ type: 'docker', destination: options.path() }),
  oci: (options) =>
    options.done({ type: 'oci', destination: options.path() ?? '-', tar: options.flag('tar', true), compression: options.compression() }),
  local: (options) => options.done({ type: 'local', destination: options.required() }),
  tar: (options) => options.done({ type: 'tar', destination: options.path() ?? '-' }),
  cacheonly: (options) => options.done({ type: 'cacheonly' }),
};

/** The options of one output; each is taken once, and what is left at the end is an error. */
class Options {
  readonly #text: string;
  readonly #left: Map<string, string>;
  readonly #cwd: string;

  constructor(text: string, options: Readonly<Record<string, string>>, cwd: string) {
    this.#text = text;
    this.#left = new Map(Object.entries(options));
    this.#cwd = cwd;
  }

  path(): string | undefined {
    const path = this.#take('dest');
    return path === undefined || path === '-' ? path : resolve(this.#cwd, path);
  }

  required(): string {
    const path = this.path();
    if (path === undefined) throw invalid(this.#text, 'it has no dest=');
    return path;
  }

  flag(name: string, otherwise = false): boolean {
    const text = this.#take(name);
    if (text === undefined) return otherwise;
    if (text === 'true' || text === 'false') return text === 'true';
    throw invalid(this.#text, `${name} must be true or false`);
  }

  compression(): LayerFormat | undefined {
    const text = this.#take('compression');
    if (text === undefined || text === 'gzip' || text === 'zstd' || text === 'uncompressed') return text;
    throw invalid(this.#text, `compression ${JSON.stringify(text)} is none of uncompressed, gzip, zstd`);
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
