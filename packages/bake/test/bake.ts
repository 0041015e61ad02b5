import { evaluateBake, type BakeFiles, type BakeInput, type TargetAttributes } from '../src/index.ts';

/** Evaluates one file. The name tells its language. */
export function evaluateText(
  text: string,
  name = 'docker-bake.hcl',
  input: Partial<BakeInput> = {},
): Promise<BakeFiles> {
  return evaluateBake({
    files: [{ name, text }],
    environment: {},
    variables: {},
    platform: 'linux/amd64',
    now: () => Date.parse('2026-01-02T03:04:05Z'),
    ...input,
  });
}

/** Returns a target of one file. */
export async function targetOf(text: string, name?: string, input?: Partial<BakeInput>): Promise<TargetAttributes> {
  const { targets } = (await evaluateText(text, name, input)).resolve([], []);
  return [...targets.values()][0] ?? {};
}

/** Returns the value of an expression as text. */
export async function valueOf(expression: string): Promise<string | null | undefined> {
  return (await targetOf(`target "default" {\n  args = { V = ${expression} }\n}\n`)).args?.V;
}
