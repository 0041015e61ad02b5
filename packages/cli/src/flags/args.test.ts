import { expect, test } from 'vitest';
import { describeFlags, parseArgs, type Flags } from './args.ts';

const flags = {
  file: { kind: 'text', short: 'f', value: 'PATH', help: 'a file' },
  tag: { kind: 'list', short: 't', help: 'names' },
  quiet: { kind: 'switch', short: 'q', help: 'say less' },
  debug: { kind: 'switch', short: 'D', help: 'say more' },
} as const satisfies Flags;

test.each([
  [['.'], {}, ['.']],
  [['-t', 'a', '.', '--tag=b'], { tag: ['a', 'b'] }, ['.']],
  [['-ta', '-t=b'], { tag: ['a', 'b'] }, []],
  [['-qD', '-f', '-', '.'], { quiet: true, debug: true, file: '-' }, ['.']],
  [['-qfx'], { quiet: true, file: 'x' }, []],
  [['--quiet=false', '--debug=1'], { quiet: false, debug: true }, []],
  [['--file', 'a', '--file=b'], { file: 'b' }, []],
  [['--file='], { file: '' }, []],
  [['-'], {}, ['-']],
  [['--', '-q', '--x'], {}, ['-q', '--x']],
])('parseArgs reads %j', (argv, values, positional) => {
  expect(parseArgs(argv, flags)).toEqual({ flags: values, positional });
});

test.each([
  [['--qiet'], 'Unknown option --qiet', 'Did you mean --quiet?'],
  [['-x'], 'Unknown option -x', undefined],
  [['-qx', '--fiel=a'], 'Unknown options -x, --fiel', '--fiel: Did you mean --file?'],
  [
    ['--destination', 'a', '--qiet'],
    'Unknown options --destination, --qiet',
    '--destination: Use -t\n      --qiet: Did you mean --quiet?',
  ],
  [['--file'], '--file needs a value', 'Write --file PATH'],
  [['--quiet=maybe'], '--quiet takes true or false, got "maybe"', undefined],
  [['--constructor'], 'Unknown option --constructor', undefined],
])('parseArgs refuses %j', (argv, message, hint) => {
  expect(() => parseArgs(argv, flags, { destination: 'Use -t' })).toThrow(
    expect.objectContaining({ code: 'USAGE', message, hint }),
  );
});

test('describeFlags returns one line for each option', () => {
  expect(describeFlags(flags)).toBe(
    [
      '  -f, --file PATH  a file',
      '  -t, --tag VALUE  names',
      '  -q, --quiet      say less',
      '  -D, --debug      say more',
    ].join('\n'),
  );
});
