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
])('%j', (argv, values, positional) => {
  expect(parseArgs(argv, flags)).toEqual({ flags: values, positional });
});

test.each([
  [['--qiet'], 'Unknown option --qiet', 'Did you mean --quiet?'],
  [['-x'], 'Unknown option -x', undefined],
  [['--file'], 'Option --file needs a value', '--file PATH'],
  [['--quiet=maybe'], 'Option --quiet is a switch and cannot be "maybe"', 'Write =true or =false'],
  [['--constructor'], 'Unknown option --constructor', undefined],
])('%j is refused', (argv, message, hint) => {
  expect(() => parseArgs(argv, flags)).toThrow(expect.objectContaining({ code: 'USAGE', message, hint }));
});

test('help has one line an option', () => {
  expect(describeFlags(flags)).toBe(
    [
      '  -f, --file PATH  a file',
      '  -t, --tag VALUE  names',
      '  -q, --quiet      say less',
      '  -D, --debug      say more',
    ].join('\n'),
  );
});
