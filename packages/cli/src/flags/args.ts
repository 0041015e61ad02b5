import { suggest, TbuildError } from '@tbuild/errors';

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
 * @throws TbuildError USAGE with a suggestion for an unknown option.
 */
export function parseArgs<F extends Flags>(
  argv: readonly string[],
  flags: F,
  foreign: Readonly<Record<string, string>> = {},
): ParsedArgs<F> {
  const values: Record<string, string | boolean | string[]> = {};
  const positional: string[] = [];
  const words = [...argv];
  const set = (name: string, flag: Flag, text: string | undefined): void => {
    if (flag.kind === 'switch') values[name] = parseSwitch(name, text ?? 'true');
    else if (flag.kind === 'optional') values[name] = text ?? '';
    else {
      const value = text ?? words.shift();
      if (value === undefined) throw usage(`--${name} needs a value`, `Write --${name} ${flag.value ?? 'VALUE'}`);
      if (flag.kind === 'text') values[name] = value;
      else values[name] = [...listOf(values[name]), value];
    }
  };
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') {
      positional.push(...words.splice(0));
    } else if (word.startsWith('--')) {
      const [name, text] = splitOnce(word.slice(2));
      set(name, lookUp(flags, name, foreign), text);
    } else if (word.startsWith('-') && word !== '-') {
      for (let rest = word.slice(1); rest !== '';) {
        const [name, flag] = lookUpShort(flags, rest.charAt(0));
        rest = rest.slice(1);
        if (flag.kind === 'switch') {
          set(name, flag, undefined);
          continue;
        }
        set(name, flag, rest === '' ? undefined : rest.replace(/^=/, ''));
        rest = '';
      }
    } else positional.push(word);
  }
  return { flags: values as FlagValues<F>, positional };
}

function listOf(value: string | boolean | string[] | undefined): readonly string[] {
  return Array.isArray(value) ? value : [];
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function lookUp(flags: Flags, name: string, foreign: Readonly<Record<string, string>>): Flag {
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (flag !== undefined) return flag;
  const known = Object.hasOwn(foreign, name) ? foreign[name] : undefined;
  if (known !== undefined) throw usage(`Unknown option --${name}`, known);
  const near = suggest(name, Object.keys(flags));
  throw usage(`Unknown option --${name}`, near === undefined ? undefined : `Did you mean --${near}?`);
}

function lookUpShort(flags: Flags, letter: string): [string, Flag] {
  const found = Object.entries(flags).find(([, flag]) => flag.short === letter);
  if (found === undefined) throw usage(`Unknown option -${letter}`);
  return found;
}

function parseSwitch(name: string, text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
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
