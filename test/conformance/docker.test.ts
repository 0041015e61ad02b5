import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImage, loadBaseImage } from '../support/base-images.ts';
import { docker } from '../support/docker.ts';
import { imagesOf } from '../support/layout.ts';
import { needs } from '../support/requirements.ts';
import { runChecked } from '../support/run-process.ts';
import { scratchDirectory } from '../support/scratch.ts';
import { sharedService } from '../support/services.ts';
import { buildContext, good } from '../support/tbuild.ts';
import { recordImage } from './image-record.ts';

const contexts = join(import.meta.dirname, '../../fixtures/contexts');

/** The goldens are recordings; this test builds with a running Docker. */
describe('Docker and tbuild build the same image of', needs('docker'), () => {
  test.each(['hello', 'site'])('%s', async (name) => {
    const host = await sharedService('docker');
    await loadBaseImage('busybox', host);
    await docker(host, ['buildx', 'build', '--quiet', '--tag', `same-${name}`, join(contexts, name)]);
    const saved = scratchDirectory('saved');
    await docker(host, ['save', '--output', join(saved, 'image.tar'), `same-${name}`]);
    await runChecked('tar', ['-xf', 'image.tar'], { cwd: saved });

    const options = { bases: [baseImage('busybox')], anyContent: [] };
    const ours = good(await buildContext(join(contexts, name)));
    expect(recordImage(ours.image(), options)).toEqual(recordImage(imagesOf(saved)[0]!, options));
  });
});
