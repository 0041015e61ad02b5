import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BaseImageName } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { docker } from '../../support/docker.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { buildContext, buildGood, good, userDirectory } from '../../support/tbuild.ts';

interface Project {
  readonly name: string;
  readonly image: BaseImageName;
  /** The command to run in the image, and its expected output. */
  readonly command: readonly string[];
  readonly prints: string | RegExp;
}

const noteFromService =
  "import('/app/src/app.mjs').then(async ({ createApp }) => { const app = createApp();" +
  "const { statusCode } = await app.inject({ method: 'POST', url: '/notes', payload: { text: 'x' } });" +
  'console.log(statusCode, process.getuid() !== 0, process.env.VERSION); })';

const projects: readonly Project[] = [
  { name: 'hello', image: 'busybox', command: [], prints: /Hello from an image[^]*from hello, for world/ },
  { name: 'site', image: 'busybox', command: ['cat', 'index.html'], prints: /<li><a href="layers.html">Layers<\/a>/ },
  { name: 'c-program', image: 'debian-build', command: ['--help'], prints: /^usage: tally/ },
  { name: 'node-service', image: 'node', command: ['-e', noteFromService], prints: '201 true 2.0.0\n' },
  { name: 'twenty-runs', image: 'busybox', command: ['sh', '-c', 'cat /step-* | sort -n | tail -1'], prints: '20\n' },
];

const prepare = (name: string) =>
  execFileSync(join(import.meta.dirname, '../../../fixtures/contexts/prepare.sh'), [name], { encoding: 'utf8' }).trim();

describe.each(builders)('a real project, built by $who and run in Docker:', ({ asUser }) => {
  test.each(projects)('$name', needs('docker'), async ({ name, image, command, prints }) => {
    const host = await sharedService('docker');
    const archive = join(asUser ? userDirectory('archive') : scratchDirectory('archive'), 'image.tar');
    const tag = `project-${name}:${asUser ? 'user' : 'root'}`;
    const args = ['--tag', tag, '--build-arg', 'VERSION=2.0.0', '--output', `type=docker,dest=${archive}`];
    good(await buildContext(prepare(name), { asUser, images: [image], args }));
    await docker(host, ['load', '--quiet', '--input', archive]);
    const workdir = name === 'site' ? ['--workdir', '/var/www'] : [];
    const output = await docker(host, ['run', '--rm', '--network', 'none', ...workdir, tag, ...command]);
    if (typeof prints === 'string') expect(output).toBe(prints);
    else expect(output).toMatch(prints);
  });
});

test('a directory of three thousand files is copied completely', async () => {
  const names = Array.from({ length: 3000 }, (_, index) => [`d/${index}`, `${index}\n`.repeat(index % 50)] as const);
  const { entries } = (
    await buildGood({ Dockerfile: 'FROM scratch\nCOPY d /d\n', ...Object.fromEntries(names) }, { images: [] })
  ).tree();
  const sizes = names.map(([name, content]) => [`/${name}`, content.length] as const);
  expect(sizes.filter(([path, size]) => entries.get(path)?.size !== size)).toEqual([]);
});
