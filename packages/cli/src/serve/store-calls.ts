import type { ImageInfo, Pruned, PruneOptions, UsedSpace } from '@tbuild/api';
import type { Services } from '@tbuild/builder';
import { pruneStore, usedSpace } from '@tbuild/gc';
import { imageSize, listImages } from '@tbuild/images';
import { formatReference } from '@tbuild/oci';
import { planRemoval } from '../commands/image/plan-removal.ts';
import type { Environment } from '../config/environment.ts';
import { storeRoot } from '../config/store-root.ts';
import { createServices } from '../services/create-services.ts';
import { CallFields, textOf } from './call-fields.ts';
import type { Call } from './call.ts';

/** Returns the store's images, each with what is known without its layers. */
export const imagesCall: Call = (argument, env) => {
  const fields = new CallFields<'root'>(argument);
  return onStore(fields, env, async (services): Promise<readonly ImageInfo[]> => {
    const found: ImageInfo[] = [];
    for (const { reference, target, image } of listImages(services)) {
      const { platform, created } = image.config;
      const size = await imageSize(image.manifest.layers, services);
      const id = image.manifest.config.digest;
      const name = reference === undefined ? undefined : formatReference(reference);
      found.push({ name, id, digest: target.digest, platform, created, size });
    }
    return found;
  });
};

/** Removes the names of an image and returns them. */
export const removeImageCall: Call = (argument, env) => {
  const fields = new CallFields<'root' | 'image' | 'force'>(argument);
  const image = textOf(fields.take('image'), 'image');
  const force = fields.flag('force') ?? false;
  return onStore(fields, env, async (services) => {
    const removal = planRemoval(force, services);
    removal.add(image);
    return removal.apply().flatMap(({ references }) => references.map(formatReference));
  });
};

/** Prunes as `tbuild prune` does. */
export const pruneCall: Call = (argument, env) => {
  const fields = new CallFields<'root' | 'all' | 'unusedFor' | 'maxUsedSpace'>(argument);
  const options: PruneOptions = {
    all: fields.flag('all'),
    unusedFor: fields.number('unusedFor'),
    maxUsedSpace: fields.number('maxUsedSpace'),
  };
  return onStore(fields, env, (services): Promise<Pruned> => pruneStore(services, options));
};

/** Returns the rows of `tbuild du`. */
export const diskUsageCall: Call = (argument, env) =>
  onStore(new CallFields<'root'>(argument), env, (services): Promise<readonly UsedSpace[]> => usedSpace(services));

async function onStore(
  fields: CallFields<'root'>,
  env: Environment,
  work: (services: Services) => Promise<unknown>,
): Promise<unknown> {
  const root = storeRoot(fields.text('root'), env);
  fields.done();
  return work(createServices({ root }, env));
}
