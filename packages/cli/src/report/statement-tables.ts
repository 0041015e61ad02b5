import type { Statement } from '@tbuild/images';
import type { ReportTable } from '@tbuild/report';

const SPDX = 'https://spdx.dev/Document';

/** Returns what in-toto statements about an image say, as tables: packages, or names and values. */
export function statementTables(statements: readonly Statement[], about: string): readonly ReportTable[] {
  return statements.map(({ predicateType, predicate }) =>
    predicateType === SPDX
      ? { title: `Packages of ${about}`, columns: ['Package', 'Version', 'Licence'], rows: packagesOf(predicate) }
      : {
          title: `${predicateType} of ${about}`,
          columns: ['Name', 'Value'],
          rows: [...leaves(predicate)],
        },
  );
}

function packagesOf(document: unknown): readonly (readonly string[])[] {
  const packages: unknown = Object(document).packages;
  if (!Array.isArray(packages)) return [];
  return packages.map((one: unknown) => {
    const { name, versionInfo, licenseDeclared }: Record<string, unknown> = Object(one);
    return [name, versionInfo, licenseDeclared].map((cell) => (typeof cell === 'string' ? cell : ''));
  });
}

/** Values below this depth are not named one by one. */
const DEEPEST = 12;

function* leaves(value: unknown, path = '', depth = 0): Generator<readonly [string, string]> {
  if (typeof value !== 'object' || value === null || depth === DEEPEST)
    yield [path, typeof value === 'string' ? value : JSON.stringify(value)];
  else
    for (const [key, below] of Object.entries(value))
      yield* leaves(below, path === '' ? key : `${path}.${key}`, depth + 1);
}
