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
 *   with 0 by whoever takes the file, then after every 16 parts, after a second, and when it has all.
 * - kind 5, decline: from a receiver to the sender alone: it does not take the file, or no more of it.
 *   Index 0, the rest is why, in UTF-8: `unwanted` (it takes no files), `too_large`, `too_many` (with others
 *   that are under way; later it may), `bad_file` (what begin says), `canceled`, `broken` (parts are missing)
 *   or `stalled`.
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

import { RelayError, utf8 } from './oneport-frames.js';
import { IncomingFile, IncomingFiles, tidyName } from './oneport-incoming.js';
import { Takers } from './oneport-takers.js';

export const FILE_TOPIC = 'oneport.file';

/** What a page takes, of all files that are on their way to it together, if it does not say otherwise. */
export const FILE_BYTES_MAX = 256 * 1024 * 1024;

const BEGIN = 1;
const DATA = 2;
const CANCEL = 3;
const CREDIT = 4;
const DECLINE = 5;
const HEADER_BYTES = 21;

const REASON_BYTES_MAX = 32;

/** Small, for a chat message waits for the chunk before it. */
const CHUNK_BYTES = 16 * 1024;

/** Chunks under way. */
const WINDOW_MIN = 2;
const WINDOW_MAX = 32;

/** An answer that takes so much longer than the fastest has waited in a queue. */
const QUEUED_MS = 60;

/**
 * @typedef {object} SendOptions
 * @property {number[]} [to] members; the whole room without it
 * @property {string} [name]
 * @property {(progress: {sent: number, received: number, size: number}) => void} [onProgress] in bytes: what
 *   the relay has, and what the slowest of those has who take the file
 * @property {(decline: {member: Readonly<import('./oneport-frames.js').Member>, reason: string}) => void} [onDecline]
 *   somebody does not take it, or no more of it; the reasons are those above
 * @property {AbortSignal} [signal] gives up
 */

/**
 * What files need of their room.
 *
 * @typedef {object} Place
 * @property {(data: Uint8Array<ArrayBuffer>, to: number[]|undefined, isBulk: boolean) => Promise<unknown>} publish
 * @property {(id: number) => boolean} isHere whether this member is there and not away
 * @property {() => number[]} others all members but this one
 * @property {(id: number) => Readonly<import('./oneport-frames.js').Member>} find
 * @property {() => string} epoch
 * @property {(epoch: string) => void} requireEpoch throws if the room has begun anew, with other member ids
 * @property {(declined: Declined) => void} declined this page does not take a file
 */

/**
 * @typedef {object} Declined
 * @property {Readonly<import('./oneport-frames.js').Member>} from
 * @property {'unwanted'|'too_large'|'too_many'|'bad_file'} reason as they are above
 * @property {string} name empty if `bad_file`, as the type
 * @property {string} type
 * @property {number} size
 */

/** @typedef {{takers: Takers, progress: () => void, declined: (id: number, reason: string) => void}} Outgoing */

/** The files of a room, in both directions. */
export class Files {
  #place;
  #incoming;
  /** @type {Map<string, Outgoing>} by transfer */ #outgoing = new Map();

  /** @param {Place} place @param {number} bytesMax of all that are on their way here together */
  constructor(place, bytesMax) {
    this.#place = place;
    this.#incoming = new IncomingFiles(bytesMax);
  }

  /**
   * @param {Blob} blob
   * @param {SendOptions} options
   */
  async send(blob, { to, name = blob instanceof File ? blob.name : '', onProgress, onDecline, signal }) {
    const transfer = crypto.getRandomValues(new Uint8Array(16));
    const takers = new Takers(this.#place.isHere, Math.ceil(blob.size / CHUNK_BYTES));
    let sent = 0;
    const progress = () => onProgress?.({ sent, received: Math.min(takers.slowest * CHUNK_BYTES, blob.size), size: blob.size });
    const declined = (/** @type {number} */ id, /** @type {string} */ reason) => onDecline?.({ member: this.#place.find(id), reason });
    this.#outgoing.set(transfer.join(), { takers, progress, declined });
    const publish = (/** @type {number} */ kind, /** @type {number} */ index, /** @type {Uint8Array} */ rest) =>
      this.#place.publish(chunk(kind, transfer, index, rest), to, true);
    try {
      const about = { name: tidyName(name), type: blob.type, size: blob.size, chunk: CHUNK_BYTES };
      await publish(BEGIN, 0, utf8(JSON.stringify(about)));
      const epoch = this.#place.epoch();
      const others = this.#place.others();
      takers.begin(to?.filter((id) => others.includes(id)) ?? others);
      const send = async (/** @type {number} */ index, /** @type {Uint8Array} */ part) => {
        this.#place.requireEpoch(epoch);
        await publish(DATA, index, part);
        sent += part.length;
        progress();
      };
      await sendParts(send, blob, takers, signal);
      return { delivered: takers.done, declined: takers.declined };
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
   * @param {Readonly<import('./oneport-frames.js').Member>} from
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  take(from, bytes) {
    if (bytes.length < HEADER_BYTES) return null;
    const transfer = bytes.slice(1, 17);
    const key = `${from.id} ${transfer.join()}`;
    const index = new DataView(bytes.buffer, bytes.byteOffset).getUint32(17);
    const rest = bytes.subarray(HEADER_BYTES);
    if (bytes[0] === BEGIN) return this.#begin(key, from, transfer, rest);
    if (bytes[0] === DATA) this.#incoming.find(key)?.take(index, rest);
    if (bytes[0] === CANCEL) this.#incoming.find(key)?.end('canceled', 'the sender has given up');
    const outgoing = this.#outgoing.get(transfer.join());
    if (bytes[0] === CREDIT && outgoing !== undefined) {
      outgoing.takers.credit(from.id, index);
      outgoing.progress();
    }
    if (bytes[0] === DECLINE && outgoing !== undefined) {
      const reason = reasonOf(rest);
      if (outgoing.takers.decline(from.id, reason)) outgoing.declined(from.id, reason);
    }
    return null;
  }

  /**
   * @param {string} key
   * @param {Readonly<import('./oneport-frames.js').Member>} from
   * @param {Uint8Array} transfer
   * @param {Uint8Array} rest
   */
  #begin(key, from, transfer, rest) {
    // Who has left needs no answer.
    const answer = (/** @type {number} */ kind, /** @type {number} */ parts, /** @type {string} */ reason) =>
      void this.#place.publish(chunk(kind, transfer, parts, utf8(reason)), [from.id], false).catch(() => {});
    const sender = {
      credit: (/** @type {number} */ parts) => answer(CREDIT, parts, ''),
      decline: (/** @type {string} */ reason) => answer(DECLINE, 0, reason),
    };
    const begun = this.#incoming.begin(key, from, rest, sender);
    if (begun === null || begun instanceof IncomingFile) return begun;
    sender.decline(begun.reason);
    this.#place.declined(begun);
    return null;
  }

  /** Those that this is true of are broken.
   * @param {string} message
   * @param {(file: import('./oneport-incoming.js').IncomingFile) => boolean} [isMeant] */
  fail(message, isMeant) {
    this.#incoming.fail(message, isMeant);
  }
}

/**
 * @param {(index: number, part: Uint8Array) => Promise<void>} send
 * @param {Blob} blob
 * @param {Takers} takers
 * @param {AbortSignal|undefined} signal
 */
async function sendParts(send, blob, takers, signal) {
  const pace = new Pace();
  /** @type {unknown} */
  let failure;
  /** @type {Set<Promise<void>>} */
  const underWay = new Set();
  for (let index = 0; index * CHUNK_BYTES < blob.size; index += 1) {
    const part = new Uint8Array(await blob.slice(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES).arrayBuffer());
    while (underWay.size >= pace.window) await Promise.race(underWay);
    while (takers.isBehind(index) && !signal?.aborted) await takers.change();
    if (failure !== undefined || signal?.aborted || takers.isDeclined) break;
    const since = performance.now();
    const done = send(index, part).then(
      () => pace.answered(performance.now() - since),
      (error) => {
        failure ??= error;
      },
    );
    /** @type {Promise<void>} */
    const settled = done.finally(() => underWay.delete(settled));
    underWay.add(settled);
  }
  await Promise.all(underWay);
  while (failure === undefined && !signal?.aborted && takers.isAwaited) await takers.change();
  if (failure !== undefined) throw failure;
  if (signal?.aborted) throw new RelayError('canceled', 'the transfer was given up');
  if (takers.isDeclined) throw new RelayError('declined', 'nobody takes the file');
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

/** One word, whatever a receiver says. @param {Uint8Array} rest */
function reasonOf(rest) {
  const reason = new TextDecoder().decode(rest.subarray(0, REASON_BYTES_MAX));
  return /^[a-z_]+$/.test(reason) ? reason : 'unknown';
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
