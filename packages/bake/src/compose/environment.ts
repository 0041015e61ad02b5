import { parseBool } from '../definition/entries.ts';
import { errorAt } from '../source.ts';
import type { Lookup } from './interpolate.ts';
import { isMapping } from './parse-compose.ts';
import { parseDotEnv } from './parse-dot-env.ts';
import { listOf, type ComposeOptions, type ComposeService } from './services.ts';

/**
 * Opens the environment of a service: its own variables, those of its files, and those around. It gives values to
 * arguments that have none.
 * @throws TbuildError BAKE_FILE for a file that has to exist
 */
export function openEnvironment(
  { definition, find }: ComposeService,
  { lookup, readFile }: ComposeOptions,
): { readonly lookup: Lookup } {
  const own = isMapping(definition.environment) ? definition.environment : {};
  const ownValue: Lookup = (name) => {
    const value: unknown = Object.hasOwn(own, name) ? own[name] : undefined;
    return value === undefined || value === null ? undefined : String(value);
  };
  const values = new Map<string, string>();
  for (const entry of listOf(definition.env_file)) {
    const { path, required = true } = isMapping(entry) ? entry : { path: entry };
    const name = String(path);
    const file = readFile(name);
    if (file === undefined && parseBool(String(required), 'required'))
      throw errorAt(find(['env_file', name]).value, `The env_file ${JSON.stringify(name)} does not exist`);
    if (file === undefined) continue;
    const around: Lookup = (variable) => lookup(variable) ?? ownValue(variable) ?? values.get(variable);
    for (const [variable, value] of parseDotEnv(file, around)) values.set(variable, value);
  }
  return { lookup: (name) => ownValue(name) ?? values.get(name) ?? lookup(name) };
}
