/** The log: what was said, in the room's order, and notes about what happened. */

import { renewTimes } from './appearance.js';
import { ui } from './dom.js';
import { Earlier } from './earlier.js';
import { makeDivider, makeMessageLine, makeNote, showDelivery } from './line.js';
import { Scroll } from './scroll.js';
import { dayOf, listenToDays } from './times.js';
import { Unread } from './unread.js';

/** @typedef {import('./line.js').Said} Said */
/** @typedef {import('./line.js').Delivery} Delivery */

/**
 * What is known of a line that is no note.
 *
 * @typedef {object} About
 * @property {string} sender
 * @property {number} at
 * @property {number} era offsets are comparable within one
 * @property {number|null} offset
 * @property {string} key tells a message from all others, also of other eras
 * @property {() => void} [release] what else goes with the line
 */

/** While its reader follows the end the oldest lines go; who reads what was earlier needs more of them. */
const LINES_MAX = 500;
const LINES_READ_MAX = 2_000;

/** Messages of one sender within this time stand together under one name. */
const GROUP_MS_MAX = 5 * 60_000;

export class Conversation {
  #scroll = new Scroll();
  #unread = new Unread();
  /** @type {WeakMap<Element, About>} */ #about = new WeakMap();
  /** @type {Map<string, HTMLLIElement>} own messages of this page, by id */ #own = new Map();
  /** Rises whenever the room may have begun anew, and its offsets with it. */
  #era = 0;
  /** @type {Set<string>} keys of what is in the log */ #shown = new Set();
  #earlier = new Earlier();
  #historyIsTold = false;

  /** What loads messages before an offset; set by who is in the room.
   * @type {(before: number) => Promise<void>} */
  loadEarlier = async () => {};

  constructor() {
    this.#earlier.button.addEventListener('click', () => this.#onEarlier());
    listenToDays(() => {
      renewTimes(ui.messages);
      for (const line of ui.messages.children) this.#regroup(line);
    });
  }

  /** Begins anew.
   * @param {string} room */
  enter(room) {
    for (const line of ui.messages.children) this.#about.get(line)?.release?.();
    ui.messages.replaceChildren();
    this.#own.clear();
    this.#shown.clear();
    this.#earlier.from = 0;
    this.#era += 1;
    this.#historyIsTold = false;
    this.#listenQuietly(true);
    ui.emptyRoom.textContent = `#${room}`;
    ui.empty.hidden = false;
    this.#unread.enter(room);
    this.#scroll.toEnd();
  }

  /** Somebody said something, now or before.
   * @param {Said} said
   * @param {boolean} isHistory */
  add(said, isHistory) {
    const key = keyOf(said);
    if (isHistory && this.#shown.has(key)) return;
    const line = this.#make(said, key);
    line.classList.toggle('settled', isHistory);
    this.#insert(line, said.offset);
    if (!isHistory && !said.isOwn) {
      this.#unread.hear(line);
      this.#scroll.grew(true);
    }
  }

  /** What I say: at the end until the room has it.
   * @param {Said} said
   * @param {() => void} sendAgain */
  addOwn(said, sendAgain) {
    const line = this.#make(said, '');
    this.#own.set(said.id, line);
    showDelivery(line, { state: 'waiting' }, sendAgain);
    this.#append(line);
    this.#scroll.toEnd();
  }

  /** How far a message of mine is.
   * @param {string} id
   * @param {Delivery} delivery
   * @param {() => void} [sendAgain] if it failed */
  deliver(id, delivery, sendAgain = () => {}) {
    const line = this.#own.get(id);
    if (line) showDelivery(line, delivery, sendAgain);
  }

  /** A message of mine has its place in the room's order.
   * @param {string} id
   * @param {number} offset */
  place(id, offset) {
    const line = this.#own.get(id);
    const about = line && this.#about.get(line);
    if (!about) return;
    about.offset = offset;
    about.era = this.#era;
    about.key = keyOf({ offset, isOwn: true, at: 0, text: line.querySelector('.text')?.textContent ?? '' });
    this.#shown.add(about.key);
    const next = this.#firstAfter(offset, line);
    if (next === null) return;
    const gap = line.nextElementSibling;
    // What moves has arrived already.
    line.classList.add('settled');
    next.before(line);
    for (const moved of [line, line.nextElementSibling, gap]) this.#regroup(moved);
  }

  /** What was not sent yet, or could not be. */
  get unsent() {
    return ui.messages.querySelectorAll('[data-delivery="waiting"], [data-delivery="failed"]').length;
  }

  /** @param {string} text */
  note(text) {
    return this.#append(makeNote(text));
  }

  /** Whether nothing came after this line but what is waiting.
   * @param {HTMLLIElement} line */
  isLast(line) {
    const end = this.#end();
    return (end === null ? ui.messages.lastElementChild : end.previousElementSibling) === line;
  }

  /** A file that somebody sends.
   * @param {HTMLLIElement} line
   * @param {{sender: string, at: number, isOwn: boolean, release: () => void}} about */
  addFile(line, { isOwn, ...about }) {
    this.#about.set(line, { ...about, era: this.#era, offset: null, key: '' });
    this.#append(line);
    if (isOwn) this.#scroll.toEnd();
    else {
      this.#unread.hear(line);
      this.#scroll.grew(true);
    }
  }

  /** The room may have begun anew: offsets before and after this are not compared.
   * @param {string} note */
  beginEra(note) {
    this.#era += 1;
    this.#earlier.hide();
    return this.note(note);
  }

  /** The history that came with the join is told.
   * @param {{from: number, more: boolean}} history */
  historyTold({ from, more }) {
    const lines = [...ui.messages.children].filter((line) => this.#about.get(line)?.era === this.#era);
    const [first] = lines;
    if (!this.#historyIsTold && first) this.#append(makeDivider('said before you came; files sent then are not kept', 'before'));
    this.#historyIsTold = true;
    if (more) this.#earlier.show(from, first ?? null);
    // The history is not read aloud, but what comes from now on.
    requestAnimationFrame(() => this.#listenQuietly(false));
  }

  /** What was said before the rest of this era.
   * @param {Said[]} messages in their order
   * @param {{from: number, more: boolean}} rest */
  prepend(messages, { from, more }) {
    const news = messages.filter((said) => !this.#shown.has(keyOf(said)));
    const lines = news.map((said) => this.#make(said, keyOf(said)));
    this.#listenQuietly(true);
    this.#scroll.keepPlace(() => {
      for (const line of lines) {
        line.classList.add('settled');
        this.#insert(line, this.#about.get(line)?.offset ?? null);
      }
      if (more) this.#earlier.from = from;
      else this.#earlier.hide();
    });
    requestAnimationFrame(() => this.#listenQuietly(false));
  }

  async #onEarlier() {
    if (!this.#earlier.begin()) return;
    try {
      await this.loadEarlier(this.#earlier.from);
      this.#earlier.end('Earlier messages');
    } catch {
      this.#earlier.end('Earlier messages: that did not work, try again');
    }
  }

  /** @param {Said} said
   * @param {string} key */
  #make(said, key) {
    const line = makeMessageLine(said);
    if (said.isOwn && said.offset !== null) showDelivery(line, { state: 'sent' }, () => {});
    this.#about.set(line, { sender: said.sender, at: said.at, era: this.#era, offset: said.offset, key });
    if (key !== '') this.#shown.add(key);
    return line;
  }

  /** In its place in the room's order, which is nearly always the end.
   * @param {HTMLLIElement} line
   * @param {number|null} offset */
  #insert(line, offset) {
    const next = offset === null ? null : this.#firstAfter(offset, line);
    if (next === null) {
      this.#append(line);
      return;
    }
    next.before(line);
    this.#regroup(line);
    this.#regroup(next);
  }

  /** At the end, but before what is not in the room yet.
   * @param {HTMLLIElement} line */
  #append(line) {
    ui.empty.hidden = true;
    const isWaiting = line.dataset.delivery === 'waiting';
    ui.messages.insertBefore(line, isWaiting ? null : this.#end());
    this.#regroup(line);
    if (!isWaiting) this.#regroup(line.nextElementSibling);
    this.#trim();
    this.#scroll.grew(false);
    return line;
  }

  /** The first of those at the end that wait, or nothing. */
  #end() {
    let end = null;
    for (let line = ui.messages.lastElementChild; isWaiting(line); line = line.previousElementSibling) end = line;
    return end;
  }

  /** The first line of a greater offset than that of the line `own`, or nothing.
   * @param {number} offset
   * @param {HTMLLIElement} own */
  #firstAfter(offset, own) {
    let first = null;
    for (let line = ui.messages.lastElementChild; line !== null; line = line.previousElementSibling) {
      const about = this.#about.get(line);
      if (about === undefined || about.offset === null || line === own) continue;
      if (about.era !== this.#era || about.offset < offset) return first;
      first = line;
    }
    return first;
  }

  /** Whether it goes on what stands above, and whether a day begins with it.
   * @param {Element|null} line */
  #regroup(line) {
    const about = line && this.#about.get(line);
    if (!(line instanceof HTMLElement) || !about) return;
    const before = line.previousElementSibling;
    const last = before && this.#about.get(before);
    const isNear = last !== null && last !== undefined && Math.abs(about.at - last.at) < GROUP_MS_MAX;
    const today = dayOf(Date.now());
    const day = dayOf(about.at);
    const dayBefore = last ? dayOf(last.at) : today;
    if (day === dayBefore) delete line.dataset.day;
    else line.dataset.day = day;
    line.classList.toggle('grouped', isNear && last.sender === about.sender && day === dayBefore);
  }

  /** The oldest lines go, but not those that still wait to be sent. */
  #trim() {
    const max = this.#scroll.isAtEnd ? LINES_MAX : LINES_READ_MAX;
    while (ui.messages.childElementCount > max) {
      const oldest = ui.messages.querySelector('li:not(.earlier, [data-delivery="waiting"], [data-delivery="failed"])');
      if (!(oldest instanceof HTMLLIElement)) return;
      this.#forget(oldest);
    }
  }

  /** @param {HTMLLIElement} line */
  #forget(line) {
    const about = this.#about.get(line);
    about?.release?.();
    this.#shown.delete(about?.key ?? '');
    this.#own.delete(line.dataset.id ?? '');
    const next = line.nextElementSibling;
    line.remove();
    this.#regroup(next);
    // It can be loaded again.
    if (about && about.offset !== null && about.era === this.#era) this.#earlier.show(about.offset + 1, ui.messages.firstElementChild);
  }

  /** @param {boolean} quietly */
  #listenQuietly(quietly) {
    ui.log.setAttribute('aria-live', quietly ? 'off' : 'polite');
  }
}

/** @param {Element|null} line
 * @returns {line is HTMLElement} */
function isWaiting(line) {
  return line instanceof HTMLElement && line.dataset.delivery === 'waiting';
}

/** Of one's own the relay's time is not known, when they are new.
 * @param {Pick<Said, 'offset'|'isOwn'|'at'|'text'>} said */
function keyOf({ offset, isOwn, at, text }) {
  return isOwn ? `${offset} ${text}` : `${offset} ${at}`;
}
