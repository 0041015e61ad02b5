import type { BakeDefinition, BakeTarget, BuildSettings } from '@tbuild/spec';
import { mustBe, textOf } from './call-fields.ts';
import { type CalledBuild, type Fields, openFields, readTarget, secretsOf, settingsOf } from './read-spec.ts';

/** A build of several targets that a program asks for. */
export interface CalledBake extends Pick<CalledBuild, 'readSecret'> {
  readonly definition: BakeDefinition;
  readonly settings: BuildSettings;
}

/** Names of targets are shown in the names of their steps. */
const NAME = /^[a-zA-Z0-9_-]+$/;

/**
 * Checks the types of what a program asks for.
 * @throws TbuildError USAGE with the name of a field that is unknown or has another type.
 */
export function readBake(argument: unknown): CalledBake {
  const fields: Fields = openFields(argument);
  const targets = fields.record('targets', targetOf);
  if (targets === undefined || Object.keys(targets).length === 0)
    throw mustBe('an object with a target', targets, 'targets');
  for (const name of Object.keys(targets))
    if (!NAME.test(name)) throw mustBe('letters, digits, "-" and "_"', name, 'the name of a target');
  const definition = {
    targets,
    only: fields.list('only', textOf),
    jobs: fields.number('jobs'),
    timeout: fields.text('timeout'),
  };
  const settings = settingsOf(fields);
  const readSecret = secretsOf(fields.take('secrets') ?? {});
  fields.done();
  return { definition, settings, readSecret };
}

function targetOf(value: unknown, field: string): BakeTarget {
  return readTarget(openFields(value, field), `${field}.`);
}
