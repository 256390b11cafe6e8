/**
 * How far a room's order has been told to the page, so that nothing is told twice, whatever the relay
 * has to repeat.
 *
 * @module
 */

/** Of how many of one's own messages it is known that the page has them. */
const OWN_MAX = 1_000;

export class Told {
  /** The epoch of the room that offsets and member ids are of; empty before the first. */
  epoch = '';
  /** All before this offset of this epoch has been told, or is known to be missing.
   * @type {{epoch: string, offset: number}|null} */
  #place = null;
  /** @type {Set<number>} own messages that do not come back as messages, but are in the history */
  #own = new Set();

  /** The member's position, for a join that is to recover.
   * @returns {{epoch: string, offset: number}|undefined} */
  get since() {
    return this.#place ?? undefined;
  }

  /** The room has begun anew. @param {string} epoch */
  begin(epoch) {
    this.epoch = epoch;
    this.#own.clear();
  }

  /** Up to this offset all is told or missing. @param {number} offset */
  until(offset) {
    this.#place = { epoch: this.epoch, offset };
  }

  /** False for an entry that was told before.
   * @param {number} offset @param {number} next the offset after it */
  advance(offset, next) {
    const isNew = offset >= this.#next;
    if (isNew) this.until(next);
    return isNew;
  }

  /** Whether the page does not know this entry of the history. @param {number} offset */
  isNews(offset) {
    return offset >= this.#next && !this.#own.has(offset);
  }

  /** A message of the page's own is there. @param {number} offset */
  remember(offset) {
    this.#own.add(offset);
    const [oldest] = this.#own;
    if (this.#own.size > OWN_MAX) this.#own.delete(oldest);
  }

  get #next() {
    return this.#place?.epoch === this.epoch ? this.#place.offset : 0;
  }
}
