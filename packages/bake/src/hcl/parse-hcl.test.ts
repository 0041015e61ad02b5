import { hasCode } from '@tbuild/errors';
import { expect, test } from 'vitest';
import { cpuTime } from '../../../../test/support/cpu-time.ts';
import { evaluateText, targetOf, valueOf } from '../../test/bake.ts';
import { openHclParser } from './parse-hcl.ts';

test.each([
  ['1 + 2 * 3 - -4', '11'],
  ['(1 + 2) * 3', '9'],
  ['"x" == "x" ? "y" : "n"', 'y'],
  ['false ? 1 : true ? 2 : 3', '2'],
  ['!true || false', 'false'],
  ['1e21', '1000000000000000000000'],
  ['10 / 4', '2.5'],
  ['[for k, v in { a = 1, b = 2 } : "${k}${v}" if v > 1][0]', 'b2'],
  ['{ for s in ["a", "b"] : s => upper(s) }["a"]', 'A'],
  ['jsonencode({ for s in ["a", "b", "a"] : s => s... })', '{"a":["a","a"],"b":["b"]}'],
  ['"a %{ if true ~}  x  %{~ endif }|"', 'a x|'],
  ['"$${no} %%{no} $ %"', '${no} %{no} $ %'],
  ['"\\u00e9\\t\\""', 'é\t"'],
  ['<<EOT\nhello ${1 + 1}\n  x\nEOT\n', 'hello 2\n  x\n'],
  ['<<-EOT\n    a\n\n      b\n    EOT\n', 'a\n\n  b\n'],
  ['join("+", [{ a = [{ b = [1] }, { b = [2] }] }][0].a[*].b[0])', '1+2'],
  ['[{ b = 1 }, { b = 2 }].*.b[0]', '1'],
  ['cond ? "x" : "y"', undefined],
])('%s is %j', async (expression, expected) => {
  if (expected === undefined) await expect(valueOf(expression)).rejects.toThrow('Unknown variable "cond"');
  else expect(await valueOf(expression)).toBe(expected);
});

test.each([
  '{ args = { A = 1 } }',
  '{ args = {\n  A = 1\n} }',
  '{ /* c */ args = { A = 1 } }',
  '{ # c\n  args = { A = 1 }\n}',
])('a block may be written as %j', async (block) => {
  expect((await targetOf(`target "default" ${block}\n`)).args).toEqual({ A: '1' });
});

test('a line that begins with a bracket is a field of its own, not the rest of the line before it', async () => {
  const { args } = await targetOf(
    'target "default" {\n  args = {\n    A = lower\n    (upper("b")) = 1 # comment\n  }\n}\nlower = "l"\n',
  );
  expect(args).toEqual({ A: 'l', B: '1' });
});

test.each([
  ['1:26', 'expected a comma', 'target "b" { tags = ["a" "b"] }'],
  ['3:3', 'expected "," or "]"', 'target "b" {\n  tags = ["a:1"\n  args = { A = "b" }\n}\n'],
  ['1:22', 'no closing quote', 'target "b" { tags = ["a] }'],
  ['2:16', 'no line that ends it', 'target "b" {\n  args = { a = <<EOT\nx\n'],
  ['2:3', 'goes on after the end of its line', 'target "b" {\n  context = "a"\n    + "b"\n}\n'],
  ['1:12', 'can have one attribute only', 'target "b" { context = "a" target = "b" }'],
  ['1:12', 'ends on that line', 'target "b" { context = "a"\n}\n'],
  ['1:12', 'ends on that line', 'target "b" { args = {\n  A = 1\n }\n}\n'],
  ['1:12', 'can have one attribute only', 'target "b" { inner {} }'],
  ['2:17', 'An attribute has to be followed by a new line', 'target "b" {\n  context = "a" }\n'],
  ['2:12', 'A block has to be followed by a new line', 'target "b" {\n  inner {} }\n'],
  ['1:15', 'A block has to be followed by a new line', 'target "b" {} target "c" {}\n'],
  ['2:1', 'on the line of its type', 'target "b"\n{\n}\n'],
  ['3:3', 'is set twice', 'target "b" {\n  context = "a"\n  context = "b"\n}\n'],
  ['2:1', 'closing bracket has no opening one', 'target "b" { }\n}\n'],
  ['1:28', 'Invalid escape sequence', 'target "b" { args = { A = "\\x" } }'],
  ['1:8', 'Invalid escape sequence', 'target "\\UFFFFFFFF" { }'],
  [undefined, 'nested too deeply', `target "b" { tags = ${'['.repeat(5000)} }`],
  [undefined, 'nested too deeply', `x = ${'1 + '.repeat(5000)}1\ntarget "default" { args = { X = x } }`],
])('an error at %s says %s', async (place, message, text) => {
  const error: unknown = await evaluateText(text).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!hasCode(error, 'BAKE_FILE')) throw error;
  const { location } = error;
  expect(error.message).toContain(message);
  if (place !== undefined) expect(`${location?.start.line}:${location?.start.column}`).toBe(place);
});

test('files that are read one after the other keep no memory of the parser', async () => {
  const read = () => targetOf('target "default" {}\n');
  await read();
  const before = process.memoryUsage().external;
  for (let n = 0; n < 700; n++) await read();
  expect((process.memoryUsage().external - before) / 2 ** 20).toBeLessThan(10);
});

test('the time to parse blocks on a line each is linear in their number', async () => {
  const parser = await openHclParser();
  const timeOf = (blocks: number): number => {
    const text = 'variable "v" { default = "x" }\n'.repeat(blocks);
    return Math.min(...[1, 2, 3].map(() => cpuTime(() => void parser.parse({ name: 'docker-bake.hcl', text }))));
  };
  timeOf(1000);
  // Four times the blocks take four times as long, or sixteen times if each looks at all of the others.
  expect(timeOf(4000) / timeOf(1000)).toBeLessThan(10);
});
