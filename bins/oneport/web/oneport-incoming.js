/**
 * Files on their way to this page: put together from the chunks that oneport-files.js describes.
 * Bounded in number and in bytes; what a sender says about a file is checked and tidied.
 *
 * @module
 */

import { RelayError } from './oneport-frames.js';
import { Emitter } from './oneport-emitter.js';

const CHUNK_BYTES_MAX = 256 * 1024;
const TRANSFERS_MAX = 16;
const NAME_CHARS_MAX = 200;

/** A sender may be away for the grace time and come back. */
const STALLED_MS_MAX = 60_000;

/** The sender hears of progress after so many parts, or so long. */
const CREDIT_PARTS = 16;
const CREDIT_MS = 1_000;

/** @typedef {{name: string, type: string, size: number, chunk: number}} About */

/** What the sender is told: how many parts are here, or that no more are wanted.
 * @typedef {{credit: (parts: number) => void, decline: (reason: string) => void}} Sender */

/**
 * A file that somebody sends, from its first chunk on. Events: `progress`.
 *
 * @extends {Emitter<{progress: {received: number, size: number}}>}
 */
export class IncomingFile extends Emitter {
  /** Member ids, if it is not for the whole room. @type {number[]|null} */
  to = null;
  received = 0;
  /** @type {(Uint8Array<ArrayBuffer>|undefined)[]} */ #parts = [];
  /** @type {About} */ #about;
  /** @type {(blob: Blob) => void} */ #resolve = () => {};
  /** @type {(error: RelayError) => void} */ #reject = () => {};
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #stalled;
  isOver = false;

  /** @type {Sender} */ #sender;
  #taken = 0;
  #creditedAt = 0;

  /**
   * @param {Readonly<import('./oneport-frames.js').Member>} from
   * @param {About} about
   * @param {Sender} sender
   */
  constructor(from, about, sender) {
    super();
    this.from = from;
    this.#about = about;
    this.#sender = sender;
    /** The whole file; rejects if the transfer breaks. @type {Promise<Blob>} */
    this.blob = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever only watches the progress need not handle the failure as well.
    this.blob.catch(() => {});
    this.#watch();
    this.#credit();
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

  /** Takes no more of it; the sender is told. */
  cancel() {
    this.fail('canceled', 'the transfer was given up');
  }

  /** It is over on this side, and the sender is told. @param {string} code @param {string} message */
  fail(code, message) {
    if (this.isOver) return;
    this.#sender.decline(code);
    this.end(code, message);
  }

  /** @param {string} code @param {string} message */
  end(code, message) {
    if (this.isOver) return;
    this.#stop();
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
    this.#watch();
    // Whole is whole, whatever the page does when it hears of it.
    this.#finishIfWhole();
    const isDue = this.#taken % CREDIT_PARTS === 0 || Date.now() - this.#creditedAt >= CREDIT_MS;
    if (isDue || this.received === size) this.#credit();
    this.emit('progress', { received: this.received, size });
  }

  #credit() {
    this.#creditedAt = Date.now();
    this.#sender.credit(this.#taken);
  }

  #finishIfWhole() {
    if (this.isOver || this.received < this.#about.size) return;
    const parts = /** @type {Uint8Array<ArrayBuffer>[]} */ (this.#parts);
    this.#resolve(new Blob(parts, { type: this.#about.type }));
    this.#stop();
  }

  #watch() {
    clearTimeout(this.#stalled);
    this.#stalled = setTimeout(() => this.fail('stalled', 'nothing came for a while'), STALLED_MS_MAX);
  }

  #stop() {
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
   * The first chunk of a file. Gives the file back if it is taken, or else what it is and why it is not;
   * null if this is known.
   *
   * @param {string} key
   * @param {Readonly<import('./oneport-frames.js').Member>} from
   * @param {Uint8Array} rest
   * @param {Sender} sender
   * @returns {IncomingFile|import('./oneport-files.js').Declined|null}
   */
  begin(key, from, rest, sender) {
    // Those that have stalled or were canceled by the page are still listed.
    this.fail('', () => false);
    if (this.#transfers.has(key)) return null;
    const about = readAbout(rest);
    if (about === null) return { from, reason: 'bad_file', name: '', type: '', size: 0 };
    const reason = this.#reasonAgainst(about.size);
    if (reason !== null) return { from, reason, name: about.name, type: about.type, size: about.size };
    const file = new IncomingFile(from, about, sender);
    if (about.size > 0) this.#transfers.set(key, file);
    return file;
  }

  /** @param {number} size */
  #reasonAgainst(size) {
    if (this.#bytesMax === 0) return 'unwanted';
    if (size > this.#bytesMax) return 'too_large';
    let bytes = size;
    for (const file of this.#transfers.values()) bytes += file.size;
    return bytes > this.#bytesMax || this.#transfers.size >= TRANSFERS_MAX ? 'too_many' : null;
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
