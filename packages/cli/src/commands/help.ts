import { suggest, TbuildError } from '@tbuild/errors';
import { topics } from './help-topics.ts';

/**
 * Returns the text of `tbuild help TOPIC`.
 * @throws TbuildError USAGE for a topic that does not exist.
 */
export function helpOn(topic: string): string {
  const found = isTopic(topic) ? topics[topic] : undefined;
  if (found !== undefined) return `${found.title}\n\n${found.text}\n`;
  const near = suggest(topic, Object.keys(topics));
  throw new TbuildError('USAGE', `Unknown command or topic ${JSON.stringify(topic)}`, {
    hint: near === undefined ? `Topics: ${Object.keys(topics).join(', ')}` : `Did you mean ${near}?`,
  });
}

/** Returns whether a page about something exists. */
export function isTopic(word: string): boolean {
  return Object.hasOwn(topics, word);
}

/** Returns a line for each topic. */
export function topicLines(): readonly string[] {
  return Object.entries(topics).map(([name, { title }]) => `  ${name.padEnd(12)}${title}`);
}
