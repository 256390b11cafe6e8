/**
 * Files, or any large payload, in parts between members. They are binary messages of class
 * `transient` with the topic `oneport.file`, so that they fill neither the history nor the memory of
 * the relay, and only who is there gets them.
 *
 * Each message begins with a header of 21 bytes, integers in network byte order:
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
 * - kind 4, credit: from a receiver to the sender alone: it has `index` parts. The rest is a 32-bit number, the grant:
 *   the sender may send it so many parts in all, whichever they are. Without the number it is `index` + 32. A receiver
 *   sends a credit as soon as it takes the file, when it grants more, when it has all parts, and otherwise once a
 *   second: that shows that it is there.
 * - kind 5, decline: from a receiver to the sender alone: it does not take the file, or no more of it.
 *   Index 0, the rest is why, in UTF-8: `unwanted` (it takes no files), `too_large`, `too_many` (with others
 *   that are under way; later it may), `bad_file` (what begin says), `canceled`, `broken` (parts are missing)
 *   or `stalled`.
 *
 * `transfer` is random and names the transfer together with the sender's member id. Parts may come in
 * any order and twice. The transfer is complete with the last byte, and broken when the receiver gets a `gap`.
 *
 * The begin goes to all that the file is for. The parts go only to the members that have answered with a credit, so
 * who takes no files does not get them, and none goes before the first credit or beyond the grant. A receiver grants
 * all its senders together no more than a small part of what the ring of a room holds. So however many files come at
 * once, and however slow its link is, it does not fall off the ring. A sender that does not send what it was granted
 * keeps the others waiting for a few seconds.
 *
 * @module
 */

import { badArgument, blobOf, fileNameOf, functionOf, optionsOf, recipientsOf, signalOf } from './oneport-arguments.js';
import { RelayError, utf8 } from './oneport-frames.js';
import { IncomingFile, IncomingFiles } from './oneport-incoming.js';
import { OutgoingFile } from './oneport-outgoing.js';
import { BEGIN, CANCEL, CREDIT, DATA, DECLINE, chunk, grant, readChunk, readGrant, readReason, tidyName } from './oneport-parts.js';

export const FILE_TOPIC = 'oneport.file';

/** What a page takes, of all files that are on their way to it together, if it does not say otherwise. */
export const FILE_BYTES_MAX = 256 * 1024 * 1024;

/**
 * `null` means the same as no value.
 *
 * @typedef {object} SendOptions
 * @property {number[]} [to] members; the whole room without it
 * @property {string} [name] by default that of a File. Only the last part of a path is sent
 * @property {(progress: {sent: number, received: number, size: number}) => void} [onProgress] in bytes: what
 *   the relay has, and what the slowest of those has who take the file
 * @property {(decline: {member: Readonly<import('./oneport-frames.js').Member>, reason: string}) => void} [onDecline]
 *   somebody does not take it, or no more of it; the reasons are those above
 * @property {AbortSignal} [signal] gives up
 */

/**
 * @typedef {object} Outcome
 * @property {number[]} delivered member ids
 * @property {number[]} declined member ids
 * @property {{member: Readonly<import('./oneport-frames.js').Member>, reason: string}[]} missed
 */

/**
 * What files need of their room.
 *
 * @typedef {object} Place
 * @property {(data: Uint8Array<ArrayBuffer>, to: number[]|undefined, isBulk: boolean) => Promise<unknown>} publish
 * @property {() => boolean} isIn whether there is a link, so that others can be heard
 * @property {() => void} requireIn throws if the room was left
 * @property {(id: number) => boolean} isMember whether this member is in the room, there or away
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

/** The files of a room, in both directions. */
export class Files {
  #place;
  #incoming;
  /** @type {Map<string, OutgoingFile>} by transfer */ #outgoing = new Map();

  /** @param {Place} place @param {number} bytesMax of all that are on their way here together */
  constructor(place, bytesMax) {
    this.#place = place;
    this.#incoming = new IncomingFiles(bytesMax, place);
  }

  /**
   * @param {unknown} file
   * @param {SendOptions|null|undefined} given
   * @returns {Promise<Outcome>}
   */
  async send(file, given) {
    const blob = blobOf(file);
    const { name = fileNameOf(blob), signal, ...options } = readOptions(given);
    if (signal?.aborted) throw canceled();
    const outgoing = new OutgoingFile(this.#place, blob, options);
    const { key } = outgoing;
    this.#outgoing.set(key, outgoing);
    // A part may wait for a link; whoever gives up does not.
    const stopped = new AbortController();
    const aborted = new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(canceled()), { once: true, signal: stopped.signal });
    });
    aborted.catch((error) => outgoing.fail(error));
    try {
      const sent = outgoing.send(tidyName(name));
      return /** @type {Outcome} */ (await Promise.race([sent, aborted]));
    } finally {
      stopped.abort();
      this.#outgoing.delete(key);
    }
  }

  /**
   * A message with this topic. Gives the file back if it is the first part of one that is taken.
   *
   * @param {Readonly<import('./oneport-frames.js').Member>} from
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  take(from, bytes) {
    const read = readChunk(bytes);
    if (read === null) return null;
    const { kind, transfer, index, rest } = read;
    const key = `${from.id} ${transfer.join()}`;
    if (kind === BEGIN) return this.#begin(key, from, transfer, rest);
    if (kind === DATA) this.#incoming.take(key, index, rest);
    if (kind === CANCEL) this.#incoming.cancel(key);
    const outgoing = this.#outgoing.get(transfer.join());
    if (outgoing?.isFor(from.id)) {
      if (kind === CREDIT) outgoing.credit(from.id, index, readGrant(index, rest));
      if (kind === DECLINE) outgoing.decline(from.id, readReason(rest));
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
    const answer = (/** @type {number} */ kind, /** @type {number} */ parts, /** @type {Uint8Array} */ more) =>
      void this.#place.publish(chunk(kind, transfer, parts, more), [from.id], false).catch(() => {});
    const sender = {
      credit: (/** @type {number} */ parts, /** @type {number} */ granted) => answer(CREDIT, parts, grant(granted)),
      decline: (/** @type {string} */ reason) => answer(DECLINE, 0, utf8(reason)),
    };
    const begun = this.#incoming.begin(key, from, rest, sender);
    if (begun === null || begun instanceof IncomingFile) return begun;
    sender.decline(begun.reason);
    this.#place.declined(begun);
    return null;
  }

  /** Back in the room after a lost link. @param {boolean} recovered whether the session has lived on */
  resume(recovered) {
    this.#incoming.resume();
    for (const outgoing of this.#outgoing.values()) {
      if (recovered) outgoing.excuse();
      else outgoing.fail(new RelayError('unconfirmed', 'the session was lost, and the transfer with it'));
    }
  }

  /** Those that this is true of are broken.
   * @param {string} message
   * @param {(file: import('./oneport-incoming.js').IncomingFile) => boolean} [isMeant] */
  fail(message, isMeant) {
    this.#incoming.fail(message, isMeant);
  }
}

function canceled() {
  return new RelayError('canceled', 'the transfer was given up');
}

/** @param {SendOptions|null|undefined} given */
function readOptions(given) {
  const { to, name, onProgress, onDecline, signal } = optionsOf(given, ['to', 'name', 'onProgress', 'onDecline', 'signal']);
  if (name !== undefined && name !== null && typeof name !== 'string') badArgument('the name of a file is a string');
  return {
    to: recipientsOf(to),
    name: name ?? undefined,
    onProgress: functionOf(onProgress, 'onProgress'),
    onDecline: functionOf(onDecline, 'onDecline'),
    signal: signalOf(signal),
  };
}
