import type { SourceRange } from '@tbuild/errors';

/** Returns a place as BuildKit's JSON holds it: a range for each line, without characters. */
export function protoLocation({ start, end }: SourceRange): object {
  const lines = Array.from({ length: end.line - start.line + 1 }, (_, at) => ({ line: start.line + at }));
  return { ranges: lines.map((line) => ({ start: line, end: line })) };
}

/** Encodes a text as JSON encodes bytes. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
