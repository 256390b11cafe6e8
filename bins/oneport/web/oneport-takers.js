/**
 * The members that a file of this page goes to: who takes it, how many parts each may be sent and has, and who does
 * not get it and why.
 *
 * @module
 */

/** A receiver says once a second that it is there; after so long without a word it is given up. */
const HEARD_MS_MAX = 10_000;

/** So is one that the file waits for, if it neither has nor grants more within this time, although it says that it is
 * there. An honest receiver gives up a file that gets nothing in half of this time. */
const HELD_MS_MAX = 120_000;

/** So is one that has not answered the offer within this time: not all can take files. On a slow link the offer
 * waits behind other files. */
const ANSWER_MS_MAX = 5_000;

/** The first part waits so long for all to answer: a part is sent once more for those that answer later. */
const BEGIN_MS_MAX = 250;

const LOOK_AGAIN_MS = 250;

/** What a receiver says that does not want the file. Every other reason is a failure. */
const REFUSALS = new Set(['unwanted', 'too_large', 'too_many', 'bad_file', 'canceled']);

/** @typedef {{parts: number, granted: number, sent: number, heardAt: number, movedAt: number}} Taker how many parts it
 *   has, may be sent in all, and was sent; when it last said something, and when one of the three numbers last grew */

export class Takers {
  #isMember;
  #parts;
  #beganAt = 0;
  /** @type {Set<number>} those that have not answered */ #asked = new Set();
  /** @type {Map<number, Taker>} */ #takers = new Map();
  /** @type {Map<number, string>} why they do not get it */ #out = new Map();
  #wake = () => {};

  /** @param {(id: number) => boolean} isMember whether it is in the room, there or away
   * @param {number} parts of the whole file */
  constructor(isMember, parts) {
    this.#isMember = isMember;
    this.#parts = parts;
  }

  /** The file was offered to these. @param {number[]} ids */
  begin(ids) {
    this.#beganAt = Date.now();
    for (const id of ids) if (!this.#takers.has(id) && !this.#out.has(id)) this.#asked.add(id);
  }

  /** Who has all of it. */
  get done() {
    return [...this.#takers].filter(([, { parts }]) => parts >= this.#parts).map(([id]) => id);
  }

  get declined() {
    return [...this.#out].filter(([, reason]) => REFUSALS.has(reason)).map(([id]) => id);
  }

  /** Who else does not have it, and why. */
  get missed() {
    return [...this.#out].filter(([, reason]) => !REFUSALS.has(reason));
  }

  /** Whether all that were asked do not want it. */
  get isDeclined() {
    return this.#out.size > 0 && this.#takers.size === 0 && this.#asked.size === 0 && this.missed.length === 0;
  }

  /** How many parts the slowest of those has that take it; 0 while there is none. */
  get slowest() {
    return this.#takers.size === 0 ? 0 : Math.min(...[...this.#takers.values()].map(({ parts }) => parts));
  }

  /** It takes the file, has so many parts of it and may be sent so many in all.
   * @param {number} id @param {number} parts @param {number} granted */
  credit(id, parts, granted) {
    if (this.#out.has(id)) return;
    const now = Date.now();
    const taker = this.#takers.get(id) ?? { parts: 0, granted: 0, sent: 0, heardAt: now, movedAt: now };
    const has = Math.max(taker.parts, Math.min(parts, this.#parts));
    const may = Math.max(taker.granted, granted);
    const movedAt = has > taker.parts || may > taker.granted ? now : taker.movedAt;
    this.#asked.delete(id);
    this.#takers.set(id, { parts: has, granted: may, sent: taker.sent, heardAt: now, movedAt });
    this.#wake();
  }

  /** It does not get the file, or no more of it. False if that was known.
   * @param {number} id @param {string} reason */
  drop(id, reason) {
    if (this.#out.has(id)) return false;
    this.#asked.delete(id);
    this.#takers.delete(id);
    this.#out.set(id, reason);
    this.#wake();
    return true;
  }

  /** Who is to get the next part, which is the same for all: whoever comes later begins with it, and gets those
   * before it after the last one. Empty while one of them may not be sent more. */
  get next() {
    const open = [...this.#takers].filter(([, { sent }]) => sent < this.#parts);
    const mayBegin = this.#asked.size === 0 || Date.now() - this.#beganAt >= BEGIN_MS_MAX;
    const mayAll = open.every(([, { sent, granted }]) => sent < granted);
    return mayBegin && mayAll ? open.map(([id]) => id) : [];
  }

  /** A part was sent to these. @param {number[]} ids */
  sent(ids) {
    for (const id of ids) {
      const taker = this.#takers.get(id);
      if (taker === undefined) continue;
      taker.sent += 1;
      taker.movedAt = Date.now();
    }
  }

  /** Whether somebody may still get the rest. */
  get isAwaited() {
    return this.#asked.size > 0 || [...this.#takers.values()].some(({ parts }) => parts < this.#parts);
  }

  /** Gives up who has gone or says nothing any more. @param {(id: number) => boolean} isAway */
  prune(isAway) {
    const now = Date.now();
    const silent = (/** @type {number} */ id, /** @type {string} */ reason) => this.drop(id, isAway(id) ? 'away' : reason);
    for (const id of this.#asked) {
      if (!this.#isMember(id)) this.drop(id, 'left');
      else if (now - this.#beganAt >= ANSWER_MS_MAX) silent(id, 'silent');
    }
    for (const [id, { parts, granted, sent, heardAt, movedAt }] of this.#takers) {
      if (parts >= this.#parts) continue;
      if (!this.#isMember(id)) this.drop(id, 'left');
      else if (now - heardAt >= HEARD_MS_MAX || (sent >= Math.min(granted, this.#parts) && now - movedAt >= HELD_MS_MAX)) silent(id, 'stuck');
    }
  }

  /** Nobody could be heard for a while. */
  excuse() {
    const now = Date.now();
    this.#beganAt = now;
    for (const taker of this.#takers.values()) taker.heardAt = taker.movedAt = now;
  }

  /** Until somebody has got on, or might have gone. @returns {Promise<void>} */
  change() {
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, LOOK_AGAIN_MS);
    });
  }

  /** Ends the wait for a change. */
  wake() {
    this.#wake();
  }
}
