import type { Lookup } from '@tbuild/dockerfile';
import { GrowingMap } from './growing.ts';

/** A variable that is set, perhaps to nothing. */
export interface Variable {
  readonly name: string;
  readonly value: string;
}

/** Variables by the time they were last set, each name once: what words are expanded with and RUN sees. */
export type Environment = GrowingMap<string>;

/** No variable at all. */
export const emptyEnvironment = (): Environment => GrowingMap.of<string>([]);

/** With `name` set; a variable that is set again moves to the end. */
export function setVariable(environment: Environment, name: string, value: string): Environment {
  return environment.set(name, value);
}

/** The value of a variable, or undefined when it is not set. */
export function variable(environment: Environment, name: string): string | undefined {
  return environment.get(name);
}

/** For {@link expandWord}. */
export function lookupIn(environment: Environment): Lookup {
  return (name) => variable(environment, name);
}

/** Reads `NAME=value`; without `=` the value is empty, as Docker takes it. */
export function parseVariable(text: string): Variable {
  const equals = text.indexOf('=');
  if (equals < 0) return { name: text, value: '' };
  return { name: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** `NAME=value` of each. */
export function formatEnvironment(environment: Environment): string[] {
  return environment.byLast().map(([name, value]) => `${name}=${value}`);
}
