import type { Random } from '../../support/random.ts';

/** Texts to mutate, and the pieces of their languages that mutations put in. */
export const DOCKERFILE_PIECES = [
  ...'\n\t`"\'$}[]=#\\\u00a0\ufeff\0',
  '\\\n',
  '\r\n',
  '\ud83d',
  '${',
  '${a:-',
  '${a//',
  '${a//b*/c}',
  '${a#*',
  '${a##?',
  '${a%/*}',
  '${a%%',
  '${a:?m}',
  '${a:+"',
  '{"syntax": "x"}\n',
  'COPY --parents --exclude=*.a a/./b ',
  'FROM ${A:-on} AS b\n',
  '<<A',
  '<<-',
  '\nA\n',
  '["a"]',
  '--mount=',
  '--x=',
  '# check=',
  '# escape=`\n',
  '# syntax=',
  'FROM ',
  'FROM scratch AS a\n',
  'COPY --from=a ',
  'ADD https://',
  'ADD git@',
  'RUN ',
  'ONBUILD ',
  'ENV ',
  'ARG ',
  'ARG SOURCE_DATE_EPOCH=-1\n',
];
export const IGNORE_FILES = [
  '**/node_modules\n!a/**/c.txt\n',
  '*\n!a\n',
  'a/**/b/**/c\n[a-z]*/?\n#x\n',
  '\\!a\n\\#b\n[^a]\n',
];
export const IGNORE_PIECES = [
  ...'*/![]\\?\n# ({+|$\ufeff\0',
  '**',
  '**/',
  '[^',
  'a-',
  '..',
  './',
  '*a',
  '^',
  '\\b',
  '\\B',
  '\\pL',
  '\\p{Greek}',
  '\\x{41}',
  '\\101',
  '\\Qa\\E',
  '\\d',
  '[[:alpha:]]',
  '[[:^digit:]',
  '(?i)',
  '(?:',
  '{2,}',
  '{9999}',
  '/./',
  '!**',
];
export const BAKE_PIECES = [
  ...'"}{[]()\n=,*\\:?!\0',
  '${',
  '%{',
  '<<EOT\n',
  '...',
  '1e9',
  ' for ',
  ' in ',
  ': ',
  '- ',
  '&a ',
  '*a',
  '<<: ',
  '!!',
  '? ',
  'target "a" {',
  'inherits = ["a"]\n',
  'matrix = {',
  'function "f" {',
  'variable "a" {',
  'null',
];
export const TEMPLATES = [
  '{{.ID}}',
  'table {{.ID}}\t{{.Size}}',
  '{{range $i, $x := .List}}{{$i}}{{$x}}{{else}}-{{end}}',
  '{{if and .ID (eq .Size 1)}}{{json .Map}}{{end}}',
  '{{range .List}}{{if .}}{{continue}}{{end}}{{break}}{{end}}{{slice .Name 1 | upper | title}}',
  '{{$x := not .ID}}{{$x = lt .Size 2}}{{pad .Name 1 2}}{{truncate .Name 1}}{{println (ge 1 2) nil}}',
  '{{with .Map}}{{index .a "b" | len}}{{end}}{{printf "%-10s|%q|%d" .ID .ID .Size}}',
  '{{join (split .ID "x") ","}}{{/* c */}}{{- 1 -}}',
];
export const TEMPLATE_PIECES = [
  ...'.|()"`$ %\\\'',
  '{{',
  '}}',
  ':=',
  'range ',
  'if ',
  'else ',
  'title ',
  'lower ',
  'upper ',
  'pad ',
  'truncate ',
  'not ',
  'slice ',
  'println ',
  'urlquery ',
  'ne ',
  'lt 1',
  'le "a"',
  'gt ',
  'ge ',
  'or ',
  'break',
  'continue',
  'nil',
  'true',
  '$x',
  '$x = ',
  'printf "%t|%x|%X|%+d|%.3f|%[2]*d" ',
  'printf "%s" ',
  '(',
  ')',
  '{{break}}',
  '{{continue}}',
  '.Map.a',
  '.Name',
  'end',
  'with ',
  'define "a"',
  'template "a"',
  'printf "%9999999d" 1',
  'index ',
  'slice ',
  'len ',
  'json ',
  '-1',
  '1e9',
  '0x',
];
export const NAMES = [
  'docker.io/library/busybox:latest',
  `a@sha256:${'0'.repeat(64)}`,
  'localhost:5000/a/b',
  'linux/arm/v7',
  'https://github.com/a/b.git#main:dir',
  'git@github.com:a/b.git',
  '[::1]:5000/a',
];
export const NAME_PIECES = [...'/:@.-_#?%[]Aa0é \0', '__', '..', 'sha256:', 'git://', 'linux/'];

const FUNCTIONS = (
  'and base64decode base64encode basename bcrypt can ceil chomp chunklist cidrhost cidrsubnet coalesce coalescelist ' +
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
].concat([
  '[]',
  '["a", "b"]',
  '[1, 2]',
  '{}',
  '{ a = 1 }',
  '"10.0.0.0/8"',
  '"2024-01-02T03:04:05Z"',
  '"é漢"',
  '[for x in v : x]',
]);

/** Returns a bake file with a few expressions that call functions. */
export function expressionFile(random: Random): string {
  const expression = (depth: number): string => {
    if (depth === 3 || random.int(4) === 0) return random.pick(LITERALS);
    const given = Array.from({ length: 1 + random.int(3) }, () => expression(depth + 1));
    const risky = `${random.pick(FUNCTIONS)}(${given.join(', ')})`;
    const call = random.int(2) === 0 ? `try(${risky}, ${given[0]})` : risky;
    return random.int(6) === 0
      ? `(${call} ${random.pick(['+', '-', '*', '/', '%', '==', '<', '&&', '? 1 :'])} ${given[0]})`
      : call;
  };
  const args = Array.from({ length: 3 }, (_, at) => `    A${at} = ${expression(0)}\n`);
  return `variable "v" { default = ["a", "b"] }\ntarget "default" {\n  args = {\n${args.join('')}  }\n}\n`;
}
