/** Notes about who comes and goes: as few as tell what happened. */

import { listOf } from './text.js';

/** @typedef {import('./conversation.js').Conversation} Conversation */

/** Two of the same kind so close together share a line. */
const MERGE_MS = 60_000;

/** A reload, or a short tunnel, is no news. */
const AWAY_NOTE_DELAY_MS = 6_000;

/** What one, and what several of them do. @type {Record<string, [string, string]>} */
const WORDS = {
  joined: ['joined', 'joined'],
  away: ['is away', 'are away'],
  back: ['is back', 'are back'],
  left: ['left', 'left'],
  lost: ['did not come back', 'did not come back'],
  kicked: ['was removed', 'were removed'],
  slow: ['left: the connection was too slow', 'left: their connections were too slow'],
  expired: ['left: the invitation has expired', 'left: their invitations have expired'],
};

export class Moves {
  /** @type {Conversation} */ #conversation;
  /** @type {Map<number, number>} by member: a timer, or 0 once the note is there */ #away = new Map();
  /** @type {{kind: string, names: string[], at: number, line: HTMLLIElement}|null} */ #last = null;

  /** @param {Conversation} conversation */
  constructor(conversation) {
    this.#conversation = conversation;
  }

  /** @param {string} name */
  joined(name) {
    this.#note('joined', name);
  }

  /** @param {number} id
   * @param {string} name */
  away(id, name) {
    this.#cancel(id);
    const timer = window.setTimeout(() => {
      this.#away.set(id, 0);
      this.#note('away', name);
    }, AWAY_NOTE_DELAY_MS);
    this.#away.set(id, timer);
  }

  /** @param {number} id
   * @param {string} name */
  back(id, name) {
    if (this.#cancel(id)) this.#note('back', name);
  }

  /** @param {number} id
   * @param {string} name
   * @param {string} reason as PROTOCOL.md has them */
  left(id, name, reason) {
    this.#cancel(id);
    // A newer membership of the same person has taken this one's place.
    if (reason !== 'replaced') this.#note(Object.hasOwn(WORDS, reason) ? reason : 'left', name);
  }

  /** Nothing happens later. */
  clear() {
    for (const timer of this.#away.values()) clearTimeout(timer);
    this.#away.clear();
  }

  /** Whether there was a note that somebody is away.
   * @param {number} id */
  #cancel(id) {
    const timer = this.#away.get(id);
    clearTimeout(timer);
    this.#away.delete(id);
    return timer === 0;
  }

  /** "Ann, Ben and 3 others joined": a crowd takes one line.
   * @param {string} kind
   * @param {string} name */
  #note(kind, name) {
    const at = Date.now();
    const last = this.#last;
    if (last?.kind === kind && at - last.at < MERGE_MS && this.#conversation.isLast(last.line)) {
      last.names.push(name);
      last.line.textContent = `${listOf(last.names)} ${WORDS[kind][1]}`;
      return;
    }
    const line = this.#conversation.note(`${name} ${WORDS[kind][0]}`);
    this.#last = { kind, names: [name], at, line };
  }
}
