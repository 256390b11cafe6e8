/**
 * The chat page: the user interface around one `Link` (link.js). The room is the URL's hash.
 *
 * What the page says on its channel `chat`, one JSON object per message:
 *   {"type": "message", "from", "name", "id", "text"}   somebody said something
 *   {"type": "hello",   "from", "name", "away"}   I have just come: who is here? And if I was away
 *       for some milliseconds: say again what you said in that time, as far as you remember
 *   {"type": "here",    "from", "name"}   I am here: the answer to a hello, a new name, a sign of life
 *   {"type": "typing",  "from", "name"}   I am writing, at most every few seconds
 *   {"type": "bye",     "from", "name"}   I am going
 * `from` is a random id of one visit to the page, and `id` one of a message: what comes again with
 * the same id is not shown again. Everything but `type`
 * and `text` may be missing. A text that is no such object is shown as said by "someone", so a page
 * that sends plain text on `chat` can talk with this one. The relay does not look into any of this,
 * and so nobody's name or `from` is proven: never conclude anything from them but what to show.
 *
 * What tests and user scripts can rely on in the document:
 *   html[data-state]           connecting | connected | lost | reconnecting | refused
 *   #status                    the same in words; #notice (with #notice-text and #retry) says why
 *   #room, #name               inputs; a change takes effect on Enter or when the focus leaves
 *   #composer, #text           the form and its textarea; Enter or #send submits
 *   #messages > li[data-id]    one message each, with .name and .text inside; [data-own] on one's own,
 *                              and then data-delivery = waiting | sent
 *   #messages > li.note        who came and went, and what happened to the connection
 *   #people > li               who is here, oneself (li[data-own]) first, each with a .name
 *   #invite, #more             buttons: copy the link; go to the newest message
 */

import { Link } from './link.js';

const TEXT_CHARS_MAX = 16_000;
const NAME_CHARS_MAX = 32;
const ID_CHARS_MAX = 64;
const PEOPLE_MAX = 200;
const MESSAGES_MAX = 500;
const IDS_REMEMBERED_MAX = 10_000;
const LINKS_PER_MESSAGE_MAX = 50;
const URL_CHARS_MAX = 2_000;

/** Messages of one sender within this time stand together under one name. */
const GROUP_MS_MAX = 5 * 60_000;

/** A browser needs up to ten seconds to see that the relay is gone; what was said in that time is
 * said again, and the others recognise the ids of what they have. */
const RESEND_MS = 15_000;

/** A sign of life from everybody; rarer the more there are, since each goes to all. */
const lifeSignMs = (/** @type {number} */ people) => 45_000 + people * 1_000;
/** Who has missed three of them is gone: a killed browser says no good-bye. */
const LIFE_SIGNS_MISSED_MAX = 3;
const HOUSEKEEPING_MS = 5_000;

/** Answers to a hello are spread over this time, one for all the hellos in it. */
const ANSWER_MS_MAX = 1_500;
/** Who has not answered our hello after a reconnect by now has gone meanwhile. */
const ANSWERS_COMPLETE_MS = 10_000;

/** After a restart of the relay all come back within seconds, one before the other, and what the
 * first says reaches nobody. So the latest is said again when somebody returns; all the bounds keep
 * one who says hello all day from making everybody else talk. */
const REPEAT_AGE_MS_MAX = 60_000;
const REPEAT_MESSAGES_MAX = 20;
const REPEAT_CHARS_MAX = 16_000;
const REPEAT_TIMES_MAX = 5;
const REPEAT_EVERY_MS = 3_000;

const TYPING_EVERY_MS = 3_000;
const TYPING_SHOWN_MS = 5_000;

/** In a crowd, everybody would pay for typing signs and repetitions. */
const CROWD = 30;

/** A reload is a bye and a hello: no line for either if they come so close together. */
const BYE_NOTE_DELAY_MS = 3_000;
/** Joins (or leaves) so close together share a line. */
const NOTE_MERGE_MS = 60_000;

const ROOM_DEFAULT = 'lobby';
const STRANGER = 'someone';

/** @typedef {import('./link.js').Status} Status */

/**
 * What arrived, checked and cut to size.
 * @typedef {object} Incoming
 * @property {'message'|'hello'|'here'|'typing'|'bye'} type
 * @property {string} from empty if unknown
 * @property {string} name never empty
 * @property {string} id empty if unknown
 * @property {string} text
 * @property {number} away in milliseconds; 0 if the sender was not here before
 */

/** @typedef {{json: string, at: number, repeats: number}} Said */

/** @typedef {{name: string, heardAt: number, confirmed: boolean, typingUntil: number}} Person */

// ---------------------------------------------------------------------------------------------
// The document
// ---------------------------------------------------------------------------------------------

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function element(id, type) {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${type.name} #${id}`);
}

const ui = {
  root: document.documentElement,
  room: element('room', HTMLInputElement),
  roomForm: element('room-form', HTMLFormElement),
  status: element('status', HTMLElement),
  countdown: element('countdown', HTMLElement),
  notice: element('notice', HTMLElement),
  noticeText: element('notice-text', HTMLElement),
  retry: element('retry', HTMLButtonElement),
  invite: element('invite', HTMLButtonElement),
  inviteLabel: element('invite-label', HTMLElement),
  invitePanel: element('invite-panel', HTMLElement),
  inviteLink: element('invite-link', HTMLInputElement),
  inviteClose: element('invite-close', HTMLButtonElement),
  log: element('log', HTMLElement),
  messages: element('messages', HTMLOListElement),
  empty: element('empty', HTMLElement),
  emptyRoom: element('empty-room', HTMLElement),
  more: element('more', HTMLButtonElement),
  composer: element('composer', HTMLFormElement),
  text: element('text', HTMLTextAreaElement),
  send: element('send', HTMLButtonElement),
  name: element('name', HTMLInputElement),
  meAvatar: element('me-avatar', HTMLElement),
  hint: element('hint', HTMLElement),
  typing: element('typing', HTMLElement),
  people: element('people', HTMLUListElement),
  peopleCount: element('people-count', HTMLElement),
  peopleToggle: element('people-toggle', HTMLButtonElement),
};

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} className
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[T]}
 */
function make(tag, className, text = '') {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** A live region is read again when it is written, even with the same words.
 * @param {HTMLElement} target
 * @param {string} text */
function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

// ---------------------------------------------------------------------------------------------
// What comes from outside
// ---------------------------------------------------------------------------------------------

const TYPES = new Set(['message', 'hello', 'here', 'typing', 'bye']);

/** Whatever it is, it becomes something that can be shown.
 * @param {string|ArrayBuffer} data
 * @returns {Incoming} */
function parse(data) {
  if (typeof data !== 'string') return stranger(`(${data.byteLength} bytes that are not text)`);
  const value = parseObject(data);
  const isOurs = TYPES.has(value?.type) && (value.type !== 'message' || typeof value.text === 'string');
  if (!isOurs) return stranger(data);
  return {
    type: value.type,
    from: cleanId(value.from),
    name: cleanName(value.name) || STRANGER,
    id: cleanId(value.id),
    text: value.type === 'message' ? cleanText(value.text) : '',
    away: Number.isFinite(value.away) ? Math.max(value.away, 0) : 0,
  };
}

/** @param {string} json
 * @returns {any} an object, or null */
function parseObject(json) {
  try {
    const value = JSON.parse(json);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/** @param {string} text
 * @returns {Incoming} */
function stranger(text) {
  return { type: 'message', from: '', name: STRANGER, id: '', text: cleanText(text), away: 0 };
}

/** @param {unknown} value */
function cleanId(value) {
  return typeof value === 'string' ? value.slice(0, ID_CHARS_MAX) : '';
}

/** One line without what is invisible, turns the writing direction, or towers over other lines.
 * @param {unknown} value */
function cleanName(value) {
  if (typeof value !== 'string') return '';
  const line = value
    .slice(0, NAME_CHARS_MAX * 8)
    .replace(/[\p{Cc}\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu, ' ')
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .replace(/\s+/gu, ' ')
    .trim();
  return Array.from(line).slice(0, NAME_CHARS_MAX).join('');
}

/** @param {string} text */
function cleanText(text) {
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text;
}

/** Random letters. Not `crypto.randomUUID`, which a page without TLS does not have.
 * @param {number} bytes */
function randomId(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// ---------------------------------------------------------------------------------------------
// How things look
// ---------------------------------------------------------------------------------------------

/** Far enough apart that two of them are told from each other. */
const HUES = [20, 45, 75, 110, 140, 165, 195, 225, 255, 285, 315, 345];

/** The same name has the same colour for everybody (FNV-1a).
 * @param {string} name */
function hueOf(name) {
  let hash = 0x811c9dc5;
  for (const unit of name.toLowerCase()) hash = Math.imul(hash ^ (unit.codePointAt(0) ?? 0), 0x01000193);
  return HUES[(hash >>> 0) % HUES.length];
}

/** @param {string} name */
function initialsOf(name) {
  const words = name.split(' ').map((word) => Array.from(word)[0] ?? '');
  return (words.length > 1 ? words[0] + words[words.length - 1] : words[0]).toUpperCase();
}

/** Sets the colours and the initials. By script, because the page's policy forbids style attributes.
 * @param {HTMLElement} avatar
 * @param {string} name */
function paintAvatar(avatar, name) {
  avatar.textContent = name === STRANGER ? '?' : initialsOf(name);
  avatar.style.setProperty('--hue', String(hueOf(name)));
  avatar.classList.toggle('unknown', name === STRANGER);
}

/** @param {string} name */
function makeAvatar(name, className = 'avatar') {
  const avatar = make('span', className);
  avatar.setAttribute('aria-hidden', 'true');
  paintAvatar(avatar, name);
  return avatar;
}

// Made once: making a formatter takes longer than all the rest of a message.
const CLOCK = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit' });
const CALENDAR = new Intl.DateTimeFormat([], { dateStyle: 'full', timeStyle: 'medium' });

/** @param {Date} date */
function makeTime(date) {
  const time = make('time', '', CLOCK.format(date));
  time.dateTime = date.toISOString();
  time.title = CALENDAR.format(date);
  return time;
}

const URL_IN_TEXT = /\bhttps?:\/\/[^\s<>"\p{Cc}\u202a-\u202e\u2066-\u2069]+/giu;

/** Appends text whose web addresses can be followed. It is built of nodes: markup stays text.
 * @param {HTMLElement} parent
 * @param {string} text */
function appendText(parent, text) {
  let end = 0;
  let links = 0;
  for (const match of text.matchAll(URL_IN_TEXT)) {
    const address = match[0].length > URL_CHARS_MAX ? '' : withoutPunctuation(match[0]);
    if (links === LINKS_PER_MESSAGE_MAX || !isWebAddress(address)) continue;
    const link = make('a', '', address);
    link.href = address;
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
    parent.append(text.slice(end, match.index), link);
    end = match.index + address.length;
    links += 1;
  }
  parent.append(text.slice(end));
}

/** The full stop after an address is not part of it; a bracket is, if it was opened there.
 * @param {string} address */
function withoutPunctuation(address) {
  let cut = address;
  for (;;) {
    const last = cut.slice(-1);
    const isOpened = last === ')' && cut.split('(').length >= cut.split(')').length;
    if (isOpened || !/[.,;:!?'*_)\]}]/.test(last)) return cut;
    cut = cut.slice(0, -1);
  }
}

/** Addresses with a user name in them mostly want to look like another site's.
 * @param {string} address */
function isWebAddress(address) {
  try {
    const url = new URL(address);
    return (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
  } catch {
    return false;
  }
}

/** @param {string} reason as the relay and link.js write them: no capital, no full stop */
function asSentence(reason) {
  const sentence = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** @param {string[]} names */
function listOf(names) {
  if (names.length === 1) return names[0];
  if (names.length <= 3) return `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
  return `${names[0]}, ${names[1]} and ${names.length - 2} others`;
}

/** @param {number} ms */
function duration(ms) {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

// ---------------------------------------------------------------------------------------------
// The conversation
// ---------------------------------------------------------------------------------------------

/** The log: what was said, and notes about who came and went. */
class Conversation {
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
      this.toEnd();
      ui.text.focus();
    });
    document.addEventListener('visibilitychange', () => {
      this.#unread = 0;
      this.showTitle();
    });
  }

  /** @param {Incoming} incoming */
  say({ from, name, id, text }) {
    this.#addMessage(`${from}/${name}`, this.#makeMessage(id || randomId(6), name, text));
    if (!this.#isAtEnd) this.#below += 1;
    if (document.hidden) this.#unread += 1;
    this.#showMore();
    this.showTitle();
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
    this.toEnd();
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

  clear() {
    ui.messages.replaceChildren();
    this.#own.clear();
    this.#lastMessage = null;
    this.#lastNote = null;
    this.#unread = 0;
    this.toEnd();
    ui.empty.hidden = false;
  }

  toEnd() {
    this.#isAtEnd = true;
    this.#below = 0;
    this.#scrollSoon();
    this.#showMore();
  }

  showTitle() {
    const unread = this.#unread > 0 ? `(${this.#unread}) ` : '';
    const title = `${unread}#${ui.room.value} · oneport`;
    if (document.title !== title) document.title = title;
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
    sender.style.setProperty('--hue', String(hueOf(name)));
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

// ---------------------------------------------------------------------------------------------
// Me
// ---------------------------------------------------------------------------------------------

/** This visit. A reload is another one: two pages never share it. */
const myVisit = randomId(8);

const NAME_KEY = 'oneport.name';
const ADJECTIVES = ['Amber', 'Brave', 'Calm', 'Coral', 'Gentle', 'Jolly', 'Misty', 'Quiet', 'Salty', 'Silver', 'Sunny', 'Windy'];
const ANIMALS = ['Cormorant', 'Dolphin', 'Eider', 'Gannet', 'Heron', 'Otter', 'Pelican', 'Plover', 'Puffin', 'Seal', 'Tern', 'Turtle'];

/** A browser may forbid storage altogether; then a name lasts as long as the page.
 * @param {'localStorage'|'sessionStorage'} kind
 * @param {string} [name] stored if given
 * @returns {string} what is stored, or nothing */
function stored(kind, name) {
  try {
    if (name !== undefined) window[kind].setItem(NAME_KEY, name);
    return cleanName(window[kind].getItem(NAME_KEY));
  } catch {
    return '';
  }
}

/** A chosen name is kept for all tabs, a suggested one for this tab: two tabs are two people. */
function firstName() {
  const known = stored('sessionStorage') || stored('localStorage');
  if (known) return known;
  const pick = (/** @type {string[]} */ words) => words[Math.floor(Math.random() * words.length)];
  const suggested = `${pick(ADJECTIVES)} ${pick(ANIMALS)}`;
  stored('sessionStorage', suggested);
  return suggested;
}

let myName = firstName();

// ---------------------------------------------------------------------------------------------
// The room
// ---------------------------------------------------------------------------------------------

/** One stay in one room: its link, and who else is there. */
class Room {
  /** @type {Link} */ #link;
  /** @type {Conversation} */ #conversation;
  /** @type {Map<string, Person>} by `from` */ #people = new Map();
  /** @type {Map<string, number>} timers, by name, of notes that a reload would make pointless */ #goodbyes = new Map();
  /** @type {Set<string>} ids of messages that are in the log */ #seen = new Set();
  /** @type {Map<string, Said>} by id, my latest messages; `at` is when they were sent, or 0 */ #said = new Map();
  #repeatSince = Infinity;
  #repeatedAt = 0;
  #repeatTimer = 0;
  #openedAt = 0;
  #lostAt = 0;
  #spokeAt = 0;
  #typedAt = 0;
  #answerTimer = 0;
  #roundUpTimer = 0;
  #peopleTimer = 0;
  #typingTimer = 0;
  #housekeeping = 0;

  /** @param {string} name
   * @param {Conversation} conversation */
  constructor(name, conversation) {
    this.#conversation = conversation;
    this.#link = new Link({ room: name, label: 'chat', resendMs: RESEND_MS });
    this.#link.addEventListener('state', () => this.#onState());
    this.#link.addEventListener('message', (event) => {
      if (event instanceof MessageEvent) this.#onMessage(parse(event.data));
    });
    this.#link.addEventListener('sent', (event) => this.#onDelivery(event, 'sent'));
    this.#link.addEventListener('waiting', (event) => this.#onDelivery(event, 'waiting'));
    this.#link.addEventListener('leaving', () => this.#tell('bye'));
    this.#housekeeping = window.setInterval(() => this.#keepHouse(), HOUSEKEEPING_MS);
    this.#showPeople();
  }

  get status() {
    return this.#link.status;
  }

  retry() {
    this.#link.retry();
  }

  /** False if it cannot be taken now: it stays in the composer.
   * @param {string} text */
  say(text) {
    const id = randomId(8);
    const message = JSON.stringify({ type: 'message', from: myVisit, name: myName, id, text });
    const outcome = this.#link.send(message, { tag: id });
    if (outcome !== 'sent' && outcome !== 'waiting') return false;
    this.#conversation.sayOwn(id, myName, text, outcome);
    this.#said.set(id, { json: message, at: outcome === 'sent' ? Date.now() : 0, repeats: 0 });
    dropOldest(this.#said, REPEAT_MESSAGES_MAX);
    this.#spokeAt = Date.now();
    this.#typedAt = 0;
    this.#showWaiting();
    return true;
  }

  typing() {
    const isQuiet = Date.now() - this.#typedAt > TYPING_EVERY_MS;
    if (!isQuiet || this.#people.size === 0 || this.#people.size > CROWD) return;
    this.#typedAt = Date.now();
    this.#tell('typing');
  }

  renamed() {
    this.#tell('here');
    this.#showPeople();
  }

  /** Ends the stay.
   * @returns {string[]} what was said and not sent */
  leave() {
    const timers = [this.#answerTimer, this.#repeatTimer, this.#roundUpTimer, this.#peopleTimer, this.#typingTimer];
    for (const timer of [...timers, ...this.#goodbyes.values()]) clearTimeout(timer);
    clearInterval(this.#housekeeping);
    const unsent = this.#link.close();
    onbeforeunload = null;
    return unsent.map((id) => this.#conversation.textOf(String(id)));
  }

  /** What is worth saying only now, and is not kept for later.
   * @param {'hello'|'here'|'typing'|'bye'} type */
  #tell(type, details = {}) {
    const json = JSON.stringify({ type, from: myVisit, name: myName, ...details });
    const outcome = this.#link.send(json, { keep: false });
    if (outcome === 'sent') this.#spokeAt = Date.now();
  }

  #onState() {
    const { status } = this.#link;
    if (status.state === 'connected') this.#onConnected();
    else if (this.#openedAt > 0 && this.#lostAt === 0) this.#lostAt = Date.now();
    showStatus(status);
  }

  #onConnected() {
    const away = this.#lostAt > 0 ? Date.now() - this.#lostAt : 0;
    if (away > 0) {
      this.#conversation.note(`Connected again after ${duration(away)}. What others said meanwhile may be missing.`);
    }
    this.#lostAt = 0;
    this.#openedAt = Date.now();
    for (const person of this.#people.values()) person.confirmed = false;
    this.#tell('hello', away > 0 ? { away } : {});
    clearTimeout(this.#roundUpTimer);
    this.#roundUpTimer = window.setTimeout(() => this.#roundUp(), ANSWERS_COMPLETE_MS);
  }

  /** After a reconnect: who did not answer has left while we were away. */
  #roundUp() {
    for (const [from, person] of this.#people) {
      if (!person.confirmed) this.#remove(from, person);
    }
  }

  /** @param {Event} event
   * @param {'sent'|'waiting'} delivery */
  #onDelivery(event, delivery) {
    if (!(event instanceof CustomEvent)) return;
    const said = this.#said.get(event.detail);
    if (said) said.at = delivery === 'sent' ? Date.now() : 0;
    this.#conversation.delivered(String(event.detail), delivery);
    this.#showWaiting();
  }

  /** While something waits, the browser asks before it closes the page. */
  #showWaiting() {
    const waits = ui.messages.querySelector('[data-delivery="waiting"]') !== null;
    onbeforeunload = waits ? (event) => event.preventDefault() : null;
  }

  /** @param {Incoming} incoming */
  #onMessage(incoming) {
    if (incoming.type === 'bye') {
      this.#onBye(incoming);
      return;
    }
    this.#meet(incoming);
    if (incoming.type === 'hello') this.#answerSoon();
    if (incoming.away > 0) this.#repeatSoon(incoming.away);
    if (incoming.type === 'message' && this.#isNew(incoming)) this.#conversation.say(incoming);
  }

  /** A message may come twice, if its sender's connection broke; see RESEND_MS.
   * @param {Incoming} incoming */
  #isNew({ from, id }) {
    if (id === '') return true;
    const key = `${from}/${id}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    dropOldest(this.#seen, IDS_REMEMBERED_MAX);
    return true;
  }

  /** Whoever says anything is here.
   * @param {Incoming} incoming */
  #meet({ type, from, name }) {
    if (from === '' || from === myVisit) return;
    const now = Date.now();
    const known = this.#people.get(from);
    if (!known && this.#people.size >= PEOPLE_MAX) return;
    const typingUntil = type === 'typing' ? now + TYPING_SHOWN_MS : 0;
    // A message may be a repetition from before a change of name.
    const current = known && type === 'message' ? known.name : name;
    this.#people.set(from, { name: current, heardAt: now, confirmed: true, typingUntil });
    if (!known && type === 'hello') this.#noteJoin(name);
    if (known && known.name !== current) this.#conversation.note(`${known.name} is now ${current}`);
    this.#showPeopleSoon();
  }

  /** @param {string} name */
  #noteJoin(name) {
    const goodbye = this.#goodbyes.get(name);
    clearTimeout(goodbye);
    this.#goodbyes.delete(name);
    if (goodbye === undefined) this.#conversation.noteMove('joined', name);
  }

  /** @param {Incoming} incoming */
  #onBye({ from }) {
    const person = this.#people.get(from);
    if (person) this.#remove(from, person);
  }

  /** @param {string} from
   * @param {Person} person */
  #remove(from, { name }) {
    this.#people.delete(from);
    clearTimeout(this.#goodbyes.get(name));
    this.#goodbyes.set(name, window.setTimeout(() => {
      this.#goodbyes.delete(name);
      this.#conversation.noteMove('left', name);
    }, BYE_NOTE_DELAY_MS));
    this.#showPeopleSoon();
  }

  #answerSoon() {
    if (this.#answerTimer !== 0) return;
    this.#answerTimer = window.setTimeout(() => {
      this.#answerTimer = 0;
      this.#tell('here');
    }, Math.random() * ANSWER_MS_MAX);
  }

  /** Somebody was away, and so may have missed what I said then or just before.
   * @param {number} away */
  #repeatSoon(away) {
    if (this.#said.size === 0 || this.#people.size > CROWD) return;
    const since = Date.now() - Math.min(away + RESEND_MS, REPEAT_AGE_MS_MAX);
    this.#repeatSince = Math.min(this.#repeatSince, since);
    if (this.#repeatTimer !== 0) return;
    const wait = Math.max(this.#repeatedAt + REPEAT_EVERY_MS - Date.now(), 0);
    this.#repeatTimer = window.setTimeout(() => this.#repeat(), wait + Math.random() * ANSWER_MS_MAX);
  }

  #repeat() {
    this.#repeatTimer = 0;
    this.#repeatedAt = Date.now();
    const due = [...this.#said.values()].filter(({ at, repeats }) => at > this.#repeatSince && repeats < REPEAT_TIMES_MAX);
    this.#repeatSince = Infinity;
    let chars = 0;
    for (const said of due) {
      chars += said.json.length;
      if (chars > REPEAT_CHARS_MAX) return;
      said.repeats += 1;
      this.#link.send(said.json, { keep: false });
    }
  }

  #keepHouse() {
    if (this.status.state !== 'connected') return;
    const now = Date.now();
    const every = lifeSignMs(this.#people.size);
    if (now - this.#spokeAt > every) this.#tell('here');
    // After a sleep of this machine everybody seems silent: first hear them again.
    const since = now - LIFE_SIGNS_MISSED_MAX * every;
    if (this.#openedAt > since) return;
    for (const [from, person] of this.#people) {
      if (person.heardAt < since) this.#remove(from, person);
    }
  }

  /** In a crowd many come at once: the list is drawn once for them all. */
  #showPeopleSoon() {
    if (this.#peopleTimer !== 0) return;
    this.#peopleTimer = window.setTimeout(() => {
      this.#peopleTimer = 0;
      this.#showPeople();
    }, 50);
  }

  #showPeople() {
    const others = [...this.#people.values()].sort((a, b) => a.name.localeCompare(b.name));
    const me = makePerson(myName);
    me.dataset.own = '';
    me.append(make('span', 'you', 'you'));
    ui.people.replaceChildren(me, ...others.map(({ name }) => makePerson(name)));
    const full = others.length >= PEOPLE_MAX ? '+' : '';
    ui.peopleCount.textContent = `${others.length + 1}${full}`;
    this.#showTyping(others);
  }

  /** @param {Person[]} others */
  #showTyping(others) {
    const now = Date.now();
    const typing = others.filter(({ typingUntil }) => typingUntil > now);
    const names = typing.map(({ name }) => name);
    ui.typing.textContent = names.length === 0 ? '' : `${listOf(names)} ${names.length === 1 ? 'is' : 'are'} writing…`;
    clearTimeout(this.#typingTimer);
    if (names.length === 0) return;
    const next = Math.min(...typing.map(({ typingUntil }) => typingUntil)) - now;
    this.#typingTimer = window.setTimeout(() => this.#showPeopleSoon(), next + 10);
  }
}

/** Both keep the order in which things were put in.
 * @param {Set<unknown>|Map<unknown, unknown>} collection
 * @param {number} max */
function dropOldest(collection, max) {
  for (const key of collection.keys()) {
    if (collection.size <= max) return;
    collection.delete(key);
  }
}

/** @param {string} name */
function makePerson(name) {
  const person = make('li', 'person');
  person.append(makeAvatar(name, 'avatar small'), make('bdi', 'name', name));
  return person;
}

// ---------------------------------------------------------------------------------------------
// The connection's state in words
// ---------------------------------------------------------------------------------------------

const WORDS = {
  connecting: 'Connecting',
  connected: 'Connected',
  lost: 'Connection lost',
  reconnecting: 'Reconnecting',
  refused: 'Not connected',
  closed: 'Not connected',
};

let countdownTimer = 0;

/** @param {Status} status */
function showStatus(status) {
  // The room was left, or the page is; nobody looks, and the next room begins as `connecting`.
  if (status.state === 'closed') return;
  ui.root.dataset.state = status.state;
  setText(ui.status, WORDS[status.state]);
  setText(ui.noticeText, status.reason === '' ? '' : asSentence(status.reason));
  ui.notice.hidden = status.reason === '' || status.state === 'lost';
  ui.notice.classList.toggle('final', status.state === 'refused');
  ui.retry.hidden = status.state !== 'refused' && status.retryAt === null;
  ui.retry.textContent = status.state === 'refused' ? 'Try again' : 'Try now';
  countDown(status.retryAt);
}

/** @param {number|null} until */
function countDown(until) {
  clearTimeout(countdownTimer);
  const seconds = until === null ? 0 : Math.ceil((until - Date.now()) / 1_000);
  setText(ui.countdown, seconds > 0 ? `in ${seconds} s` : '');
  if (seconds > 0) countdownTimer = window.setTimeout(() => countDown(until), 250);
}

// ---------------------------------------------------------------------------------------------
// Which room
// ---------------------------------------------------------------------------------------------

const conversation = new Conversation();
/** @type {Room|null} */
let room = null;

/** What the address says, as it was meant; it may be no room at all. */
function roomInAddress() {
  const hash = location.hash.slice(1);
  try {
    return decodeURIComponent(hash);
  } catch {
    return hash;
  }
}

/** Why this cannot be a room, or nothing. `.` and `..` would mean something else in a URL's path.
 * @param {string} name */
function roomProblem(name) {
  if (/^[A-Za-z0-9._~-]{1,64}$/.test(name) && name !== '.' && name !== '..') return '';
  const shown = Array.from(name).slice(0, 64).join('');
  return `“${shown}” cannot be a room: a name has 1 to 64 letters a-z, digits or - . _ ~`;
}

function enterRoom() {
  const name = roomInAddress();
  if (name === '') {
    history.replaceState(null, '', `#${ROOM_DEFAULT}`);
    enterRoom();
    return;
  }
  const unsent = room?.leave() ?? [];
  room = null;
  conversation.clear();
  ui.room.value = name;
  fitInput(ui.room);
  setText(ui.emptyRoom, `#${name}`);
  ui.inviteLink.value = location.href;
  hidePanels();
  conversation.showTitle();
  ui.people.replaceChildren();
  ui.peopleCount.textContent = '0';
  ui.typing.textContent = '';
  const reason = roomProblem(name);
  if (reason === '') room = new Room(name, conversation);
  showStatus(room?.status ?? { state: 'refused', reason, code: 'bad_room', retryAt: null });
  if (reason !== '') ui.retry.textContent = `Go to #${ROOM_DEFAULT}`;
  ui.invite.disabled = room === null;
  giveBack(unsent);
}

/** What could not be sent in the room before comes back into the composer.
 * @param {string[]} unsent */
function giveBack(unsent) {
  if (unsent.length === 0) return;
  ui.text.value = [...unsent, ui.text.value].join('\n').trimEnd();
  onDraft();
  conversation.note('What could not be sent in the room before is in the box below.');
}

ui.roomForm.addEventListener('submit', (event) => {
  event.preventDefault();
  changeRoom();
  if (room) ui.text.focus();
});
ui.room.addEventListener('change', changeRoom);
ui.room.addEventListener('input', () => fitInput(ui.room));

function changeRoom() {
  const name = ui.room.value.trim().replace(/^#/, '');
  if (name === roomInAddress()) ui.room.value = name;
  else location.hash = encodeURIComponent(name || ROOM_DEFAULT);
}

ui.retry.addEventListener('click', () => {
  if (room) room.retry();
  else location.hash = ROOM_DEFAULT;
});

addEventListener('hashchange', enterRoom);

// ---------------------------------------------------------------------------------------------
// Writing
// ---------------------------------------------------------------------------------------------

const HINT = ui.hint.textContent ?? '';

/** @param {string} [problem] */
function showHint(problem = '') {
  setText(ui.hint, problem || HINT);
  ui.hint.classList.toggle('problem', problem !== '');
}

function tooLong() {
  const over = ui.text.value.length - TEXT_CHARS_MAX;
  return over > 0 ? `${over.toLocaleString()} characters too long` : '';
}

function onDraft() {
  // Where `field-sizing` is known, the style sheet does this.
  if (!CSS.supports('field-sizing', 'content')) {
    ui.text.style.height = 'auto';
    ui.text.style.height = `${ui.text.scrollHeight}px`;
  }
  showHint(tooLong());
}

/** @param {SubmitEvent} event */
function onSubmit(event) {
  event.preventDefault();
  const text = ui.text.value.trim();
  if (text === '') return;
  const problem = tooLong() || (room === null ? 'There is no room to say it in' : room.say(text) ? '' : 'Too many messages wait already');
  if (problem === '') ui.text.value = '';
  onDraft();
  if (problem !== '') showHint(problem);
  ui.text.focus();
}

ui.composer.addEventListener('submit', onSubmit);
ui.text.addEventListener('input', () => {
  onDraft();
  if (ui.text.value.trim() !== '') room?.typing();
});
// The button does not take the focus, or the keyboard of a phone would go and come with each message.
ui.send.addEventListener('mousedown', (event) => event.preventDefault());
ui.text.addEventListener('keydown', (event) => {
  // Enter that ends the composition of a character (Japanese, Chinese) is not for us.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  ui.composer.requestSubmit();
});

// ---------------------------------------------------------------------------------------------
// The name
// ---------------------------------------------------------------------------------------------

/** An input as wide as what is in it, where the style sheet cannot do it.
 * @param {HTMLInputElement} input */
function fitInput(input) {
  if (!CSS.supports('field-sizing', 'content')) input.style.width = `${Math.max(input.value.length, 3) + 2}ch`;
}

function showName() {
  ui.name.value = myName;
  fitInput(ui.name);
  paintAvatar(ui.meAvatar, myName);
}

ui.name.addEventListener('input', () => fitInput(ui.name));
ui.name.addEventListener('change', () => {
  const name = cleanName(ui.name.value);
  if (name !== '' && name !== myName) {
    myName = name;
    stored('sessionStorage', name);
    stored('localStorage', name);
    room?.renamed();
  }
  showName();
});
ui.name.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.isComposing) return;
  // Enter would send the message: it means the name here.
  event.preventDefault();
  ui.text.focus();
});

// ---------------------------------------------------------------------------------------------
// The invitation and the panels
// ---------------------------------------------------------------------------------------------

let copiedTimer = 0;
const INVITE = ui.inviteLabel.textContent ?? '';

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    showCopied();
  } catch {
    // Without TLS, or without permission: show it, selected, and try the old way.
    ui.invitePanel.hidden = false;
    ui.inviteLink.focus();
    ui.inviteLink.select();
    if (document.execCommand('copy')) showCopied();
  }
}

function showCopied() {
  clearTimeout(copiedTimer);
  ui.inviteLabel.textContent = 'Link copied';
  ui.invite.classList.add('done');
  copiedTimer = window.setTimeout(() => {
    ui.inviteLabel.textContent = INVITE;
    ui.invite.classList.remove('done');
  }, 2_500);
}

/** @param {boolean} show */
function showPeoplePanel(show) {
  ui.root.toggleAttribute('data-people', show);
  ui.peopleToggle.setAttribute('aria-expanded', String(show));
}

function hidePanels() {
  showPeoplePanel(false);
  ui.invitePanel.hidden = true;
}

ui.invite.addEventListener('click', copyLink);
ui.inviteClose.addEventListener('click', () => {
  hidePanels();
  ui.invite.focus();
});
ui.peopleToggle.addEventListener('click', () => showPeoplePanel(!ui.root.hasAttribute('data-people')));
ui.log.addEventListener('click', () => showPeoplePanel(false));

// Escape goes back to writing, out of whatever is open or half changed.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.isComposing) return;
  hidePanels();
  ui.room.value = roomInAddress();
  fitInput(ui.room);
  showName();
  ui.text.focus();
});

// Safari does not know `interactive-widget`: there the page follows the visible part by itself.
visualViewport?.addEventListener('resize', () => {
  const { height = 0, scale = 1 } = visualViewport ?? {};
  if (scale === 1) ui.root.style.setProperty('--height', `${height}px`);
});

showName();
enterRoom();
// On a phone this would bring up the keyboard over an unread page.
if (matchMedia('(hover: hover)').matches) ui.text.focus();
