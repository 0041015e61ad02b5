import { isSpace } from './whitespace.ts';

/** Collects the words of an expansion: blanks separate words unless they are quoted or escaped. */
export interface WordList {
  readonly words: string[];
  current: string;
}

/** An empty list. */
export function createWordList(): WordList {
  return { words: [], current: '' };
}

/** Adds unquoted text, whose blanks separate words. */
export function addText(list: WordList, text: string): void {
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (!isSpace(text.charCodeAt(at))) continue;
    list.current += text.slice(start, at);
    endWord(list);
    start = at + 1;
  }
  list.current += text.slice(start);
}

/** Adds text without splitting it. */
export function addLiteral(list: WordList, text: string): void {
  list.current += text;
}

/** Returns the words so far. As in Docker, an empty quoted word is dropped. */
export function finishWords(list: WordList): string[] {
  endWord(list);
  return list.words;
}

function endWord(list: WordList): void {
  if (list.current !== '') list.words.push(list.current);
  list.current = '';
}
