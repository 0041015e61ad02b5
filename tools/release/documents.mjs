import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  capture,
  koffiPackage,
  lockedPackages,
  manifestOf,
  nodePackage,
  root,
  sourceDateEpoch,
  version,
} from './inputs.mjs';

/** Writes the documents beside the files of a release: SBOMs, provenance, notes and checksums. */
export function writeDocuments(files, destination) {
  const write = (name, text) => {
    writeFileSync(join(destination, name), text);
    return join(destination, name);
  };
  const boms = files.map((file) => write(`${basename(file)}.spdx.json`, print(bomOf(file))));
  const provenance = write(`tbuild-${version}.intoto.json`, print(provenanceOf(files)));
  const notes = write('CHANGELOG.md', changes());
  const all = [...files, ...boms, provenance, notes];
  write(
    'SHA256SUMS',
    all
      .map((file) => `${digestOf(file)}  ${basename(file)}\n`)
      .sort()
      .join(''),
  );
}

function print(document) {
  return `${JSON.stringify(document, null, 2)}\n`;
}

function digestOf(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function isoTime() {
  return new Date(sourceDateEpoch() * 1000).toISOString().replace(/\.\d+/, '');
}

/** The npm packages that the bundle holds, with those that they need, by the lock file. */
function bundledPackages() {
  const locked = lockedPackages();
  const found = new Map();
  const visit = (names, from) => {
    for (const name of names) {
      const path = [`${from}/node_modules/${name}`, `node_modules/${name}`].find((one) => one in locked);
      if (path === undefined || found.has(path)) continue;
      const { link, resolved, dependencies, version: at, license } = locked[path];
      const real = link === true ? locked[resolved] : undefined;
      found.set(path, real === undefined ? { name, version: at, license } : undefined);
      visit(Object.keys(real?.dependencies ?? dependencies ?? {}), real === undefined ? path : resolved);
    }
  };
  visit(Object.keys(manifestOf('packages/cli').dependencies), 'packages/cli');
  return [...found.values()].filter((one) => one !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A document in SPDX 2.3 of the packages in one file of the release. */
function bomOf(file) {
  const name = basename(file);
  const digest = digestOf(file);
  const architecture = /amd64|arm64/.exec(name)?.[0];
  const { license } = manifestOf('packages/cli');
  const inside = name.includes('-api-')
    ? []
    : [
        ...bundledPackages(),
        ...(architecture === undefined ? [] : [nodePackage(architecture), koffiPackage(architecture)]),
      ];
  const own = spdxPackage({ name: 'tbuild', version, license }, 0);
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    documentNamespace: `https://tbuild.example/spdx/${name}-${digest}`,
    creationInfo: { created: isoTime(), creators: [`Tool: tbuild-release-${version}`] },
    packages: [
      { ...own, packageFileName: name, checksums: [{ algorithm: 'SHA256', checksumValue: digest }] },
      ...inside.map((one, at) => spdxPackage(one, at + 1)),
    ],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: own.SPDXID },
      ...inside.map((_, at) => ({
        spdxElementId: own.SPDXID,
        relationshipType: 'CONTAINS',
        relatedSpdxElement: `SPDXRef-Package-${at + 1}`,
      })),
    ],
  };
}

function spdxPackage({ name, version: at, license = 'NOASSERTION' }, number) {
  return {
    name,
    SPDXID: `SPDXRef-Package-${number}`,
    versionInfo: at,
    downloadLocation: 'NOASSERTION',
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: license,
    copyrightText: 'NOASSERTION',
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: `pkg:npm/${name.replace('@', '%40')}@${at}`,
      },
    ],
  };
}

/** SLSA provenance of the whole release: the commit, and what was fetched. It names no time and no machine. */
function provenanceOf(files) {
  const commit = capture('git', ['rev-parse', 'HEAD'], { cwd: root });
  const fetched = ['amd64', 'arm64'].flatMap((one) => [nodePackage(one), koffiPackage(one)]);
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: files.map((file) => ({ name: basename(file), digest: { sha256: digestOf(file) } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://tbuild.example/release/v1',
        externalParameters: { command: 'npm run release', version },
        resolvedDependencies: [
          { uri: manifestOf('.').repository.url, digest: { gitCommit: commit } },
          { uri: 'package-lock.json', digest: { sha256: digestOf(join(root, 'package-lock.json')) } },
          ...fetched.map(({ name, version: at, integrity }) => ({
            uri: `pkg:npm/${name.replace('@', '%40')}@${at}`,
            digest: { sha512: Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex') },
          })),
        ],
      },
      runDetails: { builder: { id: 'https://tbuild.example/release', version: { node: process.version } } },
    },
  };
}

/** The section of this version in the changelog, or what is not released yet. */
function changes() {
  const sections = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').split(/^(?=## )/m);
  const own = sections.find((section) => section.startsWith(`## [${version}]`));
  return own ?? sections.find((section) => section.startsWith('## [Unreleased]')) ?? '';
}
