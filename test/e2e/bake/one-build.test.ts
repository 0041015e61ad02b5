import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bakeDirectory, imageTree, runBake } from '../../support/bake.ts';
import { stepsIn } from '../../support/plain-progress.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { runTbuild } from '../../support/tbuild.ts';

const RANDOM = 'RUN head -c 8 /dev/urandom | od -An -tx1 > /random\n';

test('a step that several targets have runs once', async () => {
  const directory = bakeDirectory({
    'docker-bake.hcl': `group "default" { targets = ["a", "b", "c"] }
target "a" { tags = ["shared/a"] }
target "b" {
  tags   = ["shared/b"]
  target = "more"
}
target "c" {
  dockerfile = "Other.Dockerfile"
  tags       = ["shared/c"]
}
`,
    Dockerfile: `FROM busybox AS more\n${RANDOM}COPY file /file\nFROM more\n`,
    'Other.Dockerfile': `FROM busybox\n${RANDOM}COPY file /file\nRUN echo c > /c\n`,
    file: 'x',
  });
  const bake = await runBake(directory);
  expect(bake.exitCode, bake.stderr).toBe(0);
  const [a, b, c] = ['a', 'b', 'c'].map((name) => imageTree(bake, `shared/${name}`).readText('/random'));
  expect(b).toBe(a);
  expect(c).toBe(a);
  const names = [...stepsIn(bake.stderr).keys()];
  expect(names.filter((name) => name.includes('urandom'))).toHaveLength(1);
  expect(names.filter((name) => name.includes('load build context'))).toHaveLength(1);
});

test('the same instructions on other files are other steps', async () => {
  const bake = await runBake(
    bakeDirectory({
      'docker-bake.hcl':
        'group "default" { targets = ["a", "b"] }\ntarget "a" {\n  context = "a"\n  tags = ["other/a"]\n}\ntarget "b" {\n  context = "b"\n  tags = ["other/b"]\n}\n',
      'a/Dockerfile': 'FROM busybox\nCOPY file /file\n',
      'a/file': 'of a',
      'b/Dockerfile': 'FROM busybox\nCOPY file /file\n',
      'b/file': 'of b',
    }),
  );
  expect(bake.exitCode, bake.stderr).toBe(0);
  expect(imageTree(bake, 'other/a').readText('/file')).toBe('of a');
  expect(imageTree(bake, 'other/b').readText('/file')).toBe('of b');
});

describe('a target that is the context of another one', () => {
  const files = {
    'docker-bake.hcl': `target "base" {
  context = "base"
  tags    = ["linked/base"]
}
target "default" {
  contexts = { base = "target:base" }
  tags     = ["linked/app"]
}
`,
    'base/Dockerfile': 'FROM busybox\nENV FROM_BASE=1\nWORKDIR /work\nRUN echo base > /base\n',
    Dockerfile:
      'FROM base AS on\nRUN echo "$FROM_BASE in $PWD" > /seen\nFROM busybox\nCOPY --from=on /seen /seen\nCOPY --from=base /base /base\n',
  };

  test('gives its files and its configuration, and is not exported', async () => {
    const bake = await runBake(bakeDirectory(files), [], { store: scratchDirectory('store') });
    expect(bake.exitCode, bake.stderr).toBe(0);
    const tree = imageTree(bake, 'linked/app');
    expect(tree.readText('/seen')).toBe('1 in /work\n');
    expect(tree.readText('/base')).toBe('base\n');
    expect(Object.keys(bake.metadata())).toEqual(['default']);
    const { stdout } = await runTbuild(['images'], { store: bake.store });
    expect(stdout).toContain('linked/app');
    expect(stdout).not.toContain('linked/base');
  });

  test.each([
    { form: 'one by one', texts: ['linux/amd64', 'linux/arm64'] },
    { form: 'as a list', texts: ['linux/amd64, linux/arm64'] },
  ])('is built for the platforms of the target, given $form', async ({ texts }) => {
    const platforms = texts.flatMap((text) => ['--set', `*.platform=${text}`]);
    const copied = {
      ...files,
      'base/Dockerfile': 'FROM scratch\nARG TARGETARCH\nCOPY ${TARGETARCH} /arch\n',
      'base/amd64': 'amd64',
      'base/arm64': 'arm64',
      Dockerfile: 'FROM base\nCOPY docker-bake.hcl /\n',
    };
    const bake = await runBake(bakeDirectory(copied), [...platforms, '--set', 'default.output=type=local,dest=out']);
    expect(bake.exitCode, bake.stderr).toBe(0);
    for (const arch of ['amd64', 'arm64'])
      expect(readFileSync(`${bake.directory}/out/linux_${arch}/arch`, 'utf8')).toBe(arch);
  });
});

test('the first failure ends all targets and shows the line of its own Dockerfile', async () => {
  const bake = await runBake(
    bakeDirectory({
      'docker-bake.hcl':
        'group "default" { targets = ["good", "bad"] }\ntarget "good" { context = "good" }\ntarget "bad" { context = "bad" }\n',
      'good/Dockerfile': 'FROM busybox\nRUN sleep 600\n',
      'bad/Dockerfile': '# this is bad\nFROM busybox\nRUN exit 7\n',
    }),
  );
  expect(bake.exitCode).toBe(1);
  expect(bake.stderr.match(/^ERROR: /gm)).toHaveLength(1);
  expect(bake.stderr).toContain('Dockerfile of bad:3');
  expect(bake.stderr).toContain('>>> RUN exit 7');
  expect(bake.stderr).toMatch(/\[good .*\] RUN sleep 600/);
});

test('a warning names its target', async () => {
  const directory = bakeDirectory({
    'docker-bake.hcl':
      'group "default" { targets = ["a", "b"] }\ntarget "a" {}\ntarget "b" {\n  dockerfile = "b"\n  args = { EXTRA = 1 }\n}\n',
    Dockerfile: 'FROM scratch\nLABEL a b\n',
    b: 'FROM scratch\nLABEL a=b\n',
  });
  const { stderr } = await runBake(directory);
  expect(stderr).toContain(' - [a] LegacyKeyValueFormat: ');
  expect(stderr).toContain(' - [b] Build argument "EXTRA" is not used: no ARG declares it\n');
});

test('--jobs counts the steps of all targets', async () => {
  const alone =
    'RUN --mount=type=cache,id=alone,target=/m [ ! -e /m/busy ] && touch /m/busy && sleep 0.3 && rm /m/busy && echo ';
  const names = ['a', 'b', 'c'];
  const files = Object.fromEntries(names.map((name) => [`${name}/Dockerfile`, `FROM busybox\n${alone}${name}\n`]));
  const targets = names.map((name) => `target "${name}" { context = "${name}" }\n`).join('');
  const group = `group "default" { targets = ${JSON.stringify(names)} }\n`;
  const bake = await runBake(bakeDirectory({ ...files, 'docker-bake.hcl': group + targets }), ['--jobs', '1']);
  expect(bake.exitCode, bake.stderr).toBe(0);
});

test('what targets ask for has to be allowed, all of it at once', async () => {
  const directory = bakeDirectory({
    'docker-bake.hcl':
      'group "default" { targets = ["a", "b"] }\ntarget "a" { entitlements = ["security.insecure"] }\ntarget "b" { output = ["type=local,dest=/elsewhere"] }\n',
    Dockerfile: 'FROM busybox\n',
  });
  const refused = await runBake(directory);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain(
    'hint: Use --allow security.insecure --allow fs.write=/elsewhere if you trust these files',
  );
  const allowed = await runBake(directory, ['--allow', 'security.insecure', '--set', 'b.output=type=local,dest=out']);
  expect(allowed.exitCode, allowed.stderr).toBe(0);
});

test('a mistake in a file is shown with its line and a suggestion', async () => {
  const bake = await runBake(
    bakeDirectory({ 'docker-bake.hcl': 'variable "TAG" {}\ntarget "default" {\n  tags = ["a:${TGA}"]\n}\n' }),
  );
  expect(bake.exitCode).toBe(1);
  expect(bake.stderr).toContain('docker-bake.hcl:3:16\n');
  expect(bake.stderr).toContain('>>>   tags = ["a:${TGA}"]');
  expect(bake.stderr).toContain('ERROR: Unknown variable "TGA"\nhint: Did you mean "TAG"?\n');
});

test.each([
  ['secret = ["id=s,src=none"]', 'secret "s" does not exist'],
  ['ulimits = ["nofile=2:1"]', 'nofile'],
  ['platforms = ["linux/?"]', 'linux/?'],
])('the target that has %s is shown', async (attribute, message) => {
  const bake = await runBake(bakeDirectory({ 'docker-bake.hcl': `# A file\ntarget "default" {\n  ${attribute}\n}\n` }));
  expect(bake.exitCode).toBe(1);
  expect(bake.stderr).toMatch(/^docker-bake\.hcl:2:1$/m);
  expect(bake.stderr).toContain('>>> target "default" {');
  expect(bake.stderr).toMatch(/^ERROR: Target "default": /m);
  expect(bake.stderr).toContain(message);
});

test('--list shows targets and variables as tables', async () => {
  const directory = bakeDirectory({
    'docker-bake.hcl':
      'variable "TAG" {\n  type = string\n  default = "1"\n  description = "the tag"\n}\ntarget "default" { description = "all" }\n',
  });
  const targets = await runTbuild(['bake', '--list', 'targets'], { cwd: directory });
  expect(targets.stdout).toBe('TARGET    DESCRIPTION\ndefault   all\n');
  const variables = await runTbuild(['bake', '--list=variables'], { cwd: directory });
  expect(variables.stdout).toMatch(/^TAG +string +1 +the tag$/m);
});
