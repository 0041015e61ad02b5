import { expect, test } from 'vitest';
import { createByteReader } from './byte-reader.ts';

test('a byte reader returns parts of any length and closes its source', async () => {
  let closed = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* ['abc', 'de', '', 'fghij', 'never read'].map((text) => Buffer.from(text));
    } finally {
      closed = true;
    }
  }
  const textOf = async (part: AsyncIterable<Uint8Array>): Promise<string> => {
    let text = '';
    for await (const bytes of part) text += Buffer.from(bytes).toString();
    return text;
  };
  {
    await using reader = createByteReader(source());
    await reader.skip(1);
    expect(await textOf(reader.take(3))).toBe('bcd');
    expect(await textOf(reader.take(0))).toBe('');
    expect(await textOf(reader.take(6))).toBe('efghij');
    expect(closed).toBe(false);
  }
  expect(closed).toBe(true);
});
