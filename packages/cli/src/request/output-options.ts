import { resolve } from 'node:path';
import { suggest, TbuildError } from '@tbuild/errors';
import type { Annotation } from '@tbuild/spec';
import { formatReference, parseReference, type LayerCompression, type Platform } from '@tbuild/oci';
import { parseAnnotationKind } from './annotation.ts';

export interface OutputOptionsContext {
  readonly cwd: string;
  readonly host: Platform;
}

/** The options of one output; each is taken once, and what is left at the end is an error. */
export class OutputOptions {
  readonly #text: string;
  readonly #left: Map<string, string>;
  readonly #asked = new Set<string>(['type']);
  readonly #context: OutputOptionsContext;

  constructor(text: string, options: Readonly<Record<string, string>>, context: OutputOptionsContext) {
    this.#text = text;
    this.#left = new Map(Object.entries(options));
    this.#context = context;
  }

  text(name: string): string | undefined {
    this.#asked.add(name);
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value;
  }

  /** Absolute, or `-` for standard output. */
  path(): string | undefined {
    const path = this.text('dest');
    return path === undefined || path === '-' ? path : resolve(this.#context.cwd, path);
  }

  directory(): string {
    const path = this.path();
    if (path === undefined) throw this.invalid('it has no dest=');
    if (path === '-') throw this.invalid('a directory cannot be written to standard output');
    return path;
  }

  /** What Go's `strconv.ParseBool` takes, and nothing at all for true. */
  flag(name: string): boolean | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (/^(?:|1|t|T|true|True|TRUE)$/.test(text)) return true;
    if (/^(?:0|f|F|false|False|FALSE)$/.test(text)) return false;
    throw this.invalid(`${name} must be true or false`);
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    const choice = choices.find((one) => one === text);
    if (text === undefined || choice !== undefined) return choice;
    throw this.invalid(`${name} ${JSON.stringify(text)} is none of ${choices.join(', ')}`);
  }

  /** Full references. */
  names(): readonly string[] | undefined {
    return this.text('name')
      ?.split(',')
      .filter((name) => name !== '')
      .map((name) => formatReference(parseReference(name)));
  }

  /** @throws TbuildError UNSUPPORTED for the formats that are pulled file by file. */
  compression(): LayerCompression | undefined {
    const choice = this.oneOf('compression', ['uncompressed', 'gzip', 'zstd', 'estargz', 'nydus']);
    if (choice !== 'estargz' && choice !== 'nydus') return choice;
    throw new TbuildError('UNSUPPORTED', `Layers cannot be compressed with ${choice}`, {
      hint: 'Use compression=gzip or zstd; a tool such as nerdctl image convert makes layers for lazy pulling',
    });
  }

  level(compression: LayerCompression = 'gzip'): number | undefined {
    const text = this.text('compression-level');
    const most = compression === 'zstd' ? 22 : 9;
    if (text === undefined) return undefined;
    if (/^\d+$/.test(text) && Number(text) <= most) return Number(text);
    throw this.invalid(`compression-level must be 0 to ${most} for ${compression}`);
  }

  annotations(): readonly Annotation[] | undefined {
    const names = [...this.#left.keys()].filter((name) => name.startsWith('annotation'));
    if (names.length === 0) return undefined;
    return names.map((field) => {
      const [, kind = 'manifest', name = ''] =
        /^annotation(?:-((?:manifest|index)(?:-descriptor)?))?(?:\[.*?\])?\.(.+)$/.exec(field) ?? [];
      const platform = /^[^.[]*(\[.*?\])/.exec(field)?.[1] ?? '';
      if (name === '') throw this.invalid(`${JSON.stringify(field)} is not of the form annotation[-KIND].NAME`);
      return { ...parseAnnotationKind(kind + platform, this.#context.host), name, value: this.text(field) ?? '' };
    });
  }

  /** An option that is known and cannot be had: an error that says what to do instead, unless it has that value. */
  refuse(name: string, hint: string, harmless?: string): void {
    const value = this.text(name);
    if (value === undefined || value === harmless) return;
    throw new TbuildError('UNSUPPORTED', `Output option ${JSON.stringify(`${name}=${value}`)} is not supported`, {
      hint,
    });
  }

  /** @throws TbuildError USAGE for an option that nobody took. */
  done<T extends { readonly type: string }>(spec: T): T {
    const [unknown] = this.#left.keys();
    if (unknown === undefined) return spec;
    const near = suggest(unknown, this.#asked);
    throw this.invalid(
      `type ${spec.type} has no option ${JSON.stringify(unknown)}`,
      near === undefined ? `Its options are ${[...this.#asked].slice(1).join(', ')}` : `Did you mean ${near}=?`,
    );
  }

  invalid(reason: string, hint?: string): TbuildError {
    return invalidOutput(this.#text, reason, hint);
  }
}

export function invalidOutput(
  text: string,
  reason: string,
  hint = 'Write for example -o type=docker,dest=image.tar',
): TbuildError {
  return new TbuildError('USAGE', `Output ${JSON.stringify(text)} is not valid: ${reason}`, { hint });
}
