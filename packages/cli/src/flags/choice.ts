import { TbuildError } from '@tbuild/errors';

/**
 * Returns the choice that a text names.
 * @throws TbuildError USAGE for a text that names none.
 */
export function choiceOf<T extends string>(text: string, choices: readonly T[], option: string): T {
  const choice = choices.find((one) => one === text);
  if (choice !== undefined) return choice;
  throw new TbuildError('USAGE', `Invalid ${option} ${JSON.stringify(text)}: expected ${choices.join(', ')}`);
}
