import type { BakeFiles } from './evaluate-bake.ts';
import { encodeJson } from './value/json.ts';
import { formatType } from './value/type.ts';
import type { Value } from './value/value.ts';

/** A target or a group, as `--list` shows it. */
export interface ListedTarget {
  readonly name: string;
  readonly description?: string;
  readonly group?: true;
}

/** A variable, as `--list` shows it. */
export interface ListedVariable {
  readonly name: string;
  readonly type?: string;
  readonly value?: string;
  readonly description?: string;
}

/** Returns the targets and groups by name. Those that begin with `_` are for other targets only. */
export function listTargets({ definitions }: Pick<BakeFiles, 'definitions'>): ListedTarget[] {
  const targets = definitions.targets.map(({ name, attributes: { description } }): ListedTarget => ({
    name,
    ...(description === undefined ? {} : { description }),
  }));
  const groups = definitions.groups.map(({ name, description, targets: inner }): ListedTarget => {
    const names = inner.toSorted().join(', ');
    return { name, description: description === undefined ? names : `${description} (${names})`, group: true };
  });
  return [...groups, ...targets]
    .filter(({ name }) => !name.startsWith('_'))
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Returns the variables by name. */
export function listVariables({ variables }: Pick<BakeFiles, 'variables'>): ListedVariable[] {
  return variables
    .map(({ name, type, value, description }) => ({
      name,
      ...(type === undefined ? {} : { type: formatType(type) }),
      ...(value === null ? {} : { value: textOf(value) }),
      ...(description === undefined ? {} : { description }),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function textOf(value: Value): string {
  return typeof value === 'string' ? value : encodeJson(value);
}
