/**
 * The members of a room, as right as PROTOCOL.md section 7 says how: pages are as of an offset, and a
 * change is applied unless what is known is newer.
 *
 * @module
 */

/** @typedef {import('./oneport-frames.js').Member} Member */

/** A room may have more; who is beyond this is known when it changes, and not before. */
const PEOPLE_MAX = 10_000;

/** Of how many members that have left the name is kept, for messages of theirs that come late. At least
 * as many as one answer of history can name. */
const GONE_MAX = 1_000;

/** The offset of members that are known only as authors in the history. Anything else is newer. */
const OF_HISTORY = -1;

export class People {
  /** @type {Map<number, Readonly<Member>>} by ascending id, as far as pages are */
  present = new Map();
  /** @type {Map<number, {member: Readonly<Member>, offset: number}>} */ #gone = new Map();
  /** @type {Map<number, number>} the offset as of which each present one is known */ #asOf = new Map();

  /** Forgets everybody: another epoch gives the ids to others. */
  clear() {
    this.present.clear();
    this.#gone.clear();
    this.#asOf.clear();
  }

  /** The first page of those who are there at this offset; who is not on it or after it is gone.
   * @param {Member[]} members
   * @param {number} offset
   * @param {boolean} isWhole whether no page follows */
  begin(members, offset, isWhole) {
    const last = isWhole ? Infinity : (members.at(-1)?.id ?? -1);
    const listed = new Set(members.map(({ id }) => id));
    for (const id of this.present.keys()) {
      if (id <= last && !listed.has(id)) this.#remove(id, offset);
    }
    this.add(members, offset);
  }

  /** A further page.
   * @param {Member[]} members
   * @param {number} offset */
  add(members, offset) {
    for (const member of members) {
      if ((this.#gone.get(member.id)?.offset ?? OF_HISTORY) < offset) this.#put(member, offset);
    }
  }

  /** @param {import('./oneport-frames.js').Presence} presence */
  apply({ what, member, offset }) {
    if (what !== 'left') this.#put(member, offset);
    else if ((this.#asOf.get(member.id) ?? -1) <= offset) this.#remove(member.id, offset, member);
  }

  /** The authors of messages in the history; a member that is present is known better.
   * @param {import('./oneport-frames.js').Author[]} authors */
  addAuthors(authors) {
    for (const author of authors) {
      if (this.present.has(author.id) || (this.#gone.get(author.id)?.offset ?? OF_HISTORY) > OF_HISTORY) continue;
      this.#keep(author, OF_HISTORY);
    }
  }

  /** One's own, which no presence is about.
   * @param {number} id
   * @param {Partial<Member>} change */
  change(id, change) {
    this.present.set(id, { ...this.find(id), ...change });
  }

  /** Whoever has or had this id; of strangers only the id is known.
   * @param {number} id
   * @returns {Readonly<Member>} */
  find(id) {
    return this.present.get(id) ?? this.#gone.get(id)?.member ?? { id };
  }

  /** @param {Member} member @param {number} offset */
  #put(member, offset) {
    if ((this.#asOf.get(member.id) ?? -1) > offset) return;
    if (!this.present.has(member.id) && this.present.size >= PEOPLE_MAX) return;
    this.present.set(member.id, member);
    this.#asOf.set(member.id, offset);
  }

  /** @param {number} id @param {number} offset @param {Readonly<Member>} [member] as it was last */
  #remove(id, offset, member = this.find(id)) {
    this.#keep(member, offset);
    this.present.delete(id);
    this.#asOf.delete(id);
  }

  /** @param {Readonly<Member>} member @param {number} offset */
  #keep(member, offset) {
    // As the latest one, so that the frame that names it does not push it out.
    this.#gone.delete(member.id);
    this.#gone.set(member.id, { member, offset });
    const [oldest] = this.#gone.keys();
    if (this.#gone.size > GONE_MAX) this.#gone.delete(oldest);
  }
}
