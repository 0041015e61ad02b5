import { expect, test } from 'vitest';
import { createChannel, type ProgressEvent } from './index.ts';

const transfer = (item: string, current: number): ProgressEvent => ({ type: 'transfer', step: 'a', item, current });

test('a channel keeps only the last unread transfer of an item, and all other events in order', async () => {
  const channel = createChannel();
  channel.emit({ type: 'started', step: 'a', at: 1 });
  channel.emit(transfer('x', 1));
  channel.emit(transfer('y', 1));
  channel.emit(transfer('x', 2));
  channel.emit({ type: 'finished', step: 'a', at: 2, outcome: 'built' });
  channel.close();
  channel.emit({ type: 'started', step: 'late', at: 3 });
  expect(await collect(channel)).toEqual([
    { type: 'started', step: 'a', at: 1 },
    transfer('x', 2),
    transfer('y', 1),
    { type: 'finished', step: 'a', at: 2, outcome: 'built' },
  ]);
});

test('a waiting reader wakes up for an event, and ends when the channel closes', async () => {
  const channel = createChannel();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of channel) seen.push(event.type);
  })();
  await new Promise((resolve) => setImmediate(resolve));
  channel.emit({ type: 'warning', message: 'w' });
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual(['warning']);
  channel.close();
  await reading;
});

async function collect(events: AsyncIterable<ProgressEvent>): Promise<ProgressEvent[]> {
  const all: ProgressEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}
