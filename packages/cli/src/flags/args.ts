import { suggest, TbuildError } from '@tbuild/errors';
import { goBool } from '@tbuild/oci';

/** An option of a command. */
export interface Flag {
  readonly kind: 'text' | 'list' | 'switch' | 'optional';
  readonly short?: string;
  /** The placeholder of the value in the help text, e.g. `NAME`. */
  readonly value?: string;
  readonly help: string;
  /** Accepted, but not in the help text: another option is preferred. */
  readonly hidden?: true;
}

export type Flags = Readonly<Record<string, Flag>>;

/** The values of a command line: a text, all texts of a list, or true. Absent when not given. */
export type FlagValues<F extends Flags> = {
  readonly [Name in keyof F]?: F[Name]['kind'] extends 'list'
    ? readonly string[]
    : F[Name]['kind'] extends 'switch'
      ? boolean
      : string;
};

export interface ParsedArgs<F extends Flags> {
  readonly flags: FlagValues<F>;
  readonly positional: readonly string[];
}

/**
 * Reads a command line as Docker does: `--name value`, `--name=value`, `-n value`, `-nvalue`, switches with an optional
 * `=true|false`, several short switches in one word, and `--` before plain words. `foreign` holds hints for options of
 * other programs.
 * @throws TbuildError USAGE that names all unknown options, each with a suggestion.
 */
export function parseArgs<F extends Flags>(
  argv: readonly string[],
  flags: F,
  foreign: Readonly<Record<string, string>> = {},
): ParsedArgs<F> {
  const values: Record<string, string | boolean | string[]> = {};
  const positional: string[] = [];
  const unknown = new Set<string>();
  const words = [...argv];
  const set = (name: string, text: string | undefined): void => {
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (flag === undefined) unknown.add(`--${name}`);
    else if (flag.kind === 'switch') values[name] = parseSwitch(name, text ?? 'true');
    else if (flag.kind === 'optional') values[name] = text ?? '';
    else {
      const value = text ?? words.shift();
      if (value === undefined) throw usage(`--${name} needs a value`, `Write --${name} ${flag.value ?? 'VALUE'}`);
      if (flag.kind === 'text') values[name] = value;
      else values[name] = [...listOf(values[name]), value];
    }
  };
  const setShort = (letters: string): void => {
    const [long = ''] = letters.split('=', 1);
    if (long.length > 1 && Object.hasOwn(flags, long)) {
      unknown.add(`-${long}`);
      return;
    }
    for (let rest = letters; rest !== '';) {
      const letter = rest.charAt(0);
      const [name, flag] = Object.entries(flags).find(([, { short }]) => short === letter) ?? [];
      rest = rest.slice(1);
      if (name === undefined) {
        // What follows may be its value.
        unknown.add(`-${letter}`);
        return;
      }
      const takesRest = flag?.kind !== 'switch';
      set(name, !takesRest || rest === '' ? undefined : rest.replace(/^=/, ''));
      if (takesRest) return;
    }
  };
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') positional.push(...words.splice(0));
    else if (word.startsWith('--')) set(...splitOnce(word.slice(2)));
    else if (word.startsWith('-') && word !== '-') setShort(word.slice(1));
    else positional.push(word);
  }
  if (unknown.size > 0) throw unknownOptions([...unknown], flags, foreign);
  return { flags: values as FlagValues<F>, positional };
}

function listOf(value: string | boolean | string[] | undefined): readonly string[] {
  return Array.isArray(value) ? value : [];
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function unknownOptions(
  names: readonly string[],
  flags: Flags,
  foreign: Readonly<Record<string, string>>,
): TbuildError {
  const hints = names.flatMap((name) => {
    const bare = name.replace(/^--/, '');
    const known = Object.hasOwn(foreign, bare) ? foreign[bare] : undefined;
    const near = suggest(name.length > 2 ? name.replace(/^-+/, '') : '', Object.keys(flags));
    const hint = known ?? (near === undefined ? undefined : `Did you mean --${near}?`);
    return hint === undefined ? [] : [names.length === 1 ? hint : `${name}: ${hint}`];
  });
  const message = names.length === 1 ? `Unknown option ${names[0]}` : `Unknown options ${names.join(', ')}`;
  return usage(message, hints.length === 0 ? undefined : hints.join('\n      '));
}

function parseSwitch(name: string, text: string): boolean {
  const isOn = goBool(text);
  if (isOn !== undefined) return isOn;
  throw usage(`--${name} takes true or false, got ${JSON.stringify(text)}`);
}

function usage(message: string, hint?: string): TbuildError {
  return new TbuildError('USAGE', message, { hint });
}

/** Returns the options as lines of a help text. */
export function describeFlags(flags: Flags): string {
  const shown = Object.entries(flags).filter(([, { hidden }]) => hidden === undefined);
  const rows = shown.map(([name, { short, kind, value, help }]) => {
    const argument = kind === 'switch' ? '' : kind === 'optional' ? `[=${value ?? 'VALUE'}]` : ` ${value ?? 'VALUE'}`;
    return [`  ${short === undefined ? '    ' : `-${short}, `}--${name}${argument}`, help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, help]) => `${left.padEnd(width)}${help}`).join('\n');
}
