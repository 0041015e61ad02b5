import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');
export const { version } = manifestOf('packages/cli');

/** Architectures by Debian's names, and what npm and Node call them. */
export const architectures = { amd64: 'x64', arm64: 'arm64' };

/** The Node that executables carry: the newest with long-term support. */
const NODE = {
  version: '24.21.0',
  integrity: {
    amd64: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    arm64: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
};

export function manifestOf(directory) {
  return JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8'));
}

/** The time of everything in a release: that of the commit, so that two runs give the same bytes. */
export function sourceDateEpoch() {
  const given = process.env.SOURCE_DATE_EPOCH;
  return Number(given || capture('git', ['log', '-1', '--format=%ct'], { cwd: root }));
}

/** The packages that an executable for an architecture is made from: name, version, and digest. */
export function nodePackage(architecture) {
  return {
    name: `node-linux-${architectures[architecture]}`,
    version: NODE.version,
    integrity: NODE.integrity[architecture],
  };
}

export function koffiPackage(architecture) {
  const name = `@koromix/koffi-linux-${architectures[architecture]}`;
  const { version: wanted, integrity } = lockedPackages()[`node_modules/${name}`];
  return { name, version: wanted, integrity };
}

export function lockedPackages() {
  return JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
}

/** Returns the directory of an npm package, fetched once and checked against its digest. */
export function fetchPackage({ name, version: wanted, integrity }) {
  const cache = join(root, '.cache/release');
  const directory = join(cache, `${name.replace('/', '+')}-${wanted}`);
  if (existsSync(directory)) return join(directory, 'package');
  mkdirSync(cache, { recursive: true });
  const fetched = mkdtempSync(join(cache, 'fetch-'));
  try {
    const file = capture('npm', ['pack', '--silent', '--pack-destination', fetched, `${name}@${wanted}`])
      .split('\n')
      .at(-1);
    const digest = `sha512-${createHash('sha512')
      .update(readFileSync(join(fetched, file)))
      .digest('base64')}`;
    if (digest !== integrity) throw new Error(`${name}@${wanted} has the digest ${digest}, expected ${integrity}`);
    run('tar', ['-xzf', file], { cwd: fetched });
    rmSync(join(fetched, file));
    renameSync(fetched, directory);
  } finally {
    rmSync(fetched, { recursive: true, force: true });
  }
  return join(directory, 'package');
}

/** Calls a function with a directory that is removed afterwards. */
export async function withDirectory(work) {
  const directory = mkdtempSync(join(tmpdir(), 'tbuild-release-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export function run(program, args, options = {}) {
  const { status, signal, error, stderr } = spawnSync(program, args, {
    stdio: ['ignore', 'inherit', 'pipe'],
    ...options,
  });
  if (status !== 0)
    throw error ?? new Error(`${program} ${args.join(' ')} ended with ${signal ?? status}\n${stderr ?? ''}`);
}

export function capture(program, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  });
  if (status !== 0) throw error ?? new Error(`${program} ${args.join(' ')} failed\n${stderr}`);
  return stdout.trim();
}
