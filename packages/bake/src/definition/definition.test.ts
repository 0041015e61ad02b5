import { hasCode, type TbuildError } from '@tbuild/errors';
import { expect, test } from 'vitest';
import { evaluateText, targetOf } from '../../test/bake.ts';

async function errorOf(text: string, overrides: readonly string[] = []): Promise<TbuildError> {
  try {
    (await evaluateText(text)).resolve([], overrides);
  } catch (error) {
    if (hasCode(error, 'BAKE_FILE')) return error;
    throw error;
  }
  throw new Error('Expected an error');
}

test.each([
  ['target "default" { args = { A = TAGG } }\nvariable "TAG" {}\n', 'Unknown variable "TAGG"', 'Did you mean "TAG"?'],
  ['group "default" { targets = ["wbe"] }\ntarget "web" {}\n', 'failed to find target wbe', 'Did you mean "web"?'],
  ['x = y\ny = x\ntarget "default" { args = { A = x } }\n', 'depends on itself', undefined],
  [
    'function "f" {\n  params = [n]\n  result = f(n)\n}\ntarget "default" { args = { A = f(1) } }\n',
    'levels deep',
    undefined,
  ],
  [
    'target "default" { contexts = { a = "target:b" } }\ntarget "b" { contexts = { a = "target:default" } }\n',
    'infinite loop',
    undefined,
  ],
  [
    'target "default" { matrix = { a = ["1"] } }\n',
    'has a matrix but no name',
    'Add a name with the variables of the matrix',
  ],
  ['target "a.b" {}\n', 'Invalid name "a.b"', expect.stringContaining('sanitize')],
  ['variable "L" { default = ["a"] }\ntarget "default" { tags = L[3] }\n', 'no element 3', 'It has 1, counted from 0'],
])('%j fails with %j', async (text, message, hint) => {
  const error = await errorOf(text);
  expect(error.message).toContain(message);
  if (hint !== undefined) expect(error.hint).toEqual(hint);
});

test.each([
  ['web.tagz=a', 'unknown key "tagz"', 'Did you mean "tags"?'],
  ['wbe.tags=a', 'No target matches "wbe"', 'Did you mean "web"?'],
  ['web.args=a', 'args needs a name', undefined],
  ['web', 'expected TARGET.KEY=VALUE', undefined],
  ['web.no-cache=perhaps', 'expected true or false', undefined],
])('--set %s fails with %j', async (override, message, hint) => {
  const error = await errorOf('group "default" { targets = ["web"] }\ntarget "web" {}\n', [override]);
  expect(error.message).toContain(message);
  expect(error.hint).toBe(hint);
});

test('an unknown attribute is a warning with its place and the name that is near', async () => {
  const { warnings } = await evaluateText('target "default" {\n  contxt = "."\n}\n');
  expect(warnings).toEqual([
    {
      message: 'A target has no attribute "contxt"; it is ignored',
      hint: 'Did you mean "context"?',
      location: { file: 'docker-bake.hcl', start: { line: 2, column: 3 }, end: { line: 2, column: 9 } },
    },
  ]);
});

test('unknown blocks and attributes of any block are warnings', async () => {
  const text =
    'targt "a" {}\nvariable "V" { defualt = 1 }\ngroup "g" { target = [] }\nfunction "f" {\n  parms = []\n  result = 1\n}\ntarget "default" {\n  argz {}\n}\n';
  const { warnings } = await evaluateText(text);
  expect(warnings.map(({ message, hint }) => [message, hint])).toEqual([
    ['A bake file has no block "targt"; it is ignored', 'Did you mean "target"?'],
    ['A variable has no attribute "defualt"; it is ignored', 'Did you mean "default"?'],
    ['A function has no attribute "parms"; it is ignored', 'Did you mean "params"?'],
    ['A group has no attribute "target"; it is ignored', 'Did you mean "targets"?'],
    ['A target has no block "argz"; it is ignored', 'Did you mean "args"?'],
  ]);
});

test('an attribute of another target is its value', async () => {
  const text =
    'target "default" {\n  args = target.base.args\n  tags = [for t in target.base.tags : "${t}-x"]\n}\ntarget "base" {\n  args = { A = 1 }\n  tags = ["q"]\n}\n';
  expect(await targetOf(text)).toMatchObject({ args: { A: '1' }, tags: ['q-x'] });
});

test('contexts of files on a server are there, except those of cwd://', async () => {
  const text =
    'target "default" {\n  context = "app"\n  contexts = { lib = "lib", own = "cwd://own", img = "docker-image://a" }\n}\n';
  expect(await targetOf(text, 'docker-bake.hcl', { remote: 'https://git.example/r.git#v1' })).toMatchObject({
    context: 'https://git.example/r.git#v1:app',
    contexts: { lib: 'https://git.example/r.git#v1:lib', own: 'own', img: 'docker-image://a' },
  });
  const outside = evaluateText('target "default" { context = "../x" }', 'a.hcl', {
    remote: 'https://git.example/r.git',
  });
  await expect(outside.then((files) => files.resolve([], []))).rejects.toThrow('outside of the bake file');
});

test('an unset variable without type and default is an empty text', async () => {
  const text = 'variable "V" {}\ntarget "default" { args = { A = "x${V}y", B = V == "" } }\n';
  expect((await targetOf(text)).args).toEqual({ A: 'xy', B: 'true' });
});

test('empty texts in lists are left out, as a condition without a result gives them', async () => {
  const text = `variable "TAG" {}
target "default" {
  tags = ["app:latest", notequal("", TAG) ? "app:\${TAG}" : ""]
  platforms = [""]
  annotations = [""]
  ulimits = [""]
  no-cache-filter = ["", "a"]
  entitlements = [""]
  cache-from = [""]
  output = [""]
}`;
  const { context, dockerfile, entitlements, ...target } = await targetOf(text);
  expect([context, dockerfile, entitlements]).toEqual(['.', 'Dockerfile', []]);
  expect(target).toEqual({
    tags: ['app:latest'],
    platforms: [],
    annotations: [],
    ulimits: [],
    'no-cache-filter': ['a'],
    'cache-from': [],
    output: [],
  });
});

test('--set changes targets that a pattern matches, and their children', async () => {
  const files = await evaluateText(
    'group "default" { targets = ["w1", "w2", "api"] }\ntarget "base" { args = { M = "a" } }\ntarget "w1" { inherits = ["base"] }\ntarget "w2" {}\ntarget "api" {}\n',
  );
  const { targets } = files.resolve(
    [],
    ['w*.args.X=1', 'base.args.M=b', '*.platform=linux/arm64', 'api.platform+=linux/amd64'],
  );
  expect(targets.get('w1')).toMatchObject({ args: { X: '1', M: 'b' }, platforms: ['linux/arm64'] });
  expect(targets.get('w2')).toMatchObject({ args: { X: '1' } });
  expect(targets.get('api')).toMatchObject({ platforms: ['linux/arm64', 'linux/amd64'] });
});

test('the last --set of a list says whether it adds to what is there', async () => {
  const files = await evaluateText('target "default" { tags = ["a"] }\n');
  const tagsOf = (...overrides: string[]) => files.resolve([], overrides).targets.get('default')?.tags;
  expect(tagsOf('default.tags=b', 'default.tags+=c')).toEqual(['a', 'b', 'c']);
  expect(tagsOf('default.tags+=b', 'default.tags=c')).toEqual(['b', 'c']);
});

test.each([
  ['group "default" { targets = ["web", "wbe"] }\ntarget "web" {}\n', '1:37'],
  ['target "default" {\n  inherits = [\n    "wbe",\n  ]\n}\n', '3:5'],
  ['target "default" {\n  contexts = { a = "target:wbe" }\n}\n', '2:14'],
])('the name of a target that does not exist is shown in %j', async (text, place) => {
  const { location, message } = await errorOf(text);
  expect(message).toBe('failed to find target wbe');
  expect(`${location?.start.line}:${location?.start.column}`).toBe(place);
});

test.each([
  ['type=env,id=a,src=VARIABLE', { id: 'a', env: 'VARIABLE' }],
  ['type=file,id=a,source=f', { id: 'a', src: 'f' }],
  ['id=a,env=V', { id: 'a', env: 'V' }],
])('the secret %j is %j', async (text, expected) => {
  expect((await targetOf(`target "default" { secret = ["${text}"] }\n`)).secret).toEqual([expected]);
});

test.each([
  ['id=a,sorce=f', 'unexpected key "sorce" of a secret'],
  ['id=a,type=vault', 'unsupported secret type "vault"'],
])('the secret %j fails with %j', async (text, message) => {
  expect((await errorOf(`target "default" { secret = ["${text}"] }\n`)).message).toContain(message);
});

test('targets may be named by a pattern', async () => {
  const files = await evaluateText(
    'group "web" { targets = ["web-a"] }\ntarget "web-a" {}\ntarget "web-b" {}\ntarget "api" {}\n',
  );
  expect([...files.resolve(['web*'], []).targets.keys()]).toEqual(['web-a', 'web-b']);
  expect([...files.resolve(['web-[ab]', 'api'], []).targets.keys()]).toEqual(['web-a', 'web-b', 'api']);
  expect(() => files.resolve(['x*'], [])).toThrow('could not find any target matching "x*"');
});

test('NAME_JSON sets a variable with a type', async () => {
  const text =
    'variable "L" {\n  type = list(object({ a = number }))\n}\ntarget "default" { args = { V = jsonencode(L) } }\n';
  const { args } = await targetOf(text, 'docker-bake.hcl', { environment: { L_JSON: '[{"a":"1"}]' } });
  expect(args).toEqual({ V: '[{"a":1}]' });
});

test('no try hides what the validation of a variable says', async () => {
  const text =
    'x = V\ntarget "default" { args = { A = try(x, "none") } }\nvariable "V" {\n  validation {\n    condition = V != ""\n    error_message = "give V"\n  }\n}\n';
  await expect(evaluateText(text)).rejects.toThrow('give V');
});

test('a ladder of targets that are contexts of each other twice is walked once a target', async () => {
  const steps = Array.from(
    { length: 60 },
    (_, at) => `target "t${at}" {\n  contexts = { a = "target:l${at}", b = "target:r${at}" }\n}
target "l${at}" {\n  contexts = { next = "target:t${at + 1}" }\n}
target "r${at}" {\n  contexts = { next = "target:t${at + 1}" }\n}\n`,
  );
  const files = await evaluateText(`${steps.join('')}target "t60" {}\n`);
  expect(files.resolve(['t0'], []).targets.size).toBe(181);
});

test.each(['constructor', '__proto__', 'toString'])('%s is a name like any other', async (name) => {
  const block = `variable "${name}" {\n  default = "v"\n}\ntarget "default" {\n  args = { A = ${name}, ${name} = "x" }\n}\n`;
  const { args = {} } = await targetOf(block);
  expect(Object.entries(args)).toEqual([
    ['A', 'v'],
    [name, 'x'],
  ]);
  expect((await errorOf(`target "default" {\n  args = { A = ${name} }\n}\n`)).message).toBe(
    `Unknown variable "${name}"`,
  );
  expect((await errorOf(`target "default" {\n  args = { A = ${name}("x") }\n}\n`)).message).toContain(`"${name}"`);
});
