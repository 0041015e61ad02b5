import { leadingOptions } from '../commands/command-first.ts';
import { KEY_VARIABLES } from '../config/docker-context.ts';
import { parseArgs, type Flags, type FlagValues } from '../flags/args.ts';

/** What a call of Docker's CLI means for tbuild. */
export type PluginCall =
  | { readonly kind: 'run'; readonly argv: readonly string[]; readonly variables: Readonly<Record<string, string>> }
  | { readonly kind: 'metadata' | 'version' };

/** The options that Docker's CLI passes on in front of the plug-in's name. */
const GLOBAL = {
  config: { kind: 'text', help: '' },
  context: { kind: 'text', short: 'c', help: '' },
  debug: { kind: 'switch', short: 'D', help: '' },
  host: { kind: 'list', short: 'H', help: '' },
  'log-level': { kind: 'text', short: 'l', help: '' },
  tls: { kind: 'switch', help: '' },
  tlscacert: { kind: 'text', help: '' },
  tlscert: { kind: 'text', help: '' },
  tlskey: { kind: 'text', help: '' },
  tlsverify: { kind: 'switch', help: '' },
  builder: { kind: 'text', help: '' },
} as const satisfies Flags;

/** The shorter names that buildx has for its commands. */
export const buildxAliases: Readonly<Record<string, string>> = { b: 'build', f: 'bake' };

/** Reads what Docker's CLI calls a plug-in with: its own options, the name of the plug-in, the command and its words. */
export function translateCall(words: readonly string[], plugin: string): PluginCall {
  if (words[0] === 'docker-cli-plugin-metadata') return { kind: 'metadata' };
  const at = placeOf(plugin, words);
  const { flags } = parseArgs(at < 0 ? [] : words.slice(0, at), GLOBAL);
  const { options, words: given } = leadingOptions(words.slice(at + 1));
  const [written = '--help', ...rest] = given;
  const command = Object.hasOwn(buildxAliases, written) ? (buildxAliases[written] ?? written) : written;
  if (command === 'version') return { kind: 'version' };
  const debug = flags.debug === true && isBuild(command) ? ['--debug'] : [];
  const argv = [command, ...options, ...debug, ...adapted(command, rest)];
  return {
    kind: 'run',
    argv: plugin === 'buildx' ? ['buildx', ...argv] : argv,
    // As Docker's own builder: FROM finds the images of the engine.
    variables: { ...(plugin === 'buildx' ? { TBUILD_ENGINE_IMAGES: 'docker' } : {}), ...variablesOf(flags) },
  };
}

/** Compose starts the plug-in by itself, without its name: then the word may be a value of the command. */
function placeOf(plugin: string, words: readonly string[]): number {
  const at = words.indexOf(plugin);
  const isFirst = words
    .slice(0, at)
    .every((word, index, all) => word.startsWith('-') || all[index - 1]?.startsWith('-'));
  return isFirst ? at : -1;
}

/** Returns the variables of Docker's client that stand for its options. */
function variablesOf(flags: FlagValues<typeof GLOBAL>): Readonly<Record<string, string>> {
  const values = {
    DOCKER_CONFIG: flags.config,
    DOCKER_CONTEXT: flags.context,
    DOCKER_HOST: flags.host?.[0],
    DOCKER_TLS: flags.tls === true ? '1' : undefined,
    DOCKER_TLS_VERIFY: flags.tlsverify === undefined ? undefined : flags.tlsverify ? '1' : '',
    [KEY_VARIABLES.ca]: flags.tlscacert,
    [KEY_VARIABLES.cert]: flags.tlscert,
    [KEY_VARIABLES.key]: flags.tlskey,
  };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

const isBuild = (command: string): boolean => command === 'build' || command === 'bake';

/** As with Docker's own builder, an image that goes nowhere else goes into the engine; nobody can be asked. */
function adapted(command: string, words: readonly string[]): readonly string[] {
  if (command === 'prune') return ['--force', ...words];
  if (!isBuild(command)) return words;
  const goesElsewhere = words.some((word) =>
    /^(?:--push|--load|--output|--call|--check|--print|-o)(?:=|$)|^-o./.test(word),
  );
  return goesElsewhere ? words : ['--load', ...words];
}
