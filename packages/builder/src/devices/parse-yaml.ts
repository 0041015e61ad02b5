import { parse } from 'yaml';

/** Parses YAML. @throws the parser's error. */
export function parseYaml(text: string): unknown {
  return parse(text, { logLevel: 'error' });
}
