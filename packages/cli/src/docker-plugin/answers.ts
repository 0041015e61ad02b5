import { arch, release } from 'node:os';
import { formatPlatform } from '@tbuild/oci';
import { thisPlatform } from '../services/create-services.ts';
import { VERSION } from '../startup/version.ts';
import type { PluginCall } from './translate.ts';

/** The version of buildx whose command line this is; tools compare it with the least that they need. */
const BUILDX = 'v0.36.0';

/** Returns what the plug-in prints when it is asked about itself or its builder. */
export function answerOf(kind: Exclude<PluginCall['kind'], 'run' | 'ignored'>, plugin: string): string {
  return ANSWERS[kind](plugin);
}

const ANSWERS: Readonly<Record<Exclude<PluginCall['kind'], 'run' | 'ignored'>, (plugin: string) => string>> = {
  metadata: (plugin) =>
    `${JSON.stringify({
      SchemaVersion: '0.1.0',
      Vendor: 'tbuild',
      Version: plugin === 'buildx' ? `${BUILDX}-tbuild-${VERSION}` : VERSION,
      ShortDescription: 'Build images with tbuild: no daemon, no root',
    })}\n`,
  version: () => `github.com/docker/buildx ${BUILDX} tbuild-${VERSION}\n`,
  ls: () =>
    table([
      ['NAME/NODE', 'DRIVER/ENDPOINT', 'STATUS', 'BUILDKIT', 'PLATFORMS'],
      ['tbuild*', 'tbuild', '', '', ''],
      [' \\_ tbuild', ' \\_ local', 'running', `tbuild-${VERSION}`, formatPlatform(thisPlatform())],
    ]),
  inspect: () =>
    [
      'Name:          tbuild',
      'Driver:        tbuild',
      '',
      'Nodes:',
      'Name:             tbuild',
      'Endpoint:         local',
      'Status:           running',
      `BuildKit version: tbuild-${VERSION}`,
      `Platforms:        ${formatPlatform(thisPlatform())}`,
      '',
    ].join('\n'),
  help: (plugin) =>
    `Usage:  docker ${plugin} COMMAND\n\ntbuild ${VERSION} on Linux ${release()} ${arch()}\n\nCommands:\n  build, bake, imagetools, du, prune, inspect, ls, version\n\nRun "tbuild COMMAND --help" for the options of a command.\n`,
};

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)) + 3);
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('')
          .trimEnd()}\n`,
    )
    .join('');
}
