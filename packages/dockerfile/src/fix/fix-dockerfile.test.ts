import { expect, test } from 'vitest';
import { lintDockerfile, parseDockerfile } from '../index.ts';
import { rulePage } from '../rules/rule-pages.ts';
import { fixDockerfile } from './fix-dockerfile.ts';

const fixed = (text: string): string => fixDockerfile(text).text;

const cases: readonly (readonly [title: string, before: string, after: string])[] = [
  ['the casing of keywords follows the majority', 'FROM a\nrun b\nRUN c\n', 'FROM a\nRUN b\nRUN c\n'],
  ['small letters can be the majority', 'from a\nRUN b\nrun c\n', 'from a\nrun b\nrun c\n'],
  ['AS follows FROM, which follows the majority', 'from a as b\nRUN c\nRUN d\n', 'FROM a AS b\nRUN c\nRUN d\n'],
  ['a stage with the name "as" keeps it', 'FROM a as as\nRUN c\n', 'FROM a AS as\nRUN c\n'],
  [
    'comments inside a continued FROM stay',
    'FROM a as \\\n# as Build\n Build \\\n# the as of Build\n',
    'FROM a AS \\\n# as Build\n build \\\n# the as of Build\n',
  ],
  [
    'the name of a stage is written small, also where later stages name it',
    'FROM a AS Build\nFROM b AS c\nCOPY --from=Build /Build Build\nRUN --mount=type=bind,from=BUILD,target=/x y\n',
    'FROM a AS build\nFROM b AS c\nCOPY --from=build /Build Build\nRUN --mount=type=bind,from=build,target=/x y\n',
  ],
  [
    'images of the same name stay: before the stage, and in FROM',
    'FROM a\nCOPY --from=Build x y\nFROM b AS Build\nFROM Build\n',
    'FROM a\nCOPY --from=Build x y\nFROM b AS build\nFROM Build\n',
  ],
  [
    'empty continued lines go, also with carriage returns and blanks',
    'FROM a\r\nRUN b \\\r\n\r\n \t\r\n  c\r\n\r\nRUN d\r\n',
    'FROM a\r\nRUN b \\\r\n  c\r\n\r\nRUN d\r\n',
  ],
  [
    'empty lines of a heredoc stay',
    'FROM a\nRUN b \\\n\n <<EOF\nx\n\ny\nEOF\n',
    'FROM a\nRUN b \\\n <<EOF\nx\n\ny\nEOF\n',
  ],
  ['a word of ENV gets an equals sign', 'FROM a\nENV b  $c\n', 'FROM a\nENV b=$c\n'],
  ['words of ENV get quotes', 'FROM a\nENV b c  d=1 \n', 'FROM a\nENV b="c  d=1" \n'],
  ['a quoted value of LABEL stays', `FROM a\nLABEL b "c d"\n`, `FROM a\nLABEL b="c d"\n`],
  ['a value over two lines gets quotes', 'FROM a\nENV b c \\\n  d\n', 'FROM a\nENV b="c \\\n  d"\n'],
  ['quotes in a value of several words stay as they are', `FROM a\nENV b c "d e"\n`, `FROM a\nENV b c "d e"\n`],
  ['a value that cannot be expanded stays', 'FROM a\nENV b ${c\n', 'FROM a\nENV b ${c\n'],
  ['MAINTAINER stays: a label would change the image', 'FROM a\nMAINTAINER me\n', 'FROM a\nMAINTAINER me\n'],
  [
    'backslashes are letters where the escape directive names another character',
    '# escape=`\nFROM a\nENV b C:\\me x\n',
    '# escape=`\nFROM a\nENV b="C:\\me x"\n',
  ],
  ['an escape that quotes would keep stays', 'FROM a\nENV b c\\d e\n', 'FROM a\nENV b c\\d e\n'],
  ['instructions of ONBUILD stay', 'FROM a\nONBUILD env b c d\n', 'FROM a\nONBUILD env b c d\n'],
  [
    'protocols of EXPOSE are written small',
    'FROM a\nEXPOSE 80/TCP 53/udp $P/UDP\n',
    'FROM a\nEXPOSE 80/tcp 53/udp $P/udp\n',
  ],
  [
    'a redundant platform goes',
    'FROM --platform=$TARGETPLATFORM a AS b\nFROM --platform=${TARGETPLATFORM}  c\n',
    'FROM a AS b\nFROM c\n',
  ],
  [
    'a platform with a default of its own stays',
    'ARG TARGETPLATFORM=linux/arm64\nFROM --platform=$TARGETPLATFORM a\n',
    'ARG TARGETPLATFORM=linux/arm64\nFROM --platform=$TARGETPLATFORM a\n',
  ],
  ['a keyword torn by a continued line stays', 'FROM a\nru\\\nn b\nRUN c\n', 'FROM a\nru\\\nn b\nRUN c\n'],
  [
    'rules that the file skips are left',
    '# check=skip=LegacyKeyValueFormat\nFROM a\nENV b c\n',
    '# check=skip=LegacyKeyValueFormat\nFROM a\nENV b c\n',
  ],
  [
    'rules that a comment skips are left there',
    'FROM a\n# check=skip=LegacyKeyValueFormat\nENV b c\nENV d e\n',
    'FROM a\n# check=skip=LegacyKeyValueFormat\nENV b c\nENV d=e\n',
  ],
  ['a byte order mark stays', '\ufefffrom a\nRUN b\nRUN c\n', '\ufeffFROM a\nRUN b\nRUN c\n'],
  ['a last line without a line feed stays so', 'FROM a\nENV b c', 'FROM a\nENV b=c'],
];

test.each(cases)('fixDockerfile: %s', (_, before, after) => {
  expect(fixed(before)).toBe(after);
  expect(fixed(after)).toBe(after);
});

test('fixDockerfile names each correction by its rule and the line before the correction', () => {
  const text = 'from a\nRUN b \\\n\n c\nRUN d\nENV e f\n';
  expect(fixDockerfile(text).fixed).toEqual([
    { rule: 'ConsistentInstructionCasing', line: 1 },
    { rule: 'NoEmptyContinuation', line: 2 },
    { rule: 'LegacyKeyValueFormat', line: 6 },
  ]);
});

test.each(['StageNameCasing', 'FromAsCasing', 'ConsistentInstructionCasing', 'NoEmptyContinuation'] as const)(
  'after the correction of the bad example of %s there is no finding',
  (rule) => {
    const { bad } = rulePage(rule);
    const rules = (text: string) => lintDockerfile(parseDockerfile(text)).map((warning) => warning.rule);
    expect(rules(bad)).toContain(rule);
    expect(rules(fixed(bad))).not.toContain(rule);
  },
);
