import { describe, expect, test } from 'vitest';
import { GoNil } from './go-value.ts';
import { parseTemplate } from './parse-template.ts';
import { renderTemplate } from './render-template.ts';

const data = {
  ID: 'sha256:0123456789ab',
  Repository: 'team/app',
  Tag: '1.2',
  Size: 2030,
  Config: {
    Env: ['PATH=/bin', 'A=b'],
    Cmd: new GoNil('[]'),
    Labels: { 'org.example/a': 'one', b: 'two' },
    WorkingDir: '/srv',
  },
  Manifest: {
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      { digest: 'sha256:aa', platform: { os: 'linux', architecture: 'amd64' } },
      { digest: 'sha256:bb', platform: { os: 'linux', architecture: 'arm', variant: 'v7' } },
    ],
    history: [{ created_by: 'RUN x' }],
  },
  Dangling: false,
};

const render = (template: string): string => renderTemplate(parseTemplate(template), data);

describe('a template prints as in Go', () => {
  test.each([
    ['plain', 'plain'],
    ['{{.Repository}}:{{.Tag}}', 'team/app:1.2'],
    ['{{ .Repository }}', 'team/app'],
    ['{{json .Config.Env}}', '["PATH=/bin","A=b"]'],
    ['{{json .Config.Cmd}}', 'null'],
    ['{{.Config.Cmd}}|{{.Config.Env}}', '[]|[PATH=/bin A=b]'],
    ['{{.Config.Labels}}', 'map[b:two org.example/a:one]'],
    ['{{.Config.Labels.b}} {{.Config.Labels.none}}', 'two <no value>'],
    ['{{index .Config.Labels "org.example/a"}}', 'one'],
    ['{{index .Config.Labels "none"}}', ''],
    ['{{index .Config.Env 1}}', 'A=b'],
    ['{{(index .Manifest.Manifests 1).Platform.Variant}}', 'v7'],
    ['{{(index .Manifest.Manifests 0).Platform.Variant}}', ''],
    ['{{.Manifest.MediaType}}', 'application/vnd.oci.image.index.v1+json'],
    ['{{range .Manifest.History}}{{.CreatedBy}}{{end}}', 'RUN x'],
    ['{{range .Manifest.Manifests}}{{.Digest}} {{end}}', 'sha256:aa sha256:bb '],
    [
      '{{range $i, $m := .Manifest.Manifests}}{{if $i}}, {{end}}{{$m.Platform.OS}}/{{$m.Platform.Architecture}}{{with $m.Platform.Variant}}/{{.}}{{end}}{{end}}',
      'linux/amd64, linux/arm/v7',
    ],
    ['{{range $key, $value := .Config.Labels}}{{$key}}={{$value}};{{end}}', 'b=two;org.example/a=one;'],
    ['{{range .Config.Cmd}}x{{else}}none{{end}}', 'none'],
    ['{{range .Config.Env}}{{if eq . "A=b"}}{{break}}{{end}}{{.}}{{end}}', 'PATH=/bin'],
    ['{{range .Config.Env}}{{if eq . "PATH=/bin"}}{{continue}}{{end}}{{.}}{{end}}', 'A=b'],
    ['{{len .Config.Env}} {{len .Tag}} {{len .Config.Cmd}}', '2 3 0'],
    ['{{join .Config.Env ", "}}', 'PATH=/bin, A=b'],
    ['{{upper .Tag}} {{lower "ABC"}} {{title "two words"}}', '1.2 abc Two Words'],
    ['{{.Repository | upper | printf "%s!"}}', 'TEAM/APP!'],
    ['{{printf "%-8s|%5d|%q|%x|%05.1f%%" .Tag .Size .Tag "ab" 2.25}}', '1.2     | 2030|"1.2"|6162|002.3%'],
    ['{{println .Tag 1}}', '1.2 1\n'],
    ['{{print .Tag "-" 1}}', '1.2-1'],
    ['{{split "a/b" "/"}}', '[a b]'],
    ['{{truncate .ID 6}} {{slice .ID 7 11}} {{pad "x" 1 2}}|', 'sha256 0123  x  |'],
    ['{{if .Dangling}}a{{else if eq .Tag "1.2"}}b{{else}}c{{end}}', 'b'],
    ['{{if and .Tag (not .Dangling)}}yes{{end}}', 'yes'],
    ['{{if or .Dangling .Config.Cmd "last"}}yes{{end}}', 'yes'],
    ['{{if and .Dangling (index .Config.Env 9)}}no{{else}}stopped{{end}}', 'stopped'],
    ['{{eq .Tag "a" "1.2"}} {{ne 1 2}} {{lt 1 2}} {{ge "b" "a"}}', 'true true true true'],
    ['{{with .Config}}{{.WorkingDir}} {{$.Tag}}{{end}}', '/srv 1.2'],
    ['{{$x := .Tag}}{{$x}}', '1.2'],
    ['{{/* a comment */}}a', 'a'],
    ['a  {{- " b " -}}  c', 'a b c'],
    ['{{"\\t"}}{{`\\t`}}{{"\\""}}', '\t\\t"'],
    ['{{true}} {{nil | json}}', 'true null'],
    ['{{json .Config.Labels}}', '{"org.example/a":"one","b":"two"}'],
  ])('%s', (template, expected) => expect(render(template)).toBe(expected));
});

describe('an error points to the word', () => {
  test.each([
    ['{{.Repositroy}}', '".Repositroy" (column 3)', 'Did you mean .Repository?'],
    ['{{.Nothing}}', '".Nothing" (column 3)', 'Use one of .ID .Repository'],
    ['x {{.Tag', '"{{" (column 3)', undefined],
    ['{{jsno .Tag}}', '"jsno" (column 3): there is no such function', 'Did you mean json?'],
    ['{{if .Tag}}a', '"if" (column 3): it has no {{end}}', undefined],
    ['a{{end}}', '"end" (column 4): there is nothing that it belongs to', undefined],
    ['{{range .Tag}}{{end}}', '"range" (column 3): it is no list', undefined],
    ['{{.Tag .ID}}', '".Tag" (column 3): it is not a function', undefined],
    ['{{index .Config.Env 7}}', '"index" (column 3): index 7 is out of range', undefined],
    ['{{.Tag.Deeper}}', '".Deeper" (column 7): "1.2" has no fields', undefined],
    ['{{$y}}', '"$y" (column 3): the variable is not set', undefined],
    ['{{}}', '"{{" (column 1): there is nothing in it', undefined],
    ['{{(.Tag}}', '"(" (column 3): it has no ")"', undefined],
    ['{{.Tag |}}', 'a value is missing', undefined],
    ['{{.Tag &}}', '"&" (column 8)', undefined],
    ['{{eq .Config 1}}', 'cannot be compared', undefined],
    ['{{pad "x" -1 0}}', '"pad" (column 3)', undefined],
    ['{{printf "%.500f" 1}}', '"printf" (column 3)', undefined],
    ['{{template "x"}}', '"template" (column 3)', undefined],
    ['{{if .Tag}}{{else}}{{else}}{{end}}', '"else" (column 22): a block has one of it', undefined],
  ])('%s', (template, message, hint) => {
    expect(() => render(template)).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringContaining(message),
        hint: hint === undefined ? undefined : expect.stringContaining(hint),
      }),
    );
  });
});

test('any template is rendered or refused with a message', () => {
  const words = [
    '{{',
    '}}',
    '{{-',
    '-}}',
    'if',
    'range',
    'with',
    'else',
    'end',
    '.',
    '.ID',
    '.Config',
    '$',
    '$x',
    ':=',
    ',',
  ];
  const more = [
    '|',
    '(',
    ')',
    '"a"',
    '`',
    '1',
    '-1',
    'index',
    'len',
    'printf',
    '"%d"',
    'json',
    'eq',
    'break',
    ' ',
    '\n',
  ];
  const all = [...words, ...more];
  let seed = 1;
  const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let round = 0; round < 3000; round++) {
    const template = Array.from({ length: next(12) + 1 }, () => `${all[next(all.length)]}${next(2) ? ' ' : ''}`).join(
      '',
    );
    try {
      render(template);
    } catch (error) {
      expect(error, template).toMatchObject({ code: 'USAGE' });
    }
  }
});

test('a range that counts to more than a million is refused', () => {
  expect(() => render('{{range 999999999}}{{end}}')).toThrow('it counts to more than 1000000');
});
