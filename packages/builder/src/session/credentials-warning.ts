import { withoutCredentials } from '@tbuild/errors';
import { parseGitSource, type Plan } from '@tbuild/frontend';
import type { ProgressEvent } from '@tbuild/progress';

/**
 * Warns of each ADD of a URL with a user and password, since the image's history contains the instruction as BuildKit
 * writes it.
 */
export function credentialsWarnings(plans: readonly Plan[]): readonly ProgressEvent[] {
  const written = plans.flatMap(({ history }) => history.map(({ createdBy }) => createdBy));
  const words = written.filter((text) => text.startsWith('ADD ')).flatMap((text) => text.split(' '));
  return [...new Set(words.filter(hasCredentials))].map((url) => ({
    type: 'warning',
    message: `The history of the image shows the user and password of ADD ${JSON.stringify(withoutCredentials(url))}: use --secret id=${secretFor(url)},src=FILE instead`,
  }));
}

function hasCredentials(text: string): boolean {
  return /^https?:/i.test(text) && withoutCredentials(text) !== text;
}

function secretFor(url: string): string {
  const { host, hostname } = URL.canParse(url) ? new URL(url) : { host: 'HOST', hostname: 'HOST' };
  return parseGitSource(url) === undefined ? `HTTP_AUTH_TOKEN_${hostname}` : `GIT_AUTH_TOKEN.${host}`;
}
