import type { SourceRange } from '@tbuild/errors';

/** A place as BuildKit's JSON has it: lines from 1, characters from 0 and left out where 0. */
export function protoLocation({ start, end }: SourceRange): object {
  return { ranges: [{ start: position(start), end: position(end) }] };
}

function position({ line, column }: SourceRange['start']): object {
  return column === 1 ? { line } : { line, character: column - 1 };
}

/** A text as JSON has bytes. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
