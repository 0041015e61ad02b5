/**
 * Moves the command before options of the store, as in `tbuild --root DIR images`. Returns the words as they are if none
 * of the commands follows.
 */
export function commandFirst(argv: readonly string[], commands: object): readonly string[] {
  const before: string[] = [];
  const words = [...argv];
  for (
    let word = words[0];
    word === '--root' || word === '-D' || word === '--debug' || word?.startsWith('--root=');
    word = words[0]
  ) {
    before.push(...words.splice(0, word === '--root' ? 2 : 1));
  }
  const [command = '', ...rest] = words;
  return before.length > 0 && Object.hasOwn(commands, command) ? [command, ...before, ...rest] : argv;
}
