import { readText } from './atomic-file.ts';
import type { StoreLayout } from './layout.ts';

/** Returns the key of the hashes that stand for secrets, or undefined when it is missing or damaged. */
export function readSecretKey({ secretKey }: Pick<StoreLayout, 'secretKey'>): string | undefined {
  const text = readText(secretKey);
  return text !== undefined && /^[0-9a-f]{64}$/.test(text) ? text : undefined;
}
