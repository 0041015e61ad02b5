import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createLocalStore } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { parsePlatform } from '@tbuild/oci';
import { choiceOf } from '../../flags/choice.ts';
import { formatError } from '../../print/report-error.ts';
import { storeCommand, type StoreCall } from '../store-command.ts';
import { comparePair } from './compare-pair.ts';
import { NOT_COMPARED, type Verdict, type VerifyRun } from './verdict.ts';
import { verifyFlags } from './verify-flags.ts';
import { verifyImage } from './verify-image.ts';

export const verify = storeCommand({
  summary: 'Build an image again from its provenance, and explain every difference',
  usage: 'verify [OPTIONS] IMAGE | verify --pair IMAGE IMAGE',
  flags: verifyFlags,
  takes: [1, 2],
  async run(call) {
    const { pair = false, format = 'text' } = call.flags;
    const style = choiceOf(format, ['text', 'json'], '--format');
    if ((call.words.length === 2) !== pair)
      throw new TbuildError('USAGE', `verify takes ${pair ? 'two images with --pair' : 'one image'}`, {
        hint: 'Write tbuild verify IMAGE, or tbuild verify --pair IMAGE IMAGE',
      });
    using directory = temporaryDirectory(call.services.store.root);
    try {
      const run = runOf(call, directory.path);
      const verdicts = await (pair ? comparePair(run) : verifyImage(run));
      await writePage(verdicts, call);
      return print(verdicts, style, call);
    } catch (error) {
      if (!(error instanceof TbuildError) || error.code === 'USAGE' || call.signal.aborted) throw error;
      call.env.stderr.write(await formatError(error, { debug: false, sourceOf: () => undefined }));
      if (style === 'json') writeJson({ rebuilt: false, reason: error.message }, call);
      return NOT_COMPARED;
    }
  },
});

type Call = StoreCall<typeof verifyFlags>;

function temporaryDirectory(root: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(`${root}.verify-`);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function runOf(call: Call, directory: string): VerifyRun {
  const { flags, services, env } = call;
  const platforms = flags.platform?.flatMap((text) => text.split(',')).filter((text) => text !== '');
  return {
    ...call,
    directory,
    places: { ...services, cwd: env.cwd, unpacked: createLocalStore(join(directory, 'archives')) },
    platforms: platforms?.map((text) => parsePlatform(text, services.platform)),
  };
}

async function writePage(verdicts: readonly Verdict[], { flags: { html }, words, env }: Call): Promise<void> {
  if (html === undefined) return;
  const { verifyPage } = await import('./verify-page.ts');
  writeFileSync(resolve(env.cwd, html), verifyPage(words.join(' and '), verdicts));
}

/** Prints what was found, and returns the exit code: the worst of all. */
function print(verdicts: readonly Verdict[], style: 'text' | 'json', call: Call): number {
  const [only, ...more] = verdicts;
  const isOne = only !== undefined && more.length === 0;
  const texts = verdicts.map(({ platform, text }) => (isOne || text === '' ? text : `Platform ${platform}\n${text}`));
  const documents = verdicts.map(({ platform, document }) => ({ platform, ...document }));
  if (style === 'text') call.env.stdout.write(texts.filter((text) => text !== '').join('\n'));
  else writeJson(isOne ? documents[0] : { equal: verdicts.every(({ equal }) => equal), platforms: documents }, call);
  return Math.max(...verdicts.map(({ exitCode }) => exitCode));
}

function writeJson(document: unknown, { env }: Pick<Call, 'env'>): void {
  env.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}
