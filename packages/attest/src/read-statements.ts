import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import type { Attestation, Subject } from '@tbuild/exporter';
import { isRecord } from '@tbuild/oci';
import type { LayeredTree } from '@tbuild/snapshot';

/** BuildKit's size limit, in bytes. */
const LARGEST = 40 * 1024 * 1024;

/**
 * Reads the in-toto statements that a scanner wrote, one per file. The statement about the image itself comes first.
 * @throws TbuildError PROCESS_FAILED if there is no file, or one is not a statement.
 */
export function readStatements(tree: LayeredTree, directory: string, scanner: string): readonly Attestation[] {
  const path = directory.replace(/^\/+/, '');
  const files = tree.list(path).filter(({ stats }) => stats.isFile());
  if (files.length === 0) throw refused(scanner, `wrote no files to ${directory}`);
  const found = files.map(({ name, location, stats }) => {
    const file = `${JSON.stringify(scanner)} wrote ${JSON.stringify(posix.join(directory, name))}`;
    if (stats.size > LARGEST) throw refused(scanner, `wrote ${JSON.stringify(name)} of ${stats.size} bytes`);
    return { filename: name, ...parseStatement(readFileSync(location, 'utf8'), file) };
  });
  const isCore = ({ filename }: Attestation): boolean => filename.split('.')[0] === 'sbom';
  return [...found.filter(isCore), ...found.filter((one) => !isCore(one))];
}

function parseStatement(text: string, file: string): Omit<Attestation, 'filename'> {
  const { predicateType, predicate, subject } = parseObject(text, file);
  if (typeof predicateType !== 'string' || predicateType === '' || !isRecord(predicate))
    throw notAStatement(file, 'predicateType or predicate is missing');
  if (predicateType.startsWith('https://slsa.dev/provenance/'))
    throw notAStatement(file, `predicate type ${predicateType} is not allowed for a scanner`);
  const subjects = Array.isArray(subject) ? subject.filter(isSubject) : [];
  return { predicateType, predicate, ...(subjects.length === 0 ? {} : { subject: subjects }) };
}

function parseObject(text: string, file: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw notAStatement(file, 'it is not valid JSON', cause);
  }
  if (isRecord(value)) return value;
  throw notAStatement(file, 'it is not a JSON object');
}

function isSubject(value: unknown): value is Subject {
  return isRecord(value) && typeof value.name === 'string' && isRecord(value.digest);
}

function refused(scanner: string, reason: string): TbuildError {
  return new TbuildError('PROCESS_FAILED', `Scanner ${JSON.stringify(scanner)} ${reason}`, {
    hint: 'Use a scanner that writes SPDX as in-toto statements to $BUILDKIT_SCAN_DESTINATION/NAME.spdx.json',
  });
}

function notAStatement(file: string, reason: string, cause?: unknown): TbuildError {
  return new TbuildError('PROCESS_FAILED', `Scanner ${file}, which is not an in-toto statement: ${reason}`, { cause });
}
