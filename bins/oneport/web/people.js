import { listOf, makeAvatar } from './appearance.js';
import { make, ui } from './dom.js';
import { me } from './me.js';

/** @typedef {import('./conversation.js').Conversation} Conversation */
/** @typedef {import('./wire.js').Incoming} Incoming */

/** @typedef {{name: string, heardAt: number, typingUntil: number}} Person */

const PEOPLE_MAX = 200;
const TYPING_SHOWN_MS = 5_000;

/** In a crowd many come at once: the list is drawn once for them all. */
const DRAW_DELAY_MS = 50;

/** A reload is a bye and a hello: no line for either if they come so close together. */
const BYE_NOTE_DELAY_MS = 3_000;

/** Who is in the room, as far as they have said anything: the list, and who of them is writing. */
export class People {
  /** @type {Conversation} */ #conversation;
  /** @type {Map<string, Person>} by `from` */ #others = new Map();
  /** @type {Map<string, number>} timers, by name, of notes that a reload would make pointless */ #goodbyes = new Map();
  #drawTimer = 0;
  #typingTimer = 0;

  /** @param {Conversation} conversation */
  constructor(conversation) {
    this.#conversation = conversation;
    this.draw();
  }

  /** How many others. */
  get size() {
    return this.#others.size;
  }

  /** Whoever says anything but good-bye is here.
   * @param {Incoming} incoming */
  hear({ type, from, name }) {
    if (from === '' || from === me.visit) return;
    const known = this.#others.get(from);
    if (type === 'bye') {
      if (known) this.#remove(from, known);
      return;
    }
    if (!known && this.#others.size >= PEOPLE_MAX) return;
    const now = Date.now();
    const typingUntil = type === 'typing' ? now + TYPING_SHOWN_MS : 0;
    // A message may be a repetition from before a change of name.
    const current = known && type === 'message' ? known.name : name;
    this.#others.set(from, { name: current, heardAt: now, typingUntil });
    if (!known && type === 'hello') this.#noteJoin(name);
    if (known && known.name !== current) this.#conversation.note(`${known.name} is now ${current}`);
    this.#drawSoon();
  }

  /** Removes those who have been silent since then.
   * @param {number} time */
  removeSilentSince(time) {
    for (const [from, person] of this.#others) {
      if (person.heardAt < time) this.#remove(from, person);
    }
  }

  draw() {
    const others = [...this.#others.values()].sort((a, b) => a.name.localeCompare(b.name));
    const myself = makePerson(me.name);
    myself.dataset.own = '';
    myself.append(make('span', 'you', 'you'));
    ui.people.replaceChildren(myself, ...others.map(({ name }) => makePerson(name)));
    const full = others.length >= PEOPLE_MAX ? '+' : '';
    ui.peopleCount.textContent = `${others.length + 1}${full}`;
    this.#drawTyping(others);
  }

  /** Nobody is shown any more, and nothing happens later. */
  clear() {
    for (const timer of [this.#drawTimer, this.#typingTimer, ...this.#goodbyes.values()]) clearTimeout(timer);
    ui.people.replaceChildren();
    ui.peopleCount.textContent = '0';
    ui.typing.textContent = '';
  }

  /** @param {string} name */
  #noteJoin(name) {
    const goodbye = this.#goodbyes.get(name);
    clearTimeout(goodbye);
    this.#goodbyes.delete(name);
    if (goodbye === undefined) this.#conversation.noteMove('joined', name);
  }

  /** @param {string} from
   * @param {Person} person */
  #remove(from, { name }) {
    this.#others.delete(from);
    clearTimeout(this.#goodbyes.get(name));
    this.#goodbyes.set(name, window.setTimeout(() => {
      this.#goodbyes.delete(name);
      this.#conversation.noteMove('left', name);
    }, BYE_NOTE_DELAY_MS));
    this.#drawSoon();
  }

  #drawSoon() {
    if (this.#drawTimer !== 0) return;
    this.#drawTimer = window.setTimeout(() => {
      this.#drawTimer = 0;
      this.draw();
    }, DRAW_DELAY_MS);
  }

  /** @param {Person[]} others */
  #drawTyping(others) {
    const now = Date.now();
    const typing = others.filter(({ typingUntil }) => typingUntil > now);
    const names = typing.map(({ name }) => name);
    ui.typing.textContent = names.length === 0 ? '' : `${listOf(names)} ${names.length === 1 ? 'is' : 'are'} writing…`;
    clearTimeout(this.#typingTimer);
    if (names.length === 0) return;
    const next = Math.min(...typing.map(({ typingUntil }) => typingUntil)) - now;
    this.#typingTimer = window.setTimeout(() => this.draw(), next + 10);
  }
}

/** @param {string} name */
function makePerson(name) {
  const person = make('li', 'person');
  person.append(makeAvatar(name, 'avatar small'), make('bdi', 'name', name));
  return person;
}
