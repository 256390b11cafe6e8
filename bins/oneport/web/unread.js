/** What came while nobody looked: how much, in the title, and from where on, in the log. */

import { makeDivider } from './line.js';

export class Unread {
  #room = '';
  #count = 0;
  #divider = makeDivider('new', 'unread');

  constructor() {
    document.addEventListener('visibilitychange', () => {
      // Who leaves has read all of it, and who comes back sees where it begins.
      if (document.hidden) this.#divider.remove();
      this.#count = 0;
      this.#show();
    });
  }

  /** @param {string} room */
  enter(room) {
    this.#room = room;
    this.#count = 0;
    this.#show();
  }

  /** A message of somebody else has come.
   * @param {HTMLLIElement} line */
  hear(line) {
    if (!document.hidden) return;
    if (this.#count === 0) line.before(this.#divider);
    this.#count += 1;
    this.#show();
  }

  #show() {
    const unread = this.#count > 0 ? `(${this.#count}) ` : '';
    document.title = `${unread}#${this.#room} · oneport`;
  }
}
