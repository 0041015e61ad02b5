import type { GitIgnored } from '@tbuild/context';
import type { ProgressEvent } from '@tbuild/progress';

/** Tells a user that a context carries what is made, not written. */
export function gitIgnoredWarning({ bytes, files, total, largest }: GitIgnored): ProgressEvent {
  const share = `${formatSize(bytes)} in ${files} of ${total.files} files`;
  const places = largest.map(({ path, bytes: size }) => `${path} (${formatSize(size)})`).join(', ');
  return {
    type: 'warning',
    message: `Most of what was copied from the context is left out by .gitignore: ${share}, above all ${places}; .dockerignore can leave it out too`,
    detail: 'List what the image does not need in .dockerignore',
  };
}

function formatSize(bytes: number): string {
  const unit =
    bytes >= 1e9 ? { size: 1e9, name: 'GB' } : bytes >= 1e6 ? { size: 1e6, name: 'MB' } : { size: 1e3, name: 'kB' };
  return `${(bytes / unit.size).toFixed(1)} ${unit.name}`;
}
