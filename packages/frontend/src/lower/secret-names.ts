import type { SourceRange } from '@tbuild/errors';
import { isSecretName } from '../checks/checks.ts';
import { formatQuoted } from '../go-format.ts';
import type { LoweringContext } from './lowering.ts';

interface NamedAt {
  readonly name: string;
  readonly place: SourceRange;
}

/** Warns of a variable that would keep a secret in the image. */
export function warnOfSecret(keyword: 'ARG' | 'ENV', { name, place }: NamedAt, context: LoweringContext): void {
  if (!isSecretName(name)) return;
  const message = `Do not use ARG or ENV instructions for sensitive data (${keyword} ${formatQuoted(name)})`;
  context.warn('SecretsUsedInArgOrEnv', message, place);
}
