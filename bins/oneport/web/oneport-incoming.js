/**
 * Files on their way to this page: put together from the chunks that oneport-files.js describes.
 * Bounded in number and in bytes; what a sender says about a file is checked and tidied.
 *
 * @module
 */

import { RelayError } from './frames.js';
import { Emitter } from './oneport-emitter.js';

const CHUNK_BYTES_MAX = 256 * 1024;
const TRANSFERS_MAX = 16;
const NAME_CHARS_MAX = 200;

/** A sender may be away for the grace time and come back. */
const STALLED_MS_MAX = 60_000;

/** The sender hears of progress after so many parts. */
const CREDIT_PARTS = 16;

/** @typedef {{name: string, type: string, size: number, chunk: number}} About */

/**
 * A file that somebody sends, from its first chunk on. Events: `progress`.
 *
 * @extends {Emitter<{progress: {received: number, size: number}}>}
 */
export class IncomingFile extends Emitter {
  received = 0;
  /** @type {(Uint8Array<ArrayBuffer>|undefined)[]} */ #parts = [];
  /** @type {About} */ #about;
  /** @type {(blob: Blob) => void} */ #resolve = () => {};
  /** @type {(error: RelayError) => void} */ #reject = () => {};
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #stalled;
  isOver = false;

  /** @type {(parts: number) => void} */ #credit;
  #taken = 0;

  /**
   * @param {Readonly<import('./frames.js').Member>} from
   * @param {About} about
   * @param {(parts: number) => void} credit tells the sender how many parts are here
   */
  constructor(from, about, credit) {
    super();
    this.from = from;
    this.#about = about;
    this.#credit = credit;
    /** The whole file; rejects if the transfer breaks. @type {Promise<Blob>} */
    this.blob = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever only watches the progress need not handle the failure as well.
    this.blob.catch(() => {});
    this.#watch();
    credit(0);
    // After the `file` event.
    queueMicrotask(() => this.#finishIfWhole());
  }

  /** As the sender says; without slashes and control characters. May be empty. */
  get name() {
    return this.#about.name;
  }

  /** A media type as the sender says, or empty. */
  get type() {
    return this.#about.type;
  }

  /** In bytes. */
  get size() {
    return this.#about.size;
  }

  /** Takes no more of it. */
  cancel() {
    this.fail('canceled', 'the transfer was given up');
  }

  /** @param {string} code @param {string} message */
  fail(code, message) {
    if (this.isOver) return;
    this.#end();
    this.#reject(new RelayError(code, message));
  }

  /** @param {number} index @param {Uint8Array<ArrayBuffer>} part */
  take(index, part) {
    const { size, chunk: length } = this.#about;
    const expected = Math.min(length, size - index * length);
    if (this.isOver || expected <= 0 || part.length !== expected || this.#parts[index] !== undefined) return;
    this.#parts[index] = part;
    this.received += part.length;
    this.#taken += 1;
    if (this.#taken % CREDIT_PARTS === 0) this.#credit(this.#taken);
    this.#watch();
    this.emit('progress', { received: this.received, size });
    this.#finishIfWhole();
  }

  #finishIfWhole() {
    if (this.isOver || this.received < this.#about.size) return;
    const parts = /** @type {Uint8Array<ArrayBuffer>[]} */ (this.#parts);
    this.#resolve(new Blob(parts, { type: this.#about.type }));
    this.#end();
  }

  #watch() {
    clearTimeout(this.#stalled);
    this.#stalled = setTimeout(() => this.fail('stalled', 'nothing came for a while'), STALLED_MS_MAX);
  }

  #end() {
    this.isOver = true;
    this.#parts = [];
    clearTimeout(this.#stalled);
  }
}

/** The transfers that a room's members send. */
export class IncomingFiles {
  /** @type {Map<string, IncomingFile>} */ #transfers = new Map();
  #bytesMax;

  /** @param {number} bytesMax of all that are under way together */
  constructor(bytesMax) {
    this.#bytesMax = bytesMax;
  }

  /**
   * The first chunk of a file. Gives it back if it is taken; those that are too many or too large are
   * not, and nobody hears of them.
   *
   * @param {string} key
   * @param {Readonly<import('./frames.js').Member>} from
   * @param {Uint8Array} rest
   * @param {(parts: number) => void} credit
   */
  begin(key, from, rest, credit) {
    // Those that have stalled or were canceled by the page are still listed.
    this.fail('', () => false);
    const about = readAbout(rest);
    let bytes = about?.size ?? 0;
    for (const file of this.#transfers.values()) bytes += file.size;
    const isTooMuch = bytes > this.#bytesMax || this.#transfers.size >= TRANSFERS_MAX || this.#transfers.has(key);
    if (about === null || isTooMuch) return null;
    const file = new IncomingFile(from, about, credit);
    if (about.size > 0) this.#transfers.set(key, file);
    return file;
  }

  /** @param {string} key */
  find(key) {
    return this.#transfers.get(key);
  }

  /** Those that this is true of are broken.
   * @param {string} message
   * @param {(file: IncomingFile) => boolean} [isMeant] */
  fail(message, isMeant = () => true) {
    for (const [key, file] of this.#transfers) {
      if (isMeant(file)) file.fail('broken', message);
      if (file.isOver) this.#transfers.delete(key);
    }
  }
}

/** @param {Uint8Array} rest @returns {About|null} */
function readAbout(rest) {
  try {
    const { name, type, size, chunk: length } = JSON.parse(new TextDecoder().decode(rest));
    const isRight = Number.isSafeInteger(size) && size >= 0 && Number.isInteger(length) && length >= 1_024 && length <= CHUNK_BYTES_MAX;
    if (!isRight) return null;
    const isType = typeof type === 'string' && /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(type);
    return { name: typeof name === 'string' ? tidyName(name) : '', type: isType ? type : '', size, chunk: length };
  } catch {
    return null;
  }
}

/** A name that is one: no path, nothing that cannot be seen. @param {string} name */
export function tidyName(name) {
  const last = name.split(/[\\/]/).at(-1) ?? '';
  return last.replace(/[\p{Cc}\p{Cf}]/gu, '').slice(0, NAME_CHARS_MAX);
}
