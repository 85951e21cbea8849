import type { L2mError } from '../errors.ts';
import { invalidCheckpoint } from './manifest.ts';

/**
 * The bytes of a pickle, read from front to back. Every method moves on by what it read, and ends the reading where there is less.
 * All throw L2mError L2M_CHECKPOINT_INVALID with the position and what was found there.
 */
export class PickleBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #where: string;
  #at = 0;

  /** @param where named in errors */
  constructor(bytes: Uint8Array, where: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#where = where;
  }

  /** The next bytes, not copied. */
  take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    if (taken.byteLength < count) throw this.refused('the end of the data');
    this.#at += count;
    return taken;
  }

  /** A little-endian whole number. */
  unsigned(byteCount: 1 | 2 | 4): number {
    const at = this.#at;
    this.take(byteCount);
    if (byteCount === 1) return this.#view.getUint8(at);
    return byteCount === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true);
  }

  /** A little-endian whole number of four bytes. */
  signed(): number {
    const at = this.#at;
    this.take(4);
    return this.#view.getInt32(at, true);
  }

  /** A big-endian double, as BINFLOAT has it. */
  double(): number {
    const at = this.#at;
    this.take(8);
    return this.#view.getFloat64(at);
  }

  /** Whole numbers of up to eight bytes that JavaScript holds exactly. */
  long(): number {
    const bytes = this.take(this.unsigned(1));
    if (bytes.byteLength > 8) throw this.refused(`a whole number of ${bytes.byteLength} bytes`);
    let value = 0n;
    bytes.forEach((byte, i) => (value |= BigInt(byte) << BigInt(8 * i)));
    const signed = Number(BigInt.asIntN(8 * bytes.byteLength, value));
    if (!Number.isSafeInteger(signed)) throw this.refused(`the whole number ${signed}`);
    return signed;
  }

  /** UTF-8 text of so many bytes. */
  text(byteCount: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(this.take(byteCount));
    } catch (cause) {
      throw cause instanceof TypeError ? this.refused('text that is not UTF-8') : cause;
    }
  }

  /** UTF-8 text up to the next line feed, which is left out. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.refused('a name without an end');
    const text = this.text(end - this.#at);
    this.#at++;
    return text;
  }

  /** The error that says what stands here. */
  refused(found: string): L2mError {
    return invalidCheckpoint(this.#where, `at byte ${this.#at} the pickle has ${found}`);
  }
}
