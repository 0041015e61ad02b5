import { TbuildError } from '@tbuild/errors';
import { findImage } from '@tbuild/images';
import { parseReference } from '@tbuild/oci';
import { storeCommand } from '../store-command.ts';

export const tag = storeCommand({
  summary: 'Give an image of the store another name',
  usage: 'tag [OPTIONS] IMAGE NAME',
  flags: {},
  takes: [2, 2],
  run({ words: [image = '', name = ''], services }) {
    const reference = parseReference(name);
    if (reference.digest !== undefined)
      throw new TbuildError('USAGE', `Name ${JSON.stringify(name)} must not have a digest: the image determines it`);
    services.refs.set([{ reference, target: findImage(image, services).target }]);
  },
});
