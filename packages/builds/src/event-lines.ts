import { isUtf8 } from 'node:buffer';
import type { ProgressEvent } from '@tbuild/progress';
import type { Encode } from './without-secrets.ts';

/** An event, and when it arrived, in milliseconds since the epoch. */
export interface TimedEvent {
  readonly at: number;
  readonly event: ProgressEvent;
}

/** Returns a line of `events`: the time and the event. Output is text where it is UTF-8, else base64. */
export function encodeEvent({ at, event }: TimedEvent, encode: Encode): string {
  if (event.type !== 'log') return `${encode([at, event])}\n`;
  const { data, ...rest } = event;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const output = isUtf8(bytes) ? { text: bytes.toString() } : { base64: bytes.toString('base64') };
  return `${encode([at, { ...rest, ...output }])}\n`;
}

/** Yields the events of lines. Ends at a line that a crash left incomplete. */
export function* decodeEvents(text: string): Generator<TimedEvent, void> {
  for (const line of text.split('\n')) {
    const timed = line === '' ? undefined : decodeEvent(line);
    if (timed !== undefined) yield timed;
  }
}

/** Reports whether every line holds an event. */
export function hasWholeLines(text: string): boolean {
  const lines = text.split('\n');
  return lines.pop() === '' && lines.every((line) => decodeEvent(line) !== undefined);
}

function decodeEvent(line: string): TimedEvent | undefined {
  try {
    const [at, value]: [number, ProgressEvent & { readonly text?: string; readonly base64?: string }] =
      JSON.parse(line);
    const { text, base64, ...event } = value;
    if (event.type !== 'log') return { at, event };
    return {
      at,
      event: { ...event, data: base64 === undefined ? Buffer.from(text ?? '') : Buffer.from(base64, 'base64') },
    };
  } catch {
    return undefined;
  }
}
