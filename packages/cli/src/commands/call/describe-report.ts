import { columns } from './columns.ts';

/** A call as BuildKit describes it to clients. `lint`, the call of `--check`, is not listed. */
interface Subrequest {
  readonly name: string;
  readonly description: string;
  readonly opts: readonly { readonly name: string; readonly description: string }[] | null;
  readonly metadata: readonly string[];
}

const DOCUMENTS = ['result.json', 'result.txt'];

const SUBREQUESTS: readonly Subrequest[] = [
  {
    name: 'outline',
    description: 'List all parameters current build target supports',
    opts: [{ name: 'target', description: 'Target build stage' }],
    metadata: DOCUMENTS,
  },
  { name: 'targets', description: 'List all targets current build supports', opts: [], metadata: DOCUMENTS },
  { name: 'subrequests.describe', description: 'List available subrequest types', opts: null, metadata: DOCUMENTS },
];

const VERSION = '1.0.0';

/** Returns what `--call=subrequests.describe` prints for people. */
export function describeText(): string {
  const rows = SUBREQUESTS.map(({ name, description }) => [name, VERSION, description]);
  return columns([['NAME', 'VERSION', 'DESCRIPTION'], ...rows], 1);
}

/** Returns BuildKit's JSON. */
export function describeJson(): readonly object[] {
  return SUBREQUESTS.map(({ name, description, opts, metadata }) => ({
    name: `frontend.${name}`,
    version: VERSION,
    type: 'rpc',
    description,
    opts,
    inputs: null,
    metadata: metadata.map((key) => ({ name: key, description: '' })),
    refs: null,
  }));
}
