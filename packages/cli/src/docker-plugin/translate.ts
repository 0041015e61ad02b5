import { parseArgs, type Flags } from '../flags/args.ts';

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

const ALIASES = new Map([
  ['b', 'build'],
  ['f', 'bake'],
]);

/** Reads what Docker's CLI calls a plug-in with: its own options, the name of the plug-in, the command and its words. */
export function translateCall(words: readonly string[], plugin: string): PluginCall {
  if (words[0] === 'docker-cli-plugin-metadata') return { kind: 'metadata' };
  const at = placeOf(plugin, words);
  const { flags } = parseArgs(at < 0 ? [] : words.slice(0, at), GLOBAL);
  const [written = '--help', ...rest] = withoutBuilder(words.slice(at + 1));
  const command = ALIASES.get(written) ?? written;
  if (command === 'version') return { kind: 'version' };
  const variables = {
    // As Docker's own builder: FROM finds the images of the engine.
    ...(plugin === 'buildx' ? { TBUILD_ENGINE_IMAGES: 'docker' } : {}),
    ...(flags.config === undefined ? {} : { DOCKER_CONFIG: flags.config }),
    ...(flags.context === undefined ? {} : { DOCKER_CONTEXT: flags.context }),
    ...(flags.host?.[0] === undefined ? {} : { DOCKER_HOST: flags.host[0] }),
  };
  const argv = [command, ...adapted(command, rest)];
  return { kind: 'run', argv: plugin === 'buildx' ? ['buildx', ...argv] : argv, variables };
}

/** Compose starts the plug-in by itself, without its name: then the word may be a value of the command. */
function placeOf(plugin: string, words: readonly string[]): number {
  const at = words.indexOf(plugin);
  const isFirst = words
    .slice(0, at)
    .every((word, index, all) => word.startsWith('-') || all[index - 1]?.startsWith('-'));
  return isFirst ? at : -1;
}

/** Drops `--builder NAME` in front of a command: there is one builder. */
function withoutBuilder(words: readonly string[]): readonly string[] {
  const [first = ''] = words;
  if (first === '--builder') return words.slice(2);
  return first.startsWith('--builder=') ? words.slice(1) : words;
}

/** As with Docker's own builder, an image that goes nowhere else goes into the engine; nobody can be asked. */
function adapted(command: string, words: readonly string[]): readonly string[] {
  if (command === 'prune') return ['--force', ...words];
  if (command !== 'build' && command !== 'bake') return words;
  const goesElsewhere = words.some((word) =>
    /^(?:--push|--load|--output|--call|--check|--print|-o)(?:=|$)|^-o./.test(word),
  );
  return goesElsewhere ? words : ['--load', ...words];
}
