import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoName, TbuildError } from '@tbuild/errors';
import { isOpenToOthers, storeLayout } from '@tbuild/store';
import type { Environment } from '../config/environment.ts';
import { makeStore } from '../config/store-root.ts';
import type { Finding } from './finding.ts';

/** Where to try the other things. */
export interface StorePlace extends Disposable {
  /** The finding about the store itself. */
  readonly finding: Finding;
  /** The store, or a temporary directory where there can be none; undefined where not even that can be made. */
  readonly directory?: string;
}

/** Opens the store as a build would. Disposing removes a directory that took its place. */
export function openStorePlace(root: string, env: Environment): StorePlace {
  const obstacle = obstacleOf(root, env);
  if (obstacle === undefined) return { finding: privacy(root, env), directory: root, [Symbol.dispose]() {} };
  const directory = temporaryDirectory();
  return {
    finding: { name: NAME, state: 'missing', detail: obstacle.message, fix: obstacle.hint },
    directory,
    [Symbol.dispose]() {
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

const NAME = 'store';
const ELSEWHERE = 'Name a directory of your own, with --root DIR or TBUILD_ROOT=DIR';

function obstacleOf(root: string, env: Environment): TbuildError | undefined {
  try {
    makeStore(root, env);
    const { run } = storeLayout(root);
    mkdirSync(run, { recursive: true });
    rmSync(mkdtempSync(join(run, 'probe-')), { recursive: true });
    return undefined;
  } catch (error) {
    if (error instanceof TbuildError) return error;
    const message = `Cannot write to the store ${JSON.stringify(root)} (${errnoName(error) ?? 'error'})`;
    return new TbuildError('USAGE', message, { hint: ELSEWHERE, cause: error });
  }
}

function privacy(root: string, { variables }: Environment): Finding {
  const stats = statSync(root);
  if (!isOpenToOthers(stats)) return { name: NAME, state: 'good', detail: `"${root}", closed to other users` };
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
  const isChosen = (variables.TBUILD_STORE_MODE ?? '') !== '';
  return {
    name: NAME,
    state: 'limited',
    detail: `"${root}" is open to other users (mode ${mode}): they can use files of images in it, including setuid programs`,
    fix: isChosen ? 'Unset TBUILD_STORE_MODE to close it' : ELSEWHERE,
  };
}

function temporaryDirectory(): string | undefined {
  try {
    return mkdtempSync(join(tmpdir(), 'tbuild-doctor-'));
  } catch {
    return undefined;
  }
}
