import { isUtf8 } from 'node:buffer';
import { isProgressEvent, isTime, type ProgressEvent } from '@tbuild/progress';
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

/** Yields the events of lines. Passes over others, such as one that a crash left incomplete. */
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
    const [at, { text, base64, ...fields }]: [unknown, Record<string, unknown>] = JSON.parse(line);
    const event = fields.type === 'log' ? { ...fields, data: outputOf(text, base64) } : fields;
    return isTime(at) && isProgressEvent(event) ? { at, event } : undefined;
  } catch {
    return undefined;
  }
}

function outputOf(text: unknown, base64: unknown): Buffer | undefined {
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64');
  return typeof text === 'string' ? Buffer.from(text) : undefined;
}
