/**
 * Files on their way to this page: put together from the parts that oneport-files.js describes.
 * Bounded in number and in bytes; what a sender says about a file is checked and tidied. All senders together are
 * granted a window of bytes, which the files share.
 *
 * @module
 */

import { RelayError } from './oneport-frames.js';
import { Emitter } from './oneport-emitter.js';
import { tidyName } from './oneport-parts.js';

const CHUNK_BYTES_MAX = 256 * 1024;
const TRANSFERS_MAX = 16;

/**
 * What may be on its way to this page, of all files together. All receivers of a room share its ring, which holds
 * 4 MiB by default: half of it is for files, and no receiver has more than an eighth of the ring, so that chat waits
 * for one second at 4 Mbit/s. Below the least the files would be slow for all in a large room.
 */
const RING_SHARE_BYTES = 2 * 1024 * 1024;
const WINDOW_BYTES_MAX = 512 * 1024;
const WINDOW_BYTES_MIN = 64 * 1024;

/** A sender may be away for the grace time and come back. */
const STALLED_MS_MAX = 60_000;

/** When no part of any file has come for so long, those that have been granted something and do not send it no longer
 * keep the window from the others. On a slow link the parts of all files come one after the other, so one file alone
 * may be silent for longer. */
const IDLE_MS_MAX = 5_000;

/** The sender is granted more once that is this part of the file's share, so that not every part costs a credit. */
const GRANT_FRACTION = 4;

/** The sender hears from a file that it takes at least so often. */
const CREDIT_MS = 1_000;

/** @typedef {{name: string, type: string, size: number, chunk: number}} About */

/** Replies to the sender: how many parts have arrived and how many it may send in all, or that it must stop.
 * @typedef {{credit: (parts: number, granted: number) => void, decline: (reason: string) => void}} Sender */

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
  /** It was granted what its sender does not send. */
  isOverdue = false;

  /** @type {Sender} */ #sender;
  #isHeard;
  #stopped;
  #taken = 0;
  #granted = 0;
  /** @type {ReturnType<typeof setInterval>|undefined} */ #pulse;

  /**
   * @param {Readonly<import('./oneport-frames.js').Member>} from
   * @param {About} about
   * @param {Sender} sender
   * @param {() => boolean} isHeard whether there is a link, so that a word to the sender does not wait for one
   * @param {() => void} stopped it takes no more parts
   */
  constructor(from, about, sender, isHeard, stopped) {
    super(['progress']);
    this.from = from;
    this.#about = about;
    this.#sender = sender;
    this.#isHeard = isHeard;
    this.#stopped = stopped;
    /** The whole file; rejects if the transfer breaks. @type {Promise<Blob>} */
    this.blob = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever only watches the progress need not handle the failure as well.
    this.blob.catch(() => {});
    this.#watch();
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

  /** False if it does not belong to it. @param {number} index @param {Uint8Array<ArrayBuffer>} part */
  take(index, part) {
    const { size, chunk: length } = this.#about;
    const expected = Math.min(length, size - index * length);
    if (this.isOver || expected <= 0 || part.length !== expected || this.#parts[index] !== undefined) return false;
    this.#parts[index] = part;
    this.received += part.length;
    this.#taken += 1;
    this.isOverdue = false;
    this.#watch();
    // Whole is whole, whatever the page does when it hears of it.
    if (this.received === size) this.credit();
    this.#finishIfWhole();
    this.emit('progress', { received: this.received, size });
    return true;
  }

  /** What was granted and has not come, unless it is overdue. A sender that sends more than it was granted has nothing
   * on the way. */
  get bytesOnTheWay() {
    return this.isOverdue ? 0 : Math.max(0, this.#granted - this.#taken) * this.#about.chunk;
  }

  /**
   * Lets the sender send more, if that is worth a message.
   *
   * @param {number} share bytes that may be on their way here for this file
   * @param {number} free bytes that no file has been granted
   * @returns {number} how many bytes it was granted
   */
  grant(share, free) {
    if (this.isOverdue) return 0;
    const { size, chunk: length } = this.#about;
    const parts = Math.max(1, Math.floor(share / length));
    const upTo = Math.min(Math.ceil(size / length), this.#taken + parts);
    const more = Math.min(upTo - this.#granted, Math.floor(free / length));
    const isWorthIt = more * GRANT_FRACTION >= parts || upTo === Math.ceil(size / length) || this.#granted === this.#taken;
    if (more <= 0 || !isWorthIt) return 0;
    this.#granted += more;
    this.credit();
    return more * length;
  }

  /** Tells the sender how far it is, and again while nothing else is said. */
  credit() {
    clearInterval(this.#pulse);
    this.#sender.credit(this.#taken, this.#granted);
    if (!this.isOver) this.#pulse = setInterval(() => this.#isHeard() && this.#sender.credit(this.#taken, this.#granted), CREDIT_MS);
  }

  #finishIfWhole() {
    if (this.isOver || this.received < this.#about.size) return;
    const parts = /** @type {Uint8Array<ArrayBuffer>[]} */ (this.#parts);
    this.#resolve(new Blob(parts, { type: this.#about.type }));
    this.#stop();
  }

  #watch() {
    clearTimeout(this.#stalled);
    this.#stalled = setTimeout(() => {
      // Nothing can come while the window is taken by other files.
      if (this.#granted === this.#taken) this.#watch();
      else this.fail('stalled', 'nothing came for a while');
    }, STALLED_MS_MAX);
  }

  #stop() {
    this.isOver = true;
    this.#parts = [];
    clearTimeout(this.#stalled);
    clearInterval(this.#pulse);
    this.#stopped();
  }
}

/** The transfers that a room's members send. */
export class IncomingFiles {
  /** @type {Map<string, IncomingFile>} */ #transfers = new Map();
  #bytesMax;
  #place;
  /** @type {ReturnType<typeof setTimeout>|undefined} while files are under way */ #idle;

  /** @param {number} bytesMax of all that are under way together
   * @param {Pick<import('./oneport-files.js').Place, 'isIn'|'others'>} place */
  constructor(bytesMax, place) {
    this.#bytesMax = bytesMax;
    this.#place = place;
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
    const file = new IncomingFile(from, about, sender, this.#place.isIn, () => this.#grant());
    if (about.size > 0) this.#transfers.set(key, file);
    this.#grant();
    if (this.#idle === undefined) this.resume();
    // That it takes the file, even if it must wait.
    if (file.bytesOnTheWay === 0) file.credit();
    return file;
  }

  /** @param {string} key @param {number} index @param {Uint8Array<ArrayBuffer>} part */
  take(key, index, part) {
    if (!this.#transfers.get(key)?.take(index, part)) return;
    this.#grant();
    this.resume();
  }

  /** From now on parts should come. */
  resume() {
    clearTimeout(this.#idle);
    this.#idle = this.#open.length === 0 ? undefined : setTimeout(() => this.#takeBack(), IDLE_MS_MAX);
  }

  /** No part has come for a while: others may send. */
  #takeBack() {
    if (this.#place.isIn()) {
      for (const [, file] of this.#open) file.isOverdue ||= file.bytesOnTheWay > 0;
      this.#grant();
    }
    this.resume();
  }

  get #open() {
    return [...this.#transfers].filter(([, file]) => !file.isOver);
  }

  /** Its sender has given up. @param {string} key */
  cancel(key) {
    this.#transfers.get(key)?.end('canceled', 'the sender has given up');
  }

  /** Shares the window among the files. Whoever was granted something waits until the others had their turn. */
  #grant() {
    const others = Math.max(1, this.#place.others().length);
    const window = Math.min(WINDOW_BYTES_MAX, Math.max(WINDOW_BYTES_MIN, RING_SHARE_BYTES / others));
    const open = this.#open;
    const onTheWay = open.reduce((sum, [, file]) => sum + file.bytesOnTheWay, 0);
    let free = window - onTheWay;
    for (const [key, file] of open) {
      // A part may be larger than the window: then it goes alone.
      const granted = file.grant(window / open.length, onTheWay === 0 && free === window ? Infinity : free);
      if (granted === 0) continue;
      free -= granted;
      this.#transfers.delete(key);
      this.#transfers.set(key, file);
    }
  }

  /** @param {number} size */
  #reasonAgainst(size) {
    if (this.#bytesMax === 0) return 'unwanted';
    if (size > this.#bytesMax) return 'too_large';
    let bytes = size;
    for (const file of this.#transfers.values()) bytes += file.size;
    return bytes > this.#bytesMax || this.#transfers.size >= TRANSFERS_MAX ? 'too_many' : null;
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
