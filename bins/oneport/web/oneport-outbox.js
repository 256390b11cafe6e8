/**
 * What the session has to say, in its order, until it is answered. Everything in it is said again
 * over the next link if no answer came over this one, with the same id, so that the relay does it once.
 *
 * It keeps to the limits of `welcome` by itself. What the relay refuses with `rate` waits and is said
 * again; only then may something later overtake it.
 *
 * @module
 */

import { RelayError } from './oneport-frames.js';

/**
 * @typedef {object} Request
 * @property {string} id
 * @property {string} room
 * @property {string} kind the frame's type
 * @property {string|Uint8Array<ArrayBuffer>} data the frame
 * @property {number} bytes
 * @property {boolean} [isBulk] waits until it costs no chat anything
 * @property {boolean} [isAddressed] names members, and so means something only in this epoch
 * @property {(answer: any) => void} resolve
 * @property {(error: RelayError) => void} reject
 * @property {number} order set by the outbox
 * @property {number} first set by the outbox: its place among all that were handed to a link; 0 before that
 */

/** How much may wait. A page that writes on while it is away must hear of it. */
const WAITING_MAX = 1_000;
const WAITING_BYTES_MAX = 16 * 1024 * 1024;

/** Bulk goes only while so much of the rate is left for the rest. */
const RESERVE = 0.25;

/** Bulk has at most so many frames without an answer. */
const BULK_UNANSWERED_MAX = 64;

export class Outbox {
  #transmit;
  #isReady;
  /** @type {Request[]} */ #waiting = [];
  /** @type {Request[]} */ #waitingBulk = [];
  /** @type {Map<string, Request>} */ #unanswered = new Map();
  #orders = 0;
  #count = 0;
  #bytes = 0;
  #unansweredMax = 1;
  /** How many were ever handed to a link. */
  #sent = 0;
  /** No more may be handed to a link for the first time, until the oldest without an answer is answered. */
  #sentMax = Infinity;
  /** @type {Budget} */ #frames = new Budget(1);
  /** @type {Budget} */ #octets = new Budget(1);
  #pausedUntil = 0;
  /** In how many milliseconds more may be said, as far as the rate is concerned. */
  #wakeMs = Infinity;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;

  /**
   * @param {(data: string|Uint8Array<ArrayBuffer>) => boolean} transmit false if the link is full
   * @param {(room: string, kind: string) => boolean} isReady whether this may be said in the room now
   */
  constructor(transmit, isReady) {
    this.#transmit = transmit;
    this.#isReady = isReady;
  }

  /** @param {import('./oneport-frames.js').Limits} limits */
  set limits({ publish_ids, frames_per_s, bytes_per_s }) {
    this.#unansweredMax = Math.max(1, Math.min(publish_ids, 1_000));
    this.#frames = new Budget(frames_per_s);
    this.#octets = new Budget(bytes_per_s);
    this.#pausedUntil = 0;
  }

  /** @param {Omit<Request, 'order'|'first'>} request */
  add(request) {
    if (this.#count >= WAITING_MAX || this.#bytes + request.bytes > WAITING_BYTES_MAX) {
      request.reject(new RelayError('queue_full', 'too much is waiting to be sent'));
      return;
    }
    this.#count += 1;
    this.#bytes += request.bytes;
    this.#orders += 1;
    this.#line(request).push({ ...request, order: this.#orders, first: 0 });
    this.pump();
  }

  /** Says as much as may be said now. */
  pump() {
    clearTimeout(this.#timer);
    this.#wakeMs = this.#pausedUntil - Date.now();
    if (this.#wakeMs <= 0) {
      this.#wakeMs = Infinity;
      this.#sentMax = this.#oldest() - 1 + this.#unansweredMax;
      this.#waiting = this.#sayAll(this.#waiting, 0);
      this.#waitingBulk = this.#sayAll(this.#waitingBulk, RESERVE);
    }
    if (this.#wakeMs < Infinity) this.#timer = setTimeout(() => this.pump(), this.#wakeMs);
  }

  /**
   * Says what it can of a line and gives back the rest.
   * @param {Request[]} line
   * @param {number} reserve
   */
  #sayAll(line, reserve) {
    /** @type {Request[]} */
    const held = [];
    for (const [index, request] of line.entries()) {
      // Under one id only one waits for the answer.
      const isReady = this.#isReady(request.room, request.kind) && !this.#unanswered.has(request.id) && this.#isInWindow(request);
      if (!isReady) held.push(request);
      else if (!this.#say(request, reserve)) return [...held, ...line.slice(index)];
    }
    return held;
  }

  /**
   * @param {Request} request
   * @param {number} reserve
   */
  #say(request, reserve) {
    const wait = Math.max(this.#frames.wait(1, reserve), this.#octets.wait(request.bytes, reserve));
    if (wait > 0) {
      this.#wakeMs = Math.min(this.#wakeMs, wait);
      return false;
    }
    if (!this.#transmit(request.data)) return false;
    this.#frames.spend(1);
    this.#octets.spend(request.bytes);
    if (request.first === 0) {
      this.#sent += 1;
      request.first = this.#sent;
      this.#sentMax = Math.min(this.#sentMax, this.#sent - 1 + this.#unansweredMax);
    }
    this.#unanswered.set(request.id, request);
    return true;
  }

  /** Whether the relay will still know all that are without an answer. It remembers so many, and takes one that it has
   * forgotten for a new message; one that waits to be said again may have been taken before all that were said since,
   * answered or not.
   * @param {Request} request */
  #isInWindow({ first, isBulk }) {
    const unansweredMax = isBulk ? Math.min(BULK_UNANSWERED_MAX, this.#unansweredMax / 2) : this.#unansweredMax;
    return first > 0 || (this.#unanswered.size < unansweredMax && this.#sent < this.#sentMax);
  }

  /** The place of the oldest that was handed to a link and has no answer; infinite without one. */
  #oldest() {
    let oldest = Infinity;
    for (const all of [this.#unanswered.values(), this.#waiting, this.#waitingBulk]) {
      for (const { first } of all) if (first > 0 && first < oldest) oldest = first;
    }
    return oldest;
  }

  /** The request that this id answers, which is done with.
   * @param {string|undefined} id */
  take(id) {
    const request = id === undefined ? undefined : this.#unanswered.get(id);
    if (request !== undefined) {
      this.#unanswered.delete(request.id);
      this.#forget(request);
    }
    return request;
  }

  /** @param {string} id */
  find(id) {
    return this.#unanswered.get(id);
  }

  /** The relay wants this again, but later.
   * @param {Request} request
   * @param {number} ms */
  postpone(request, ms) {
    this.#unanswered.delete(request.id);
    this.#putBack([request]);
    this.#pausedUntil = Date.now() + ms;
    this.pump();
  }

  /** The link is gone: what was not answered waits again. */
  takeBack() {
    const again = [...this.#unanswered.values()];
    this.#unanswered.clear();
    this.#putBack(again);
  }

  /** Ends those requests that this is true of.
   * @param {(request: Request) => boolean} isMeant
   * @param {RelayError} error */
  reject(isMeant, error) {
    const all = [...this.#unanswered.values(), ...this.#waiting, ...this.#waitingBulk];
    const meant = new Set(all.filter(isMeant));
    const isLeft = (/** @type {Request} */ request) => !meant.has(request);
    this.#waiting = this.#waiting.filter(isLeft);
    this.#waitingBulk = this.#waitingBulk.filter(isLeft);
    for (const request of meant) {
      this.#unanswered.delete(request.id);
      this.#forget(request);
      request.reject(error);
    }
    // Others may have waited for their places.
    this.pump();
  }

  /** @param {Request[]} requests */
  #putBack(requests) {
    for (const request of requests) this.#line(request).push(request);
    const byOrder = (/** @type {Request} */ a, /** @type {Request} */ b) => a.order - b.order;
    this.#waiting.sort(byOrder);
    this.#waitingBulk.sort(byOrder);
  }

  /** @param {{isBulk?: boolean}} request */
  #line({ isBulk }) {
    return isBulk ? this.#waitingBulk : this.#waiting;
  }

  /** @param {Request} request */
  #forget({ bytes }) {
    this.#count -= 1;
    this.#bytes -= bytes;
  }
}

/** A token bucket of one second's worth; below zero after something larger than that. */
class Budget {
  #perSecond;
  #level;
  #at = Date.now();

  /** @param {number} perSecond */
  constructor(perSecond) {
    this.#perSecond = Math.max(1, perSecond);
    this.#level = this.#perSecond;
  }

  /** For how many milliseconds so much cannot be spent, with a part of the bucket left untouched.
   * @param {number} amount
   * @param {number} reserve */
  wait(amount, reserve) {
    const now = Date.now();
    const filled = (Math.max(0, now - this.#at) / 1_000) * this.#perSecond;
    this.#level = Math.min(this.#perSecond, this.#level + filled);
    this.#at = now;
    const needed = Math.min(amount + reserve * this.#perSecond, this.#perSecond);
    return this.#level >= needed ? 0 : Math.ceil(((needed - this.#level) / this.#perSecond) * 1_000);
  }

  /** @param {number} amount */
  spend(amount) {
    this.#level -= amount;
  }
}
