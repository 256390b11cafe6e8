import { appendText, listOf, makeAvatar, makeTime, paint } from './appearance.js';
import { make, setText, ui } from './dom.js';
import { randomId } from './wire.js';

/** @typedef {import('./wire.js').Incoming} Incoming */

const MESSAGES_MAX = 500;

/** Messages of one sender within this time stand together under one name. */
const GROUP_MS_MAX = 5 * 60_000;

/** Joins (or leaves) so close together share a line. */
const NOTE_MERGE_MS = 60_000;

/** The log: what was said, and notes about who came and went. */
export class Conversation {
  #room = '';
  /** @type {Map<string, HTMLLIElement>} by id */ #own = new Map();
  /** @type {{sender: string, at: number}|null} of the last line, if that is a message */ #lastMessage = null;
  /** @type {{kind: string, names: string[], at: number, line: HTMLLIElement}|null} */ #lastNote = null;
  #isAtEnd = true;
  #below = 0;
  #unread = 0;
  #scrollIsDue = false;
  /** The log's size as last seen: a scroll that comes with a new one was not made by the reader. */
  #size = '';
  /** Where the last scroll left the log. */
  #top = 0;

  constructor() {
    ui.log.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    new ResizeObserver(() => this.#onResize()).observe(ui.log);
    ui.more.addEventListener('click', () => {
      this.#toEnd();
      ui.text.focus();
    });
    document.addEventListener('visibilitychange', () => {
      this.#unread = 0;
      this.#showTitle();
    });
  }

  /** Begins anew.
   * @param {string} room */
  enter(room) {
    this.#room = room;
    this.#own.clear();
    this.#lastMessage = null;
    this.#lastNote = null;
    this.#unread = 0;
    ui.messages.replaceChildren();
    ui.emptyRoom.textContent = `#${room}`;
    ui.empty.hidden = false;
    this.#toEnd();
    this.#showTitle();
  }

  /** @param {Incoming} incoming */
  say({ from, name, id, text }) {
    this.#addMessage(`${from}/${name}`, this.#makeMessage(id || randomId(6), name, text));
    if (!this.#isAtEnd) this.#below += 1;
    if (document.hidden) this.#unread += 1;
    this.#showMore();
    this.#showTitle();
  }

  /**
   * @param {string} id
   * @param {string} name
   * @param {string} text
   * @param {'waiting'|'sent'} delivery
   */
  sayOwn(id, name, text, delivery) {
    const line = this.#makeMessage(id, name, text);
    line.classList.add('own');
    line.dataset.own = '';
    line.querySelector('.meta')?.append(' ', make('span', 'delivery'));
    this.#own.set(id, line);
    this.delivered(id, delivery);
    this.#addMessage('own', line);
    this.#toEnd();
  }

  /** @param {string} id
   * @param {'waiting'|'sent'} delivery */
  delivered(id, delivery) {
    const line = this.#own.get(id);
    const word = line?.querySelector('.delivery');
    if (!line || !word) return;
    line.dataset.delivery = delivery;
    word.textContent = delivery;
  }

  /** Whether something of mine was not sent yet. */
  get isWaiting() {
    return ui.messages.querySelector('[data-delivery="waiting"]') !== null;
  }

  /** @param {string} id */
  textOf(id) {
    return this.#own.get(id)?.querySelector('.text')?.textContent ?? '';
  }

  /** @param {string} text */
  note(text) {
    this.#addNote(text);
    this.#lastNote = null;
  }

  /** "Ann, Ben and 3 others joined": a crowd takes one line.
   * @param {'joined'|'left'} kind
   * @param {string} name */
  noteMove(kind, name) {
    const at = Date.now();
    const last = this.#lastNote;
    if (last?.kind === kind && at - last.at < NOTE_MERGE_MS) {
      last.names.push(name);
      last.line.textContent = `${listOf(last.names)} ${kind}`;
      return;
    }
    const line = this.#addNote(`${name} ${kind}`);
    this.#lastNote = { kind, names: [name], at, line };
  }

  #toEnd() {
    this.#isAtEnd = true;
    this.#below = 0;
    this.#scrollSoon();
    this.#showMore();
  }

  /**
   * @param {string} id
   * @param {string} name
   * @param {string} text
   */
  #makeMessage(id, name, text) {
    const line = make('li', 'message');
    line.dataset.id = id;
    const bubble = make('div', 'bubble');
    const sender = make('bdi', 'name', name);
    paint(sender, name);
    const body = make('div', 'body');
    body.dir = 'auto';
    const words = make('span', 'text');
    appendText(words, text);
    const meta = make('span', 'meta');
    meta.append(makeTime(new Date()));
    body.append(words, ' ', meta);
    bubble.append(sender, ' ', body);
    line.append(makeAvatar(name), bubble);
    return line;
  }

  /** @param {string} sender
   * @param {HTMLLIElement} line */
  #addMessage(sender, line) {
    const at = Date.now();
    const last = this.#lastMessage;
    line.classList.toggle('grouped', last?.sender === sender && at - last.at < GROUP_MS_MAX);
    this.#lastMessage = { sender, at };
    this.#lastNote = null;
    this.#add(line);
  }

  /** @param {string} text */
  #addNote(text) {
    const line = make('li', 'note', text);
    line.dir = 'auto';
    this.#lastMessage = null;
    this.#add(line);
    return line;
  }

  /** @param {HTMLLIElement} line */
  #add(line) {
    ui.empty.hidden = true;
    ui.messages.append(line);
    this.#trim();
    if (this.#isAtEnd) this.#scrollSoon();
  }

  /** The oldest lines go, but not those that still wait to be sent. */
  #trim() {
    while (ui.messages.childElementCount > MESSAGES_MAX) {
      const oldest = ui.messages.querySelector('li:not([data-delivery="waiting"])');
      if (!(oldest instanceof HTMLLIElement)) return;
      this.#own.delete(oldest.dataset.id ?? '');
      oldest.nextElementSibling?.classList.remove('grouped');
      oldest.remove();
    }
  }

  /** The keyboard of a phone or a growing composer makes the log smaller: stay at the end. */
  #onResize() {
    this.#size = sizeOf(ui.log);
    if (this.#isAtEnd) this.#scrollSoon();
  }

  #onScroll() {
    const { scrollHeight, scrollTop, clientHeight } = ui.log;
    const isUp = scrollTop < this.#top - 4;
    this.#top = scrollTop;
    // Lines have come since we scrolled to the end, and we are about to do it again.
    if (sizeOf(ui.log) !== this.#size || (this.#scrollIsDue && !isUp)) return;
    this.#isAtEnd = scrollHeight - scrollTop - clientHeight < 48;
    if (this.#isAtEnd) this.#below = 0;
    this.#showMore();
  }

  /** Once per frame, however many lines came in it. */
  #scrollSoon() {
    if (this.#scrollIsDue) return;
    this.#scrollIsDue = true;
    requestAnimationFrame(() => {
      this.#scrollIsDue = false;
      if (!this.#isAtEnd) return;
      ui.log.scrollTop = ui.log.scrollHeight;
    });
  }

  #showTitle() {
    const unread = this.#unread > 0 ? `(${this.#unread}) ` : '';
    document.title = `${unread}#${this.#room} · oneport`;
  }

  #showMore() {
    // While it follows the end, the browser need not hold another line in its place.
    ui.log.classList.toggle('at-end', this.#isAtEnd);
    ui.more.hidden = this.#isAtEnd;
    setText(ui.more, this.#below === 0 ? 'To the end' : `${this.#below} new message${this.#below === 1 ? '' : 's'}`);
    ui.more.classList.toggle('has-new', this.#below > 0);
  }
}

/** @param {Element} box */
function sizeOf({ clientWidth, clientHeight }) {
  return `${clientWidth}x${clientHeight}`;
}
