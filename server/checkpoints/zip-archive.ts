import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { fromBufferPromise, openPromise, type Entry, type ZipFile } from 'yauzl';
import { L2mError } from '../errors.ts';
import type { FileErrorCode } from './tensor-file.ts';

/** Entries an archive may have; the reference's have a few hundred. */
const ENTRY_LIMIT = 100_000;
/** Deflate reaches 1032 : 1 on zeros alone; real arrays stay far below this, a bomb does not. */
const RATIO_LIMIT = 200;
/** Below this many bytes the ratio does not matter. */
const SMALL_BYTES = 16 * 1024 * 1024;

/**
 * A zip archive whose entries are read by name and never written anywhere, so names cannot reach outside a folder. Sizes are checked
 * before anything is read, and the bytes against sizes and CRC while they are.
 */
export interface ZipArchive {
  /** Named in errors. */
  readonly where: string;
  readonly names: readonly string[];
  /** Bytes of an entry once unpacked; undefined if there is none. */
  sizeOf(name: string): number | undefined;
  /**
   * A whole entry in memory of its own.
   * @throws L2mError of the archive's code if it is missing, larger than `limitBytes`, or damaged
   */
  read(name: string, limitBytes: number): Promise<Buffer>;
  /** The bytes of an entry in pieces; the same errors. */
  pieces(name: string): AsyncGenerator<Buffer>;
  close(): void;
}

export interface ZipSource {
  /** A path, or an archive inside another that is in memory. */
  readonly from: string | Buffer;
  readonly where: string;
  readonly code: FileErrorCode;
}

/** @throws L2mError of `code` for anything that is no zip archive, or one with repeated, encrypted or absurdly packed entries */
export async function openZip({ from, where, code }: ZipSource): Promise<ZipArchive> {
  const refused = (got: string, cause?: unknown) =>
    new L2mError(code, `${where}: ${got}`, { hint: ZIP_HINT, ...(cause === undefined ? {} : { cause }) });
  const options = { lazyEntries: true, autoClose: false } as const;
  let zip: ZipFile;
  try {
    zip = await (typeof from === 'string' ? openPromise(from, options) : fromBufferPromise(from, options));
  } catch (cause) {
    throw refused(messageOf(cause), cause);
  }
  try {
    const entries = await entriesOf(zip, refused);
    return archiveOf(zip, { entries, where, refused });
  } catch (cause) {
    zip.close();
    throw cause instanceof L2mError ? cause : refused(messageOf(cause), cause);
  }
}

const ZIP_HINT = 'Import a whole, unencrypted zip archive as the reference writes it.';

type Refusal = (got: string, cause?: unknown) => L2mError;

async function entriesOf(zip: ZipFile, refused: Refusal): Promise<Map<string, Entry>> {
  if (zip.entryCount > ENTRY_LIMIT) throw refused(`${zip.entryCount} entries are more than ${ENTRY_LIMIT}`);
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    const { fileName, compressedSize, uncompressedSize } = entry;
    if (entries.has(fileName)) throw refused(`the entry ${JSON.stringify(fileName)} comes twice`);
    if (!entry.canDecodeFileData())
      throw refused(`the entry ${JSON.stringify(fileName)} is encrypted or packed unusually`);
    if (uncompressedSize > SMALL_BYTES && uncompressedSize > RATIO_LIMIT * compressedSize) {
      throw refused(`${fileName} claims ${uncompressedSize} bytes out of ${compressedSize}`);
    }
    entries.set(fileName, entry);
  }
  return entries;
}

function archiveOf(
  zip: ZipFile,
  { entries, where, refused }: { entries: ReadonlyMap<string, Entry>; where: string; refused: Refusal },
): ZipArchive {
  async function* pieces(name: string): AsyncGenerator<Buffer> {
    const entry = entries.get(name);
    if (entry === undefined) throw refused(`there is no entry ${name}`);
    let sum = 0;
    let stream: Readable | undefined;
    try {
      stream = await zip.openReadStreamPromise(entry);
      for await (const piece of stream as AsyncIterable<Buffer>) {
        sum = crc32(piece, sum);
        yield piece;
      }
    } catch (cause) {
      throw cause instanceof L2mError ? cause : refused(`${name}: ${messageOf(cause)}`, cause);
    } finally {
      stream?.destroy();
    }
    if (sum !== entry.crc32) throw refused(`${name} is damaged: its CRC does not match`);
  }
  return {
    where,
    names: [...entries.keys()],
    sizeOf: (name) => entries.get(name)?.uncompressedSize,
    read: async (name, limitBytes) => {
      const size = entries.get(name)?.uncompressedSize ?? 0;
      if (size > limitBytes) throw refused(`${name} has ${size} bytes, at most ${limitBytes} are read`);
      const parts: Buffer[] = [];
      for await (const piece of pieces(name)) parts.push(piece);
      return Buffer.concat(parts);
    },
    pieces,
    close: () => {
      zip.close();
    },
  };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
