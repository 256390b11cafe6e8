/** Who is writing at this moment. */

import { setText, ui } from './dom.js';
import { shortName } from './names.js';
import { listOf } from './text.js';

/** Longer than the time between two signs of one who goes on. */
const SHOWN_MS = 5_000;

const SIGN_EVERY_MS = 3_000;

export class Typing {
  /** @type {Map<number, {name: string, until: number, isPrivate: boolean}>} by member id */ #writers = new Map();
  #timer = 0;
  #toldAt = 0;

  /** Whether it is time to tell the others that I am writing. */
  isDue() {
    const isDue = Date.now() - this.#toldAt > SIGN_EVERY_MS;
    if (isDue) this.#toldAt = Date.now();
    return isDue;
  }

  /** My message is there: the next one begins anew. */
  restart() {
    this.#toldAt = 0;
  }

  /**
   * @param {number} id
   * @param {string} name
   * @param {boolean} isPrivate whether it will be for me alone
   */
  hear(id, name, isPrivate) {
    this.#writers.set(id, { name: shortName(name), until: Date.now() + SHOWN_MS, isPrivate });
    this.#draw();
  }

  /** @param {number} id */
  stop(id) {
    if (this.#writers.delete(id)) this.#draw();
  }

  clear() {
    this.#writers.clear();
    this.#draw();
  }

  #draw() {
    clearTimeout(this.#timer);
    const now = Date.now();
    for (const [id, { until }] of this.#writers) {
      if (until <= now) this.#writers.delete(id);
    }
    const writers = [...this.#writers.values()];
    const { names, verb } = wordsFor(writers);
    setText(ui.typingNames, names);
    setText(ui.typingVerb, verb);
    if (writers.length === 0) return;
    const next = Math.min(...writers.map(({ until }) => until)) - now;
    this.#timer = window.setTimeout(() => this.#draw(), next + 10);
  }
}

/** @param {{name: string, isPrivate: boolean}[]} writers */
function wordsFor(writers) {
  if (writers.length === 0) return { names: '', verb: '' };
  const names = listOf(writers.map(({ name }) => name));
  if (writers.length > 1) return { names, verb: ' are writing…' };
  return { names, verb: ` is writing${writers[0].isPrivate ? ' to you alone' : ''}…` };
}
