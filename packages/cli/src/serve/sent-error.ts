import type { SentError } from '@tbuild/api/protocol';
import { messageOf, TbuildError } from '@tbuild/errors';
import { formatError } from '../print/report-error.ts';

/** Returns an error as data; `sourceOf` returns the text of a file that it points into. */
export async function sentError(error: unknown, sourceOf: (file: string) => string | undefined): Promise<SentError> {
  const report = (await formatError(error, { debug: false, sourceOf })).trimEnd();
  const common = { message: messageOf(error), report, causes: causesOf(error) };
  if (!(error instanceof TbuildError)) return common;
  const { code, hint, location, subject } = error;
  return { ...common, code, hint, location, subject };
}

function causesOf(error: unknown): readonly string[] {
  const texts: string[] = [];
  let cause = error instanceof Error ? error.cause : undefined;
  for (; cause instanceof Error; cause = cause.cause) texts.push(cause.message);
  return texts;
}
