import type { SourceRange } from '@tbuild/errors';

/** Returns a place as BuildKit's JSON holds it: lines from 1, characters from 0 and omitted where 0. */
export function protoLocation({ start, end }: SourceRange): object {
  return { ranges: [{ start: position(start), end: position(end) }] };
}

function position({ line, column }: SourceRange['start']): object {
  return column === 1 ? { line } : { line, character: column - 1 };
}

/** Encodes a text as JSON encodes bytes. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
