import type { SentError } from '@tbuild/api/protocol';
import { TbuildError } from '@tbuild/errors';
import { formatError } from '../print/report-error.ts';

/** Returns an error as data; `definition` is the text that it may point into. */
export async function sentError(error: unknown, definition: string | undefined): Promise<SentError> {
  const report = (await formatError(error, { debug: false, sourceOf: () => definition })).trimEnd();
  const message = error instanceof Error ? error.message : String(error);
  const common = { message, report, causes: causesOf(error) };
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
