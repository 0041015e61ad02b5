import type { CheckReport } from '@tbuild/builder';
import { visible } from '@tbuild/errors';
import { sourceFrame } from '../../print/source-frame.ts';
import { base64, protoLocation } from './proto-location.ts';

type Warning = CheckReport['warnings'][number];

/** Returns what `--check` prints for people, in Docker's words, on a terminal of this width. An error is printed like every other. */
export function checkText({ warnings, source, error }: CheckReport, columns?: number): string {
  const inOrder = warnings.toSorted((a, b) => a.location.start.line - b.location.start.line);
  const all = inOrder.map((warning) => `\n${warningText(warning, source.text, columns)}`).join('');
  if (warnings.length === 0) return error === undefined ? 'Check complete, no warnings found.\n' : '';
  const count = warnings.length === 1 ? '1 warning has' : `${warnings.length} warnings have`;
  return `Check complete, ${count} been found!\n${all}${error === undefined ? '' : '\n'}`;
}

function warningText({ rule, url, message, location, token }: Warning, text: string, columns?: number): string {
  const place = `${location.file}:${location.start.line}`;
  return `WARNING: ${rule} - ${url}\n${visible(message)}\n${place}\n${sourceFrame(text, location, { token, columns })}`;
}

/** Returns BuildKit's JSON. */
export function checkJson({ warnings, source, error }: CheckReport): object {
  return {
    warnings: warnings.map(({ rule, description, url, message, location }) => ({
      ruleName: rule,
      description,
      url,
      detail: message,
      location: protoLocation(location),
    })),
    sources: [{ filename: source.name, data: base64(source.text), language: 'Dockerfile' }],
    ...(error === undefined ? {} : { buildError: buildError(error) }),
  };
}

type BuildError = NonNullable<CheckReport['error']>;

function buildError(error: BuildError): object {
  return {
    message: inBuildKitsWords(error),
    location: error.location === undefined ? {} : protoLocation(error.location),
  };
}

/** Puts an error of the syntax as BuildKit does: with its line and in lower case. */
function inBuildKitsWords({ code, message, location }: BuildError): string {
  if (code !== 'DOCKERFILE_SYNTAX' || location === undefined) return message;
  const text = /^[A-Z][a-z]/.test(message) ? message.charAt(0).toLowerCase() + message.slice(1) : message;
  return `dockerfile parse error on line ${location.start.line}: ${text}`;
}
