import { listTargets, listVariables, type BakeFiles } from '@tbuild/bake';
import { formatTable } from '../print/table.ts';
import type { ListSpec } from './overrides.ts';

/** Returns the targets or the variables of bake files, as a table or as JSON. */
export function bakeList({ type, format }: ListSpec, files: BakeFiles): string {
  const rows = type === 'targets' ? listTargets(files) : listVariables(files);
  if (format === 'json') return `${JSON.stringify(rows, null, 2)}\n`;
  if (type === 'targets')
    return formatTable(
      ['TARGET', 'DESCRIPTION'],
      listTargets(files).map(({ name, description = '' }) => [name, description]),
    );
  return formatTable(
    ['VARIABLE', 'TYPE', 'VALUE', 'DESCRIPTION'],
    listVariables(files).map(({ name, type: kind = '', value = '<null>', description = '' }) => [
      name,
      kind,
      value,
      description,
    ]),
  );
}
