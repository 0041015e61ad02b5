/** What decides how the layer of a copy comes about. */
export interface CopyFacts {
  /** Whether the image has the step's layer. */
  readonly isImageStep: boolean;
  /** Whether nothing needs the step's tree. */
  readonly isLeaf: boolean;
  /** Whether a file that changed since it was keyed has other stats, so that another process can tell. */
  readonly hasStableStat: boolean;
  readonly files: number;
  readonly bytes: number;
  /** How many of the bytes are in files that are too large to be taken from an earlier layer. */
  readonly largeFileBytes: number;
  /** Whether small files come from the layer of an earlier copy. */
  readonly hasEarlierLayer: boolean;
}

export interface Circumstances {
  /** Whether the step's key is known, so that this process has nothing else to do. */
  readonly isKeyed: boolean;
  /** Whether a second process may be started. */
  readonly hasSubprocess: boolean;
  /** Whether an output compresses layers. */
  readonly compresses: boolean;
  /** Whether something reads the uncompressed layer after it was compressed. */
  readonly needsUncompressed: boolean;
  /** Whether a layer would be compressed as soon as its first bytes are there. */
  readonly isIdle: boolean;
}

/** How the layer of a copy comes about. Every way gives the same bytes. */
export interface Strategy {
  readonly makesTree: boolean;
  /** `packed` from the tree when something asks for it, `written` straight from the files, here or in a second process. */
  readonly layer: 'packed' | 'written' | 'written-in-subprocess';
  /** False when the store keeps only the compressed form. */
  readonly keepsUncompressed: boolean;
}

/** The way that always works. */
export const PACK_TREE: Strategy = { makesTree: true, layer: 'packed', keepsUncompressed: true };

/** A process takes longer to start than it takes to write less. */
const LARGE = { files: 1000, bytes: 1 << 24 };

/** Decides whether a second process is worth its start. */
export function isLarge({ files, bytes }: Pick<CopyFacts, 'files' | 'bytes'>): boolean {
  return files >= LARGE.files || bytes >= LARGE.bytes;
}

/** Chooses the fastest way for a copy from one place that unpacks nothing. */
export function chooseStrategy(copy: CopyFacts, circumstances: Circumstances): Strategy {
  if (!copy.isImageStep) return PACK_TREE;
  const { isKeyed, hasSubprocess, compresses, needsUncompressed, isIdle } = circumstances;
  const canShare = hasSubprocess && copy.hasStableStat && isLarge(copy);
  if (!copy.isLeaf) return canShare ? { ...PACK_TREE, layer: 'written-in-subprocess' } : PACK_TREE;
  // A second process pays while this one still reads the files for the key, or compresses what the other writes.
  if (!canShare || (isKeyed && !compresses)) return { makesTree: false, layer: 'written', keepsUncompressed: true };
  return {
    makesTree: false,
    layer: 'written-in-subprocess',
    keepsUncompressed: needsUncompressed || !isIdle || copy.hasEarlierLayer || isShareable(copy),
  };
}

/** Decides whether the next copy would take much of this layer: it reads large files where they are. */
function isShareable({ bytes, largeFileBytes }: CopyFacts): boolean {
  return largeFileBytes < bytes / 2;
}
