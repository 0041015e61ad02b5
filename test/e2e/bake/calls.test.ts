import { expect, test } from 'vitest';
import { bakeDirectory, runBake } from '../../support/bake.ts';

test('--check looks at the Dockerfile of each target', async () => {
  const bake = await runBake(
    bakeDirectory({
      'docker-bake.hcl':
        'group "default" { targets = ["good", "bad"] }\ntarget "good" { context = "good" }\ntarget "bad" { context = "bad" }\n',
      'good/Dockerfile': 'FROM busybox\n',
      'bad/Dockerfile': 'from busybox\nRUN true\n',
    }),
    ['--check'],
  );
  expect(bake.exitCode).toBe(1);
  expect(bake.stdout).toMatch(/^good\n\nCheck complete, no warnings found/m);
  expect(bake.stdout).toMatch(/^bad\n\nCheck complete/m);
});

const LINKED = {
  'docker-bake.hcl': `target "base" { context = "base" }
target "default" { contexts = { base = "target:base" } }
`,
  'base/Dockerfile': 'ARG FROM_BASE\nFROM busybox AS first\nENV A=1 PLACE=/place\nWORKDIR /work\nARG B\n',
  Dockerfile: 'FROM base\nARG OWN=1\nCOPY docker-bake.hcl $PLACE/\nCOPY docker-bake.hcl $OTHER/\n',
};

test('--check takes a target that is a context for what it is, with its variables', async () => {
  const bake = await runBake(bakeDirectory(LINKED), ['--check']);
  expect(bake.stdout).toMatch(/Usage of undefined variable '\$OTHER'/);
  expect(bake.stdout).not.toMatch(/variable '\$(A|PLACE)'/);
  expect(bake.exitCode).toBe(1);
});

test('--check follows contexts of contexts, and COPY from the stages of another target', async () => {
  const bake = await runBake(
    bakeDirectory({
      ...LINKED,
      'docker-bake.hcl': `${LINKED['docker-bake.hcl']}target "top" { 
  contexts = { middle = "target:default" }
  dockerfile-inline = "FROM middle\\nCOPY --from=middle /work /w\\nENV C=$A$PLACE\\n"
}
`,
    }),
    ['--check', 'top'],
  );
  expect(bake.stdout).toContain('Check complete, no warnings found');
  expect(bake.exitCode, bake.stderr).toBe(0);
});

test('--check points to the Dockerfile of the target that is wrong', async () => {
  const bake = await runBake(
    bakeDirectory({ ...LINKED, 'base/Dockerfile': '# base\nFROM busybox\nCOPY --from=nothing:! /a /a\n' }),
    ['--check'],
  );
  expect(bake.exitCode).toBe(1);
  expect(bake.stderr.match(/^ERROR: /gm)).toHaveLength(1);
  expect(bake.stderr).toContain('Dockerfile of base:3');
  expect(bake.stderr).toContain('>>> COPY --from=nothing:! /a /a');
});

test('--call outline shows the arguments of the target, not those of its contexts', async () => {
  const bake = await runBake(bakeDirectory(LINKED), ['--call', 'outline']);
  expect(bake.exitCode, bake.stderr).toBe(0);
  expect(bake.stdout).toMatch(/OWN +1/);
  expect(bake.stdout).not.toContain('FROM_BASE');
});
