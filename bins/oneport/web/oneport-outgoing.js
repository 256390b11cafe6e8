/**
 * A file of this page on its way to those who take it (oneport-files.js describes the parts).
 *
 * The sender offers the file and sends parts only to those who have answered, as many as each of them has granted. It
 * goes by the slowest of them. It has a few parts under way and adds to them with each `ack` while those come
 * quickly. When they come slowly something queues, and chat messages would wait behind it: then it has fewer.
 *
 * @module
 */

import { call } from './oneport-arguments.js';
import { RelayError, utf8 } from './oneport-frames.js';
import { BEGIN, CANCEL, DATA, chunk } from './oneport-parts.js';
import { Takers } from './oneport-takers.js';

/** Small, for a chat message waits for the part before it. */
const PART_BYTES = 16 * 1024;

/** A message for more members than this goes to the whole room. */
const RECIPIENTS_MAX = 64;

/** So often a part is sent again without those who have left, a quarter of a second apart. */
const ATTEMPTS_MAX = 20;

/** Parts under way. */
const WINDOW_MIN = 2;
const WINDOW_MAX = 32;

/** An answer that takes so much longer than the fastest has waited in a queue. */
const QUEUED_MS = 60;

/** @typedef {import('./oneport-files.js').Place} Place */

export class OutgoingFile {
  #place;
  #blob;
  #options;
  #takers;
  #transfer = crypto.getRandomValues(new Uint8Array(16));
  #pace = new Pace();
  /** @type {Set<Promise<void>>} */ #underWay = new Set();
  #epoch = '';
  #parts;
  #sent = 0;
  #received = 0;
  /** @type {RelayError|null} */ #failure = null;

  /**
   * @param {Place} place
   * @param {Blob} blob
   * @param {import('./oneport-files.js').SendOptions} options
   */
  constructor(place, blob, options) {
    this.#place = place;
    this.#blob = blob;
    this.#options = options;
    this.#parts = Math.ceil(blob.size / PART_BYTES);
    this.#takers = new Takers(place.isMember, this.#parts);
  }

  get key() {
    return this.#transfer.join();
  }

  /** @param {string} name @returns {Promise<import('./oneport-files.js').Outcome>} */
  async send(name) {
    this.#epoch = this.#place.epoch();
    try {
      const about = { name, type: this.#blob.type, size: this.#blob.size, chunk: PART_BYTES };
      await this.#publish(BEGIN, 0, utf8(JSON.stringify(about)), this.#options.to);
      this.#epoch = this.#place.epoch();
      const others = this.#place.others();
      this.#takers.begin(this.#options.to?.filter((id) => others.includes(id)) ?? others);
      await this.#sendParts();
    } catch (error) {
      this.#cancel(this.#options.to?.filter(this.#place.isMember));
      throw error;
    }
    const { done, declined, missed, isDeclined } = this.#takers;
    if (missed.length > 0) this.#cancel(missed.map(([id]) => id).filter(this.#place.isMember));
    if (isDeclined) throw new RelayError('declined', 'nobody takes the file');
    return { delivered: done, declined, missed: missed.map(([id, reason]) => ({ member: this.#place.find(id), reason })) };
  }

  /** Whether this member may have a say in it. @param {number} id */
  isFor(id) {
    return this.#options.to?.includes(id) ?? true;
  }

  /** @param {number} id @param {number} parts @param {number} granted */
  credit(id, parts, granted) {
    this.#takers.credit(id, parts, granted);
    this.#tellProgress();
  }

  /** @param {number} id @param {string} reason */
  decline(id, reason) {
    if (this.#takers.drop(id, reason)) call(this.#options.onDecline, { member: this.#place.find(id), reason });
  }

  /** Receivers could not be heard for a while. */
  excuse() {
    this.#takers.excuse();
  }

  /** Ends it on this side. @param {RelayError} error */
  fail(error) {
    this.#failure ??= error;
    this.#takers.wake();
  }

  async #sendParts() {
    /** @type {Uint8Array|null} */
    let part = null;
    for (let index = 0; await this.#isUnfinished(); ) {
      const at = index * PART_BYTES;
      part ??= await this.#read(at);
      while (this.#underWay.size >= this.#pace.window) await Promise.race(this.#underWay);
      const to = this.#takers.next;
      if (to.length === 0) {
        await this.#takers.change();
        continue;
      }
      this.#takers.sent(to);
      this.#track(this.#deliver(index, part, to));
      index = (index + 1) % this.#parts;
      part = null;
    }
    await Promise.all(this.#underWay);
    this.#check();
  }

  async #isUnfinished() {
    this.#check();
    if (this.#place.isIn()) this.#takers.prune((id) => this.#place.find(id).away === true);
    return this.#takers.isAwaited;
  }

  #check() {
    this.#place.requireIn();
    this.#place.requireEpoch(this.#epoch);
    if (this.#failure !== null) throw this.#failure;
  }

  /** @param {number} at @returns {Promise<Uint8Array>} */
  async #read(at) {
    try {
      return new Uint8Array(await this.#blob.slice(at, at + PART_BYTES).arrayBuffer());
    } catch {
      throw new RelayError('unreadable_file', 'the file could not be read');
    }
  }

  /** To those of them who are still there. @param {number} index @param {Uint8Array} part @param {number[]} ids */
  async #deliver(index, part, ids) {
    let to = ids;
    for (let attempts = 1; to.length > 0; attempts += 1) {
      try {
        await this.#publish(DATA, index, part, to.length > RECIPIENTS_MAX ? undefined : to);
        this.#sent += part.length;
        this.#tellProgress();
        return;
      } catch (error) {
        this.#check();
        if (!(error instanceof RelayError) || error.code !== 'no_such_member' || attempts >= ATTEMPTS_MAX) throw error;
        // The error may come before the presence that says who has left.
        if (error.member !== undefined) this.#takers.drop(error.member, 'left');
        else await this.#takers.change();
        to = to.filter((id) => id !== error.member && this.#place.isMember(id));
      }
    }
  }

  /** @param {Promise<void>} delivery */
  #track(delivery) {
    const since = performance.now();
    /** @type {Promise<void>} */
    const settled = delivery
      .then(() => this.#pace.answered(performance.now() - since), (error) => this.fail(error))
      .finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
  }

  #tellProgress() {
    const { size } = this.#blob;
    const sent = Math.min(this.#sent, size);
    // Somebody who takes it later has less, but no progress is taken back.
    this.#received = Math.max(this.#received, Math.min(this.#takers.slowest * PART_BYTES, sent));
    call(this.#options.onProgress, { sent, received: this.#received, size });
  }

  /** @param {number} kind @param {number} index @param {Uint8Array} rest @param {number[]|undefined} to */
  #publish(kind, index, rest, to) {
    return this.#place.publish(chunk(kind, this.#transfer, index, rest), to, true);
  }

  /** @param {number[]|undefined} to */
  #cancel(to) {
    // In another epoch the ids are those of others.
    if (to?.length === 0 || this.#epoch !== this.#place.epoch()) return;
    this.#publish(CANCEL, 0, new Uint8Array(), to !== undefined && to.length > RECIPIENTS_MAX ? undefined : to).catch(() => {});
  }
}

/** How many parts may be under way: more while answers come as fast as ever, fewer when they queue. */
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
