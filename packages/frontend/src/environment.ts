import type { Lookup } from '@tbuild/dockerfile';
import { GrowingMap } from './growing.ts';

/** A variable that is set, possibly to an empty value. */
export interface Variable {
  readonly name: string;
  readonly value: string;
}

/** Variables in the order in which they were last set. They expand words, and RUN processes get them. */
export type Environment = GrowingMap<string>;

/** No variables. */
export const emptyEnvironment = (): Environment => GrowingMap.of<string>([]);

/** Sets `name`. A variable that is set again moves to the end. */
export function setVariable(environment: Environment, name: string, value: string): Environment {
  return environment.set(name, value);
}

/** Returns the value of a variable, or undefined if it is not set. */
export function variable(environment: Environment, name: string): string | undefined {
  return environment.get(name);
}

/** Adapts the variables for {@link expandWord}. */
export function lookupIn(environment: Environment): Lookup {
  return (name) => variable(environment, name);
}

/** Parses `NAME=value`. As in Docker, the value is empty without `=`. */
export function parseVariable(text: string): Variable {
  const equals = text.indexOf('=');
  if (equals < 0) return { name: text, value: '' };
  return { name: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** Returns `NAME=value` for each variable. */
export function formatEnvironment(environment: Environment): string[] {
  return environment.byLast().map(([name, value]) => `${name}=${value}`);
}
