import { expect, test } from 'vitest';
import { parseToml } from './parse-toml.ts';

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('reads what configuration files hold', () => {
  const text = `# comment
unqualified-search-registries = ["docker.io", 'quay.io', # both
]
[[registry]]
prefix = "example.com/foo" # why
insecure = true
location = 'internal\\example'
[[registry.mirror]]
location = "a.example"
[[registry.mirror]]
location = "b.example"
insecure = false

[[registry]]
prefix = "inline"
mirror = [ {location = "c.example", insecure = true}, { location = "d" } ]
[aliases]
  "alpine" = "docker.io/library/alpine"
site."a.b" = "\\u00e9\\t\\"x\\""
[ a . b ]
number = 42
long = """
one \\
   two"""
`;
  expect(plain(parseToml(text, 'f'))).toEqual({
    'unqualified-search-registries': ['docker.io', 'quay.io'],
    registry: [
      {
        prefix: 'example.com/foo',
        insecure: true,
        location: 'internal\\example',
        mirror: [{ location: 'a.example' }, { location: 'b.example', insecure: false }],
      },
      { prefix: 'inline', mirror: [{ location: 'c.example', insecure: true }, { location: 'd' }] },
    ],
    aliases: { alpine: 'docker.io/library/alpine', site: { 'a.b': 'é\t"x"' } },
    a: { b: { number: '42', long: 'one two' } },
  });
});

test.each([
  ['a = ', 1],
  ['a = "b', 1],
  ['ok = true\n[t\n', 2],
  ['x = 1\nx.y = 2', 2],
  ['a = [1, 2', 1],
  ['a = [1 2]', 1],
  ['= 1', 1],
  ['a = true b = false', 1],
])('%j is refused with its line', (text, line) => {
  expect(() => parseToml(text, 'registries.conf')).toThrow(`Line ${line} of registries.conf is not valid TOML`);
});

test('names reach nothing that objects have by birth', () => {
  parseToml('[__proto__]\npolluted = true\n', 'f');
  expect({}).not.toHaveProperty('polluted');
});
