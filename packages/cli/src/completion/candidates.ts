import { CALLS } from '../commands/call/call-spec.ts';
import type { Command } from '../commands/command.ts';
import type { Flag, Flags } from '../flags/args.ts';
import { ISOLATIONS, NETWORKS, PERMISSIONS } from '../flags/build-spec.ts';
import { MODES } from '../print/open-display.ts';

export type Commands = Readonly<Record<string, () => Promise<Command>>>;

/** A word that may come next, and what it means. */
export interface Candidate {
  readonly word: string;
  readonly help?: string;
}

/** The shell itself completes paths. */
export type Candidates = readonly Candidate[] | 'file' | 'directory';

/**
 * A kind of value that depends on what is there: images of the store, stages and arguments of the Dockerfile, and what
 * the bake files define.
 */
export type ValueKind = 'image' | 'target' | 'build-arg' | 'rule' | 'bake-target' | 'bake-variable' | 'override';

export interface CompletionContext {
  readonly commands: Commands;
  /** Returns the values of a kind; `flags` are those that were given so far, by name. */
  values(kind: ValueKind, flags: ReadonlyMap<string, string>): readonly Candidate[] | Promise<readonly Candidate[]>;
}

/** Returns what may stand in place of the last of the words after the program's name; it may be empty or begun. */
export async function candidatesFor(words: readonly string[], context: CompletionContext): Promise<Candidates> {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  const { name, command, rest } = await commandIn(before, context.commands);
  const flags = command.flags ?? {};
  const { given, positional, open } = readWords(rest, flags);
  if (open !== undefined) return prefixed(await valuesOf(open, given, context), '', current);
  const [, option, value] = /^--([a-z-]+)=(.*)$/s.exec(current) ?? [];
  if (option !== undefined) return prefixed(await valuesOf(option, given, context), `--${option}=`, value ?? '');
  if (current.startsWith('-')) return starting(flagCandidates(flags), current);
  if (command.commands !== undefined && positional.length === 0)
    return starting(await commandCandidates(command.commands), current);
  const found = await wordsOf(name, given, context);
  if (name !== undefined || positional.length > 0) return found === 'directory' ? found : starting(found, current);
  const names = starting(await commandCandidates(context.commands), current);
  return names.length > 0 ? names : 'directory';
}

interface Found {
  readonly name?: string;
  readonly command: Command;
  readonly rest: readonly string[];
}

/** Finds the command in the words; without one it is a build. */
async function commandIn(words: readonly string[], commands: Commands): Promise<Found> {
  const [first = '', second = '', ...rest] = words;
  const load = Object.hasOwn(commands, first) ? commands[first] : undefined;
  const command = await (load ?? commands.build)?.();
  if (command === undefined) throw new Error('There is no build command');
  if (load === undefined) return { command, rest: words };
  const sub =
    command.commands !== undefined && Object.hasOwn(command.commands, second) ? command.commands[second] : undefined;
  if (sub === undefined) return { name: first, command, rest: words.slice(1) };
  return { name: `${first} ${second}`, command: await sub(), rest };
}

/** Sorts words into options with values and plain ones; `open` is the option whose value is missing. */
function readWords(words: readonly string[], flags: Flags) {
  const given = new Map<string, string>();
  const positional: string[] = [];
  let open: string | undefined;
  for (const word of words) {
    if (open !== undefined) {
      given.set(open, word);
      open = undefined;
      continue;
    }
    const [, long, value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    const name = long ?? (/^-[a-zA-Z]$/.test(word) ? shortName(flags, word.charAt(1)) : undefined);
    if (name === undefined) positional.push(word);
    else if (value !== undefined) given.set(name, value);
    else if (takesValue(Object.hasOwn(flags, name) ? flags[name] : undefined)) open = name;
  }
  const [context] = positional;
  if (context !== undefined) given.set('', context);
  return { given, positional, open };
}

function shortName(flags: Flags, letter: string): string | undefined {
  return Object.entries(flags).find(([, { short }]) => short === letter)?.[0];
}

function takesValue(flag: Flag | undefined): boolean {
  return flag?.kind === 'text' || flag?.kind === 'list';
}

function flagCandidates(flags: Flags): readonly Candidate[] {
  return Object.entries(flags)
    .filter(([, { hidden }]) => hidden === undefined)
    .map(([name, { help }]) => ({ word: `--${name}`, help }));
}

async function commandCandidates(commands: Commands): Promise<readonly Candidate[]> {
  return Promise.all(Object.entries(commands).map(async ([word, load]) => ({ word, help: (await load()).summary })));
}

const FIXED = new Map<string, readonly string[]>([
  ['allow', PERMISSIONS],
  ['attest', ['type=provenance', 'type=sbom']],
  ['cache-from', ['type=registry,ref=', 'type=local,src=']],
  ['cache-to', ['type=registry,mode=max,ref=', 'type=local,mode=max,dest=', 'type=inline']],
  ['call', CALLS],
  ['list', ['targets', 'variables', 'type=targets,format=json', 'type=variables,format=json']],
  ['isolation', ISOLATIONS],
  ['network', NETWORKS],
  ['output', ['image', 'registry', 'docker', 'oci', 'tar', 'local', 'cacheonly'].map((type) => `type=${type}`)],
  [
    'platform',
    ['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/386', 'linux/ppc64le', 'linux/riscv64', 'linux/s390x'],
  ],
  ['progress', Object.keys(MODES)],
  ['provenance', ['true', 'mode=min', 'mode=max']],
]);

const DYNAMIC = new Map<string, ValueKind>([
  ['tag', 'image'],
  ['target', 'target'],
  ['no-cache-filter', 'target'],
  ['build-arg', 'build-arg'],
  ['set', 'override'],
  ['var', 'bake-variable'],
]);

async function valuesOf(
  option: string,
  given: ReadonlyMap<string, string>,
  { values }: CompletionContext,
): Promise<Candidates> {
  const fixed = FIXED.get(option);
  if (fixed !== undefined) return fixed.map((word) => ({ word }));
  const kind = DYNAMIC.get(option);
  if (kind !== undefined) return values(kind, given);
  return option === 'root' ? 'directory' : 'file';
}

const IMAGE_COMMANDS = /^(?:image )?(?:tag|inspect|diff|push|save|history|rmi|rm|images|ls)$/;

async function wordsOf(
  name: string | undefined,
  given: ReadonlyMap<string, string>,
  { values }: CompletionContext,
): Promise<readonly Candidate[] | 'directory'> {
  if (name !== undefined && IMAGE_COMMANDS.test(name)) return values('image', given);
  if (name === 'bake') return values('bake-target', given);
  if (name === 'explain') return values('rule', given);
  if (name === 'completion') return ['bash', 'zsh', 'fish'].map((word) => ({ word }));
  return 'directory';
}

function starting(candidates: readonly Candidate[], current: string): readonly Candidate[] {
  return candidates.filter(({ word }) => word.startsWith(current));
}

function prefixed(candidates: Candidates, prefix: string, value: string): Candidates {
  if (typeof candidates === 'string') return candidates;
  return starting(candidates, value).map(({ word, help }) => ({ word: prefix + word, help }));
}
