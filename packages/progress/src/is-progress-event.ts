import type { ProgressEvent } from './event.ts';

type Check = (value: unknown) => boolean;

/** Returns whether a value that was read, such as a recorded event, is an event that everything can show. */
export function isProgressEvent(value: unknown): value is ProgressEvent {
  return isRecord(value) && isType(value.type) && hasFields(value, SHAPES[value.type]);
}

/** Returns whether a value is a time that a date can have, in milliseconds since the epoch. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= 8.64e15;
}

const text: Check = (value) => typeof value === 'string';
const count: Check = (value) => typeof value === 'number' && value >= 0;
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const fields =
  (shape: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) && hasFields(value, shape);
const oneOf =
  (...texts: readonly unknown[]): Check =>
  (value) =>
    texts.includes(value);

const position = fields({ line: count, column: count });
const range = optional(fields({ file: text, start: position, end: position }));
const planned = fields({ id: text, name: text, target: optional(text), inputs: optional(list(text)), location: range });

/** The checks of all fields but the type. */
type ShapeOf<E> = Readonly<Record<Exclude<keyof E, 'type'>, Check>>;

const SHAPES: { readonly [T in ProgressEvent['type']]: ShapeOf<Extract<ProgressEvent, { type: T }>> } = {
  planned: { steps: list(planned) },
  waiting: { step: text, at: isTime },
  started: { step: text, at: isTime },
  finished: {
    step: text,
    at: isTime,
    outcome: oneOf('built', 'cached', 'failed', 'cancelled'),
    error: optional(text),
    reason: optional(text),
    changes: optional(list(text)),
  },
  log: { step: text, stream: oneOf('stdout', 'stderr'), data: (value) => value instanceof Uint8Array },
  transfer: {
    step: text,
    item: text,
    current: count,
    total: optional(count),
    done: optional((value) => typeof value === 'boolean'),
  },
  warning: {
    message: text,
    step: optional(text),
    location: range,
    token: range,
    url: optional(text),
    detail: optional(text),
  },
};

function isType(value: unknown): value is ProgressEvent['type'] {
  return typeof value === 'string' && Object.hasOwn(SHAPES, value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function hasFields(value: Record<string, unknown>, shape: Readonly<Record<string, Check>>): boolean {
  return Object.entries(shape).every(([name, check]) => check(value[name]));
}
