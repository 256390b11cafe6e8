/**
 * Files, or any large payload, in chunks between members. They are binary messages of class
 * `transient` with the topic `oneport.file`, so that they fill neither the history nor the memory of
 * the relay, and only who is there gets them.
 *
 * Each chunk begins with a header of 21 bytes, integers in network byte order:
 *
 * ```text
 *  0      1               17            21
 * +------+--  ...  ------+------------+--   ...   --+
 * | kind | transfer (16) | index (32) |  the rest   |
 * +------+--  ...  ------+------------+--   ...   --+
 * ```
 *
 * - kind 1, begin: the rest is JSON: `{"name", "type", "size", "chunk"}`, both numbers in bytes. Index 0.
 * - kind 2, data: the rest is the part number `index` of the file, `chunk` bytes, the last one what is left.
 * - kind 3, cancel: the sender has given up. Index 0, nothing follows.
 * - kind 4, credit: from a receiver to the sender alone: it has `index` parts. Nothing follows. Sent once
 *   with 0 by whoever takes the file, and then after every 16 parts.
 *
 * `transfer` is random and names the transfer together with the sender's member id. Parts may come in
 * any order and twice. The transfer is complete with the last byte, and broken when the receiver gets a `gap`.
 *
 * The sender has a few chunks under way and adds to them with each `ack` while those come quickly. When
 * they come slowly something queues, and whoever chats would wait behind it: then it has fewer. And it
 * waits for the slowest of those who take the file, so that none of them falls off the relay's ring.
 *
 * @module
 */

import { RelayError, utf8 } from './frames.js';
import { IncomingFiles, tidyName } from './oneport-incoming.js';

export const FILE_TOPIC = 'oneport.file';

const BEGIN = 1;
const DATA = 2;
const CANCEL = 3;
const CREDIT = 4;
const HEADER_BYTES = 21;

/** Small, for a chat message waits for the chunk before it. */
const CHUNK_BYTES = 16 * 1024;

/** Chunks under way. */
const WINDOW_MIN = 2;
const WINDOW_MAX = 32;

/** An answer that takes so much longer than the fastest has waited in a queue. */
const QUEUED_MS = 60;

/** How many parts the slowest receiver may be behind: a quarter of what the ring of a room holds by default. */
const BEHIND_PARTS_MAX = 64;

/** A receiver that does not get on for so long is not waited for. */
const STUCK_MS_MAX = 5_000;

const LOOK_AGAIN_MS = 250;

/**
 * @typedef {object} SendOptions
 * @property {number[]} [to] members; the whole room without it
 * @property {string} [name]
 * @property {(progress: {sent: number, size: number}) => void} [onProgress] after each answer of the relay
 * @property {AbortSignal} [signal] gives up
 */

/**
 * What files need of their room.
 *
 * @typedef {object} Place
 * @property {(data: Uint8Array<ArrayBuffer>, to: number[]|undefined, isBulk: boolean) => Promise<unknown>} publish
 * @property {(id: number) => boolean} isHere whether this member is there and not away
 */

/** The files of a room, in both directions. */
export class Files {
  #place;
  #incoming;
  /** @type {Map<string, Takers>} by transfer */ #outgoing = new Map();

  /** @param {Place} place @param {number} bytesMax of all that are on their way here together */
  constructor(place, bytesMax) {
    this.#place = place;
    this.#incoming = new IncomingFiles(bytesMax);
  }

  /**
   * @param {Blob} blob
   * @param {SendOptions} options
   */
  async send(blob, { to, name = blob instanceof File ? blob.name : '', onProgress, signal }) {
    const transfer = crypto.getRandomValues(new Uint8Array(16));
    const takers = new Takers(this.#place.isHere);
    this.#outgoing.set(transfer.join(), takers);
    const publish = (/** @type {number} */ kind, /** @type {number} */ index, /** @type {Uint8Array} */ rest) =>
      this.#place.publish(chunk(kind, transfer, index, rest), to, true);
    try {
      const about = { name: tidyName(name), type: blob.type, size: blob.size, chunk: CHUNK_BYTES };
      await publish(BEGIN, 0, utf8(JSON.stringify(about)));
      await sendParts((index, part) => publish(DATA, index, part), blob, takers, onProgress, signal);
    } catch (error) {
      publish(CANCEL, 0, new Uint8Array()).catch(() => {});
      throw error;
    } finally {
      this.#outgoing.delete(transfer.join());
    }
  }

  /**
   * A chunk of somebody's. Gives the file back if it is the first of one that is taken.
   *
   * @param {Readonly<import('./frames.js').Member>} from
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  take(from, bytes) {
    if (bytes.length < HEADER_BYTES) return null;
    const transfer = bytes.slice(1, 17);
    const key = `${from.id} ${transfer.join()}`;
    const index = new DataView(bytes.buffer, bytes.byteOffset).getUint32(17);
    const rest = bytes.subarray(HEADER_BYTES);
    if (bytes[0] === BEGIN) return this.#incoming.begin(key, from, rest, (parts) => this.#credit(from.id, transfer, parts));
    if (bytes[0] === DATA) this.#incoming.find(key)?.take(index, rest);
    if (bytes[0] === CANCEL) this.#incoming.find(key)?.fail('canceled', 'the sender has given up');
    if (bytes[0] === CREDIT) this.#outgoing.get(transfer.join())?.credit(from.id, index);
    return null;
  }

  /** Those that this is true of are broken.
   * @param {string} message
   * @param {(file: import('./oneport-incoming.js').IncomingFile) => boolean} [isMeant] */
  fail(message, isMeant) {
    this.#incoming.fail(message, isMeant);
  }

  /** @param {number} to @param {Uint8Array} transfer @param {number} parts */
  #credit(to, transfer, parts) {
    // Who has left needs none.
    this.#place.publish(chunk(CREDIT, transfer, parts, new Uint8Array()), [to], false).catch(() => {});
  }
}

/**
 * @param {(index: number, part: Uint8Array) => Promise<unknown>} publish
 * @param {Blob} blob
 * @param {Takers} takers
 * @param {SendOptions['onProgress']} onProgress
 * @param {AbortSignal|undefined} signal
 */
async function sendParts(publish, blob, takers, onProgress, signal) {
  const pace = new Pace();
  let sent = 0;
  /** @type {unknown} */
  let failure;
  /** @type {Set<Promise<void>>} */
  const underWay = new Set();
  for (let index = 0; index * CHUNK_BYTES < blob.size; index += 1) {
    const part = new Uint8Array(await blob.slice(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES).arrayBuffer());
    while (underWay.size >= pace.window) await Promise.race(underWay);
    while (takers.isBehind(index)) await takers.change();
    if (failure !== undefined || signal?.aborted) break;
    const since = performance.now();
    const done = publish(index, part).then(
      () => {
        pace.answered(performance.now() - since);
        sent += part.length;
        onProgress?.({ sent, size: blob.size });
      },
      (error) => {
        failure ??= error;
      },
    );
    /** @type {Promise<void>} */
    const settled = done.finally(() => underWay.delete(settled));
    underWay.add(settled);
  }
  await Promise.all(underWay);
  if (failure !== undefined) throw failure;
  if (signal?.aborted) throw new RelayError('canceled', 'the transfer was given up');
}

/** Those who take a file, and how far they are. */
class Takers {
  #isHere;
  /** @type {Map<number, {parts: number, at: number}>} */ #takers = new Map();
  #wake = () => {};

  /** @param {(id: number) => boolean} isHere */
  constructor(isHere) {
    this.#isHere = isHere;
  }

  /** @param {number} id @param {number} parts */
  credit(id, parts) {
    const known = this.#takers.get(id)?.parts ?? -1;
    if (parts > known) this.#takers.set(id, { parts, at: Date.now() });
    this.#wake();
  }

  /** Whether somebody cannot have this part yet. @param {number} index */
  isBehind(index) {
    for (const [id, { parts, at }] of this.#takers) {
      const isWaitedFor = this.#isHere(id) && Date.now() - at < STUCK_MS_MAX;
      if (isWaitedFor && index - parts >= BEHIND_PARTS_MAX) return true;
    }
    return false;
  }

  /** Until somebody has got on, or might have gone. @returns {Promise<void>} */
  change() {
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, LOOK_AGAIN_MS);
    });
  }
}

/** How many chunks may be under way: more while answers come as fast as ever, fewer when they queue. */
class Pace {
  window = WINDOW_MIN;
  #fastestMs = Infinity;
  #sinceCut = 0;

  /** @param {number} ms how long the answer took */
  answered(ms) {
    this.#fastestMs = Math.min(this.#fastestMs, ms);
    this.#sinceCut += 1;
    if (ms <= this.#fastestMs + QUEUED_MS) {
      this.window = Math.min(WINDOW_MAX, this.window + 1 / Math.max(1, this.window / 4));
    } else if (this.#sinceCut >= this.window) {
      // Once for all that were under way in the same queue.
      this.window = Math.max(WINDOW_MIN, this.window * 0.6);
      this.#sinceCut = 0;
    }
  }
}

/**
 * @param {number} kind
 * @param {Uint8Array} transfer
 * @param {number} index
 * @param {Uint8Array} rest
 */
function chunk(kind, transfer, index, rest) {
  const bytes = new Uint8Array(HEADER_BYTES + rest.length);
  bytes[0] = kind;
  bytes.set(transfer, 1);
  new DataView(bytes.buffer).setUint32(17, index);
  bytes.set(rest, HEADER_BYTES);
  return bytes;
}
