/**
 * Moves the command before options of the store, as in `tbuild --root DIR images`. Returns the words as they are if none
 * of the commands follows.
 */
export function commandFirst(argv: readonly string[], commands: object): readonly string[] {
  const { options, words } = leadingOptions(argv);
  const [command = '', ...rest] = words;
  return command !== argv[0] && Object.hasOwn(commands, command) ? [command, ...options, ...rest] : argv;
}

/** Splits off the options in front of a command. Drops the name of a builder, of which there is one. */
export function leadingOptions(argv: readonly string[]): {
  readonly options: readonly string[];
  readonly words: readonly string[];
} {
  const options: string[] = [];
  const words = [...argv];
  for (let word = words[0] ?? ''; OPTION.test(word); word = words[0] ?? '') {
    const option = words.splice(0, word === '--root' || word === '--builder' ? 2 : 1);
    if (!word.startsWith('--builder')) options.push(...option);
  }
  return { options, words };
}

const OPTION = /^(?:-D|--debug|--(?:root|builder)(?:=.*)?)$/;
