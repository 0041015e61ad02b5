export {
  isNoFile,
  modifiedAt,
  readText,
  renameIfThere,
  renameOver,
  readWords,
  touch,
  writeAtomically,
} from './atomic-file.ts';
export { countOnce, createDiskUsage, freedBy, sumOf } from './disk-usage.ts';
export type { DiskUsage, LinkedFile, Usage } from './disk-usage.ts';
export { openLock, openLockIfThere, waitFor } from './file-lock.ts';
export type { FileLock } from './file-lock.ts';
export { requireFormat } from './format.ts';
export { storeLayout } from './layout.ts';
export type { StoreLayout } from './layout.ts';
export { acquireLease, afterRemovals, announceRemoval, liveLeases } from './lease.ts';
export type { Lease } from './lease.ts';
export { listDirectory } from './list-directory.ts';
export { isOpenToOthers, protectStore } from './protect-store.ts';
export { encodeNote, readNote, readNoteText, writeNote } from './note.ts';
export type { Note } from './note.ts';
export { removeUnused } from './remove-unused.ts';
export { readSecretKey } from './secret-key.ts';
export { isFull, spaceOf } from './space.ts';
export type { Space } from './space.ts';
export {
  isOfThisBoot,
  needsSync,
  readBoot,
  readSyncMarker,
  unfinishedMarkers,
  writeSyncMarker,
} from './sync-marker.ts';
export { discardUnfinished, emptyTrash, moveToTrash } from './trash.ts';
export { takeTurn } from './turn.ts';
export { withLock } from './with-lock.ts';
export type { HeldLock } from './with-lock.ts';
