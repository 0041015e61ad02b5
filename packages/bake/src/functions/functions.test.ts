import { compareSync } from 'bcryptjs';
import { expect, test } from 'vitest';
import { valueOf } from '../../test/bake.ts';

test.each([
  ['format("%05.2f|%s|%-5s|%q|%d|%x", 3.14159, "s", "ab", "q", 7, 255)', '03.14|s|ab   |"q"|7|ff'],
  ['jsonencode(formatlist("%s:%s", ["a", "b"], "1"))', '["a:1","b:1"]'],
  ['cidrsubnet("10.0.0.0/8", 8, 2)', '10.2.0.0/16'],
  ['cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)', 'fd00:fd12:3456:7800:a200::/72'],
  ['cidrhost("10.12.127.0/20", 268)', '10.12.113.12'],
  ['cidrcontains("10.0.0.0/8", "10.1.0.0/16")', 'true'],
  ['cidrcontains("10.0.0.0/8", "11.0.0.1")', 'false'],
  ['assertnotnull(1)', '1'],
  ['cidrnetmask("172.16.0.0/12")', '255.240.0.0'],
  ['jsonencode(cidrsubnets("10.1.0.0/16", 4, 4, 8))', '["10.1.0.0/20","10.1.16.0/20","10.1.32.0/24"]'],
  ['semvercmp("1.2.3", ">= 1.0, < 2")', 'true'],
  ['semvercmp("2.0.0", "^1.2")', 'false'],
  ['semvercmp("1.3.9", "~1.3")', 'true'],
  ['uuidv5("dns", "example.com")', 'cfbff0d1-9375-5685-968c-48ce8b15ae17'],
  ['timestamp()', '2026-01-02T03:04:05Z'],
  ['timeadd("2026-03-05T14:07:09+02:00", "90m")', '2026-03-05T15:37:09+02:00'],
  ['urlencode("a b&c")', 'a+b%26c'],
  ['base64decode(base64encode("é"))', 'é'],
  ['sha256("a")', 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
  ['jsonencode(csvdecode("a,b\\n1,\\"2,\\"\\"3\\"\\n"))', '[{"a":"1","b":"2,\\"3"}]'],
  ['jsonencode(jsondecode("{\\"a\\":[1,null]}"))', '{"a":[1,null]}'],
  ['jsonencode("<&>")', '"\\u003c\\u0026\\u003e"'],
  ['element(["a", "b"], -1)', 'b'],
  ['format("%v %v %v %v", 1000000, 123456, 0.0001, 1.5)', '1e+06 123456 0.0001 1.5'],
  [
    'format("%g %g %.3g %G %E", 0.00001, 1234567, 1234.5, 0.0000001, 12345.678)',
    '1e-05 1.234567e+06 1.23e+03 1E-07 1.234568E+04',
  ],
  ['format("%q", "<a>")', '"\\u003ca\\u003e"'],
  ['jsonencode(log(1000, 10))', '2.9999999999999996'],
  ['jsonencode(pow(10, 30))', '1000000000000000019884624838656'],
  ['jsonencode(pow(2, -1))', '0.5'],
  ['jsonencode(hasindex(["a"], "0"))', 'false'],
  ['title("it\'s a_b c-d é’e")', "It'S A_b C-D É’e"],
  ['dirname("a/../b/c")', 'b'],
  ['dirname("/a")', '/'],
  ['dirname("")', '.'],
  ['semvercmp("2.0.0-rc.1", ">=1.0")', 'false'],
  ['semvercmp("2.0.0-rc.1", ">=2.0.0-0")', 'true'],
  ['bytesslice("abcd", 1, 2)', 'bc'],
  [
    'jsonencode(rfc3339parse("2024-06-01T15:04:05Z"))',
    '{"day":1,"hour":15,"iso_week":22,"iso_year":2024,"minute":4,"month":6,"month_name":"June","second":5,"unix":1717254245,"weekday":6,"weekday_name":"Saturday","year":2024,"year_day":153}',
  ],
  ['indent(1000000000, "")', ''],
  ['1 / 3', `0.${'3'.repeat(154)}`],
])('%s is %j', async (expression, expected) => {
  expect(await valueOf(expression)).toBe(expected);
});

test.each([
  ['upper()', 'Invalid call of upper: expected 1 argument, found 0'],
  ['upper(null)', 'Invalid call of upper: argument 1 must not be null'],
  ['uper("a")', 'Unknown function "uper"'],
  ['1 / 0', 'Division by zero'],
  ['1e99999', 'more than 4096 digits'],
  ['range(0, 100000)', 'more than 1024 values'],
  ['join(",", [for i in range(1000) : join(",", [for j in range(1000) : join(",", range(1000))])])', 'steps|too large'],
  ['bcrypt("a", 5, 6)', 'expected 1 or 2 arguments'],
  ['bcrypt("a", 32)', 'from 4 to 31'],
  ['bcrypt("a", 24)', 'more than 262144 rounds'],
  [`bcrypt("${'a'.repeat(73)}")`, 'longer than 72 bytes'],
])('%s fails with %j', async (expression, message) => {
  await expect(valueOf(expression)).rejects.toThrow(new RegExp(message));
});

test.each([
  ['bcrypt("secret")', '$2a$10$'],
  ['bcrypt("secret", 4)', '$2a$04$'],
  ['bcrypt("secret", 1)', '$2a$10$'],
])('%s is a hash that begins with %s', async (expression, prefix) => {
  const hash = String(await valueOf(expression));
  expect(hash.slice(0, 7)).toBe(prefix);
  expect(compareSync('secret', hash)).toBe(true);
});
