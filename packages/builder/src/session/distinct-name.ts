import type { Definition } from '../plan/load-dockerfile.ts';

/** Names another Dockerfile of the same name after its target, so that a location refers to one text. */
export function distinctName({ name, text }: Definition, target: string, definitions: Map<string, string>): string {
  const own = [name, `${name} of ${target}`].find((one) => (definitions.get(one) ?? text) === text) ?? name;
  definitions.set(own, text);
  return own;
}
