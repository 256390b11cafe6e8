import { Link } from './link.js';
import { me } from './me.js';
import { People } from './people.js';
import { Said } from './said.js';
import { showStatus } from './status.js';
import { parse, randomId } from './wire.js';

/** @typedef {import('./conversation.js').Conversation} Conversation */
/** @typedef {import('./wire.js').Incoming} Incoming */

/** A browser needs up to ten seconds to see that the relay is gone; what was said in that time is
 * said again, and the others recognise the ids of what they have. */
const RESEND_MS = 15_000;
const IDS_REMEMBERED_MAX = 10_000;

/** A sign of life from everybody; rarer the more there are, since each goes to all. */
const lifeSignMs = (/** @type {number} */ people) => 45_000 + people * 1_000;
/** Who has missed three of them is gone: a killed browser says no good-bye. */
const LIFE_SIGNS_MISSED_MAX = 3;
const HOUSEKEEPING_MS = 2_000;

/** Answers to a hello are spread over this time, one for all the hellos in it. */
const ANSWER_MS_MAX = 1_500;
/** Who has not answered our hello after a reconnect by now has gone meanwhile. */
const ANSWERS_COMPLETE_MS = 10_000;

const TYPING_EVERY_MS = 3_000;

/** In a crowd, everybody would pay for typing signs and repetitions. */
const CROWD = 30;

/** One stay in one room: its link, and what is said over it. */
export class Room {
  /** @type {Link} */ #link;
  /** @type {Conversation} */ #conversation;
  /** @type {People} */ #people;
  #said = new Said((json) => this.#link.send(json, { keep: false }));
  /** @type {Set<string>} messages that are in the log */ #seen = new Set();
  #openedAt = 0;
  #lostAt = 0;
  #spokeAt = 0;
  #typedAt = 0;
  #answerTimer = 0;
  #housekeeping = window.setInterval(() => this.#keepHouse(), HOUSEKEEPING_MS);

  /** @param {string} name
   * @param {Conversation} conversation */
  constructor(name, conversation) {
    this.#conversation = conversation;
    this.#people = new People(conversation);
    this.#link = new Link({ room: name, label: 'chat', resendMs: RESEND_MS });
    this.#link.addEventListener('state', () => this.#onState());
    this.#link.addEventListener('message', (event) => {
      if (event instanceof MessageEvent) this.#onMessage(parse(event.data));
    });
    this.#link.addEventListener('sent', (event) => this.#onDelivery(event, 'sent'));
    this.#link.addEventListener('waiting', (event) => this.#onDelivery(event, 'waiting'));
    this.#link.addEventListener('leaving', () => this.#tell('bye'));
    showStatus(this.#link.status);
  }

  retry() {
    this.#link.retry();
  }

  /** False if it cannot be taken now.
   * @param {string} text */
  say(text) {
    const id = randomId(8);
    const json = compose('message', { id, text });
    const outcome = this.#link.send(json, { tag: id });
    if (outcome !== 'sent' && outcome !== 'waiting') return false;
    this.#conversation.sayOwn(id, me.name, text, outcome);
    this.#said.add(id, json, outcome);
    this.#spokeAt = Date.now();
    this.#typedAt = 0;
    this.#askBeforeLoss();
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
    this.#people.draw();
  }

  /** Ends the stay.
   * @returns {string[]} what was said and not sent */
  leave() {
    clearTimeout(this.#answerTimer);
    clearInterval(this.#housekeeping);
    const unsent = this.#link.close();
    this.#people.clear();
    this.#said.clear();
    onbeforeunload = null;
    return unsent.map((id) => this.#conversation.textOf(String(id)));
  }

  /** What is worth saying only now, and is not kept for later.
   * @param {'hello'|'here'|'typing'|'bye'} type */
  #tell(type, details = {}) {
    const outcome = this.#link.send(compose(type, details), { keep: false });
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
    this.#tell('hello', away > 0 ? { away } : {});
  }

  /** @param {Event} event
   * @param {'sent'|'waiting'} delivery */
  #onDelivery(event, delivery) {
    if (!(event instanceof CustomEvent)) return;
    this.#said.delivered(event.detail, delivery);
    this.#conversation.delivered(event.detail, delivery);
    this.#askBeforeLoss();
  }

  /** While something waits, the browser asks before it closes the page. */
  #askBeforeLoss() {
    onbeforeunload = this.#conversation.isWaiting ? (event) => event.preventDefault() : null;
  }

  /** @param {Incoming} incoming */
  #onMessage(incoming) {
    const { type, away } = incoming;
    this.#people.hear(incoming);
    if (type === 'hello') this.#answerSoon();
    // Who was away may have missed what I said then or just before.
    if (away > 0 && this.#people.size <= CROWD) this.#said.repeatSoon(away + RESEND_MS);
    if (type === 'message' && this.#isNew(incoming)) this.#conversation.say(incoming);
  }

  /** A message may come twice, if its sender's connection broke; see RESEND_MS.
   * @param {Incoming} incoming */
  #isNew({ from, id }) {
    if (id === '') return true;
    const key = `${from}/${id}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    const [oldest] = this.#seen;
    if (this.#seen.size > IDS_REMEMBERED_MAX) this.#seen.delete(oldest);
    return true;
  }

  #answerSoon() {
    if (this.#answerTimer !== 0) return;
    this.#answerTimer = window.setTimeout(() => {
      this.#answerTimer = 0;
      this.#tell('here');
    }, Math.random() * ANSWER_MS_MAX);
  }

  #keepHouse() {
    if (this.#link.status.state !== 'connected') return;
    const now = Date.now();
    const every = lifeSignMs(this.#people.size);
    if (now - this.#spokeAt > every) this.#tell('here');
    // While I was away or asleep everybody seemed silent: first hear them again.
    if (now - this.#openedAt < ANSWERS_COMPLETE_MS) return;
    this.#people.removeSilentSince(Math.max(now - LIFE_SIGNS_MISSED_MAX * every, this.#openedAt));
  }
}

/**
 * @param {Incoming['type']} type
 * @param {{id?: string, text?: string, away?: number}} details
 */
function compose(type, details) {
  return JSON.stringify({ type, from: me.visit, name: me.name, ...details });
}

/** @param {number} ms */
function duration(ms) {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
