import type { BuildRecord, BuildStatus } from '@tbuild/builds';

const WORDS: Readonly<Record<BuildStatus, string>> = { completed: 'Completed', error: 'Error', canceled: 'Canceled' };

/** Returns the status in the words of buildx. */
export function statusOf({ status }: Pick<BuildRecord, 'status'>): string {
  return WORDS[status];
}
