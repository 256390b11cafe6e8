/**
 * The members that a file of this page goes to: who takes it, how far they are, and who does not want it.
 *
 * @module
 */

/** A receiver that does not get on for so long is not waited for. */
const STUCK_MS_MAX = 5_000;

/** Nor is one that has not said within this time that it takes the file: not all can. */
const ANSWER_MS_MAX = 2_000;

/** How many parts the slowest receiver may be behind: a quarter of what the ring of a room holds by default. */
const BEHIND_PARTS_MAX = 64;

const LOOK_AGAIN_MS = 250;

/** @typedef {{parts: number, at: number}} Taker how many parts it has, and since when; -1 before it has answered */

export class Takers {
  #isHere;
  #parts;
  /** @type {Map<number, Taker>} those that have not declined */ #takers = new Map();
  /** @type {Map<number, string>} why */ #declined = new Map();
  #wake = () => {};

  /** @param {(id: number) => boolean} isHere whether this member is there and not away
   * @param {number} parts of the whole file */
  constructor(isHere, parts) {
    this.#isHere = isHere;
    this.#parts = parts;
  }

  /** It goes to these. @param {number[]} ids */
  begin(ids) {
    const at = Date.now();
    for (const id of ids) {
      if (!this.#takers.has(id) && !this.#declined.has(id)) this.#takers.set(id, { parts: -1, at });
    }
  }

  /** Who has all of it. */
  get done() {
    return [...this.#takers].filter(([, { parts }]) => parts >= this.#parts).map(([id]) => id);
  }

  get declined() {
    return [...this.#declined.keys()];
  }

  /** Whether nobody has it, and nobody is left who might take it. */
  get isDeclined() {
    return this.#declined.size > 0 && this.done.length === 0 && ![...this.#takers.keys()].some((id) => this.#isHere(id));
  }

  /** How many parts the slowest of those has that take it; 0 while there is none. */
  get slowest() {
    const taking = [...this.#takers].filter(([id, { parts }]) => parts >= 0 && this.#isHere(id));
    return taking.length === 0 ? 0 : Math.min(...taking.map(([, { parts }]) => parts));
  }

  /** @param {number} id @param {number} parts */
  credit(id, parts) {
    const known = this.#takers.get(id)?.parts ?? -1;
    if (parts > known && !this.#declined.has(id)) this.#takers.set(id, { parts: Math.min(parts, this.#parts), at: Date.now() });
    this.#wake();
  }

  /** False if that was known. @param {number} id @param {string} reason */
  decline(id, reason) {
    if (this.#declined.has(id)) return false;
    this.#takers.delete(id);
    this.#declined.set(id, reason);
    this.#wake();
    return true;
  }

  /** Whether somebody cannot have this part yet. @param {number} index */
  isBehind(index) {
    return this.#isAny((taker) => taker.parts >= 0 && index - taker.parts >= BEHIND_PARTS_MAX);
  }

  /** Whether somebody may still get the rest. */
  get isAwaited() {
    return this.#isAny((taker) => taker.parts < this.#parts);
  }

  /** Until somebody has got on, or might have gone. @returns {Promise<void>} */
  change() {
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, LOOK_AGAIN_MS);
    });
  }

  /** Of those that are worth waiting for. @param {(taker: Taker) => boolean} isMeant */
  #isAny(isMeant) {
    return [...this.#takers].some(([id, taker]) => {
      const patience = taker.parts < 0 ? ANSWER_MS_MAX : STUCK_MS_MAX;
      return isMeant(taker) && this.#isHere(id) && Date.now() - taker.at < patience;
    });
  }
}
