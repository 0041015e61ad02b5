import { expect, test } from 'vitest';
import { goJson, goMap, omitEmpty } from './go-json.ts';

test.each([
  ['characters of HTML are escaped', '<a href="x">&</a>', '"\\u003ca href=\\"x\\"\\u003e\\u0026\\u003c/a\\u003e"'],
  ['line separators are escaped', 'a\u2028b\u2029', '"a\\u2028b\\u2029"'],
  ['other characters stay', 'é ü 日本 😀 \u007f', '"é ü 日本 😀 \u007f"'],
  ['control characters are escaped', '\b\f\n\r\t\u0000\u001f', '"\\b\\f\\n\\r\\t\\u0000\\u001f"'],
  ['a lone surrogate is replaced', 'a\ud800b', '"a\ufffdb"'],
  ['numbers and booleans', [0, 5_000_000_000, true, false, null], '[0,5000000000,true,false,null]'],
  ['a struct keeps its order and loses undefined fields', { b: 1, a: undefined, c: null }, '{"b":1,"c":null}'],
  ['the keys of a map are escaped too', goMap({ '<': 1 }), '{"\\u003c":1}'],
  [
    'a map is sorted by bytes, numbers too',
    goMap({ 9: 'a', 10: 'b', b: 'c', B: 'd' }),
    '{"10":"b","9":"a","B":"d","b":"c"}',
  ],
  ['a map is sorted by UTF-8, not by UTF-16', goMap({ '\u{10000}': 1, '\uffff': 2 }), '{"\uffff":2,"\u{10000}":1}'],
  ['empty values', { a: [], b: goMap({}), c: {} }, '{"a":[],"b":{},"c":{}}'],
])('JSON as in Go: %s', (_, value, expected) => {
  expect(goJson(value)).toBe(expected);
});

test('indented JSON has the form of MarshalIndent', () => {
  const value = { a: [1, { b: goMap({ c: 'd' }) }], e: [], f: {} };
  expect(goJson(value, { indent: '  ' })).toBe(
    '{\n  "a": [\n    1,\n    {\n      "b": {\n        "c": "d"\n      }\n    }\n  ],\n  "e": [],\n  "f": {}\n}',
  );
});

test('omitempty leaves out zero values, but no empty struct', () => {
  const struct = { a: '', b: 0, c: false, d: [], e: goMap({}), f: undefined, g: null, h: {}, i: 1, j: [''] };
  expect(omitEmpty(struct)).toEqual({ h: {}, i: 1, j: [''] });
});
