import type { Random } from '../../support/random.ts';

/** Returns a bake file with a few expressions that call functions. */
export function expressionFile(random: Random): string {
  const expression = (depth: number): string => {
    if (depth === 3 || random.int(4) === 0) return random.pick(LITERALS);
    const given = Array.from({ length: 1 + random.int(3) }, () => expression(depth + 1));
    // One bcrypt takes as long as fifty inputs.
    const name = random.int(5000) === 0 ? 'bcrypt' : random.pick(FUNCTIONS);
    const risky = `${name}(${given.join(', ')})`;
    const call = random.int(2) === 0 ? `try(${risky}, ${given[0]})` : risky;
    return random.int(6) === 0
      ? `(${call} ${random.pick(['+', '-', '*', '/', '%', '==', '<', '&&', '? 1 :'])} ${given[0]})`
      : call;
  };
  const args = Array.from({ length: 3 }, (_, at) => `    A${at} = ${expression(0)}\n`);
  return `variable "v" { default = ["a", "b"] }\ntarget "default" {\n  args = {\n${args.join('')}  }\n}\n`;
}

const FUNCTIONS = (
  'and base64decode base64encode basename can ceil chomp chunklist cidrhost cidrsubnet coalesce coalescelist ' +
  'compact concat contains convert csvdecode dirname distinct divide element equal flatten floor format formatdate ' +
  'formatlist greaterthan hasindex homedir indent index indexof int join jsondecode jsonencode keys length lessthan log ' +
  'lookup lower max md5 merge min modulo multiply negate not or parseint pow range regex regex_replace regexall replace ' +
  'reverse reverselist sanitize semvercmp sethaselement setproduct setunion sha1 sha256 sha512 signum slice sort split ' +
  'strlen substr subtract timeadd timestamp title trim trimprefix trimspace try upper urlencode uuidv4 values zipmap'
).split(' ');
const LITERALS = [
  '"a"',
  '"a,b"',
  '"(a+)+$"',
  '"%s-%05d"',
  '""',
  '0',
  '1',
  '-1',
  '2.5',
  '1e9',
  '1e300',
  'true',
  'null',
  'v',
  '[]',
  '["a", "b"]',
  '[1, 2]',
  '{}',
  '{ a = 1 }',
  '"10.0.0.0/8"',
  '"2024-01-02T03:04:05Z"',
  '"é漢"',
  '[for x in v : x]',
];
