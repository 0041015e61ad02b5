import { suggest, TbuildError } from '@tbuild/errors';
import { goBool } from '@tbuild/oci';

/** What `--call` prints in place of a build. */
export const CALLS = ['check', 'outline', 'targets', 'subrequests.describe'] as const;

/** Formats of `--check` for programs that show findings beside the code. */
export const CHECK_FORMATS = ['gitlab-codequality', 'sarif', 'junit'] as const;

export type CheckFormat = (typeof CHECK_FORMATS)[number];

/** The request of `--call`, in place of a build. */
export interface CallSpec {
  readonly name: (typeof CALLS)[number];
  /** The last three are for `check` only. */
  readonly format: 'text' | 'json' | CheckFormat;
  /** Exit with 0 whatever the call finds. */
  readonly ignoreStatus: boolean;
}

const ALIASES = new Map([
  ['lint', 'check'],
  ['describe', 'subrequests.describe'],
]);

/**
 * Reads `NAME[,format=text|json][,ignorestatus[=BOOL]]`; undefined for `build`, the default.
 * @throws TbuildError USAGE
 */
export function parseCall(text: string): CallSpec | undefined {
  const [written = '', ...fields] = text.split(',');
  const wanted = ALIASES.get(written) ?? written;
  const name = CALLS.find((known) => known === wanted);
  if (name === undefined && written !== 'build' && written !== '') throw unknownCall(written);
  let spec: Omit<CallSpec, 'name'> = { format: 'text', ignoreStatus: false };
  for (const field of fields) spec = { ...spec, ...readField(field, name) };
  return name === undefined ? undefined : { name, ...spec };
}

/**
 * Returns the call with the format of `--format`.
 * @throws TbuildError USAGE for a format that the call does not have.
 */
export function withFormat(call: CallSpec, written: string | undefined): CallSpec {
  if (written === undefined) return call;
  const known = formatsOf(call.name);
  const format = known.find((one) => one === written);
  if (format !== undefined) return { ...call, format };
  throw new TbuildError('USAGE', `Invalid --format ${JSON.stringify(written)}: expected ${known.join(', ')}`);
}

function formatsOf(name: CallSpec['name'] | undefined): readonly CallSpec['format'][] {
  return name === 'check' ? ['text', 'json', ...CHECK_FORMATS] : ['text', 'json'];
}

function readField(field: string, name: CallSpec['name'] | undefined): Partial<CallSpec> {
  const at = field.indexOf('=');
  const [key, value] = at < 0 ? [field, undefined] : [field.slice(0, at), field.slice(at + 1)];
  const format = key === 'format' ? formatsOf(name).find((one) => one === value) : undefined;
  if (format !== undefined) return { format };
  const ignoreStatus = key === 'ignorestatus' ? goBool(value ?? 'true') : undefined;
  if (ignoreStatus !== undefined) return { ignoreStatus };
  throw new TbuildError('USAGE', `Invalid field of --call ${JSON.stringify(field)}`, {
    hint: 'Write format=text, format=json or ignorestatus',
  });
}

function unknownCall(name: string): TbuildError {
  const near = suggest(name, CALLS);
  const hint = near === undefined ? `Use build, ${CALLS.join(', ')}` : `Did you mean ${near}?`;
  return new TbuildError('USAGE', `Unknown --call ${JSON.stringify(name)}`, { hint });
}
