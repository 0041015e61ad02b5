/** The facts about a copy that decide how to make its layer. */
export interface CopyFacts {
  /** Whether the layer is part of an image. */
  readonly isImageStep: boolean;
  /** Whether no other step needs the tree. */
  readonly isLeaf: boolean;
  /** Whether any later change to a file will show in its stats, so that another process can detect it. */
  readonly hasStableStat: boolean;
  readonly files: number;
  readonly bytes: number;
  /** The bytes in files that are too large to take from an earlier layer. */
  readonly largeFileBytes: number;
  /** Whether small files come from the layer of an earlier copy. */
  readonly hasEarlierLayer: boolean;
}

export interface Circumstances {
  /** Whether the step's key is known, so that this process is otherwise idle. */
  readonly isKeyed: boolean;
  /** Whether a second process may be started. */
  readonly hasSubprocess: boolean;
  /** Whether an output compresses layers. */
  readonly compresses: boolean;
  /** Whether something reads the uncompressed layer after compression. */
  readonly needsUncompressed: boolean;
  /** Whether compression of the layer would start with its first bytes. */
  readonly isIdle: boolean;
}

/** How to make the layer of a copy. Every strategy gives the same bytes. */
export interface Strategy {
  readonly makesTree: boolean;
  /** `packed` from the tree on request, or `written` from the files, here or in a second process. */
  readonly layer: 'packed' | 'written' | 'written-in-subprocess';
  /** False to store only the compressed form. */
  readonly keepsUncompressed: boolean;
}

/** The strategy that always works. */
export const PACK_TREE: Strategy = { makesTree: true, layer: 'packed', keepsUncompressed: true };

/** Writing less than this is faster than starting a process. */
const LARGE = { files: 1000, bytes: 1 << 24 };

/** Decides whether a copy is worth a second process. */
export function isLargeCopy({ files, bytes }: Pick<CopyFacts, 'files' | 'bytes'>): boolean {
  return files >= LARGE.files || bytes >= LARGE.bytes;
}

/** Chooses the fastest strategy for a copy from one source that does not unpack archives. */
export function chooseStrategy(copy: CopyFacts, circumstances: Circumstances): Strategy {
  if (!copy.isImageStep) return PACK_TREE;
  const { isKeyed, hasSubprocess, compresses, needsUncompressed, isIdle } = circumstances;
  const canShare = hasSubprocess && copy.hasStableStat && isLargeCopy(copy);
  if (!copy.isLeaf) return canShare ? { ...PACK_TREE, layer: 'written-in-subprocess' } : PACK_TREE;
  // A second process pays off while this one still reads the files for the key, or compresses the output.
  if (!canShare || (isKeyed && !compresses)) return { makesTree: false, layer: 'written', keepsUncompressed: true };
  return {
    makesTree: false,
    layer: 'written-in-subprocess',
    keepsUncompressed: needsUncompressed || !isIdle || copy.hasEarlierLayer || isShareable(copy),
  };
}

/** Decides whether the next copy would take much of this layer. It reads large files from the context. */
function isShareable({ bytes, largeFileBytes }: CopyFacts): boolean {
  return largeFileBytes < bytes / 2;
}
