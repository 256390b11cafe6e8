/** My own messages on their way, from the box to the others. */

import { RelayError } from './oneport.js';
import { isSame } from './recipient.js';
import { randomId } from './text.js';

/** @typedef {import('./conversation.js').Conversation} Conversation */
/** @typedef {import('./oneport.js').Room} Room */
/** @typedef {import('./recipient.js').Person} Person */

/** @typedef {{id: string, text: string, to: Readonly<Person>|null, isUnsent: boolean}} Message */

export const TOPIC = 'chat';

/** In a crowd, everybody would pay for receipts and typing signs. */
export const CROWD = 30;

/** One who goes on writing without a connection must hear of it. */
const UNSENT_MAX = 200;

/** Receipts come within ten seconds, so only the latest messages can get one. */
const AWAITED_MAX = 500;

/** What the codes mean to a person that failures have. */
const REASONS = new Map(
  Object.entries({
    unconfirmed: 'Nobody knows whether this was sent: the connection broke for too long.',
    queue_full: 'Not sent: too much is waiting already.',
    too_large: 'Not sent: it is too long.',
    no_such_member: 'Not sent: that person is not here any more.',
    left: 'Not sent: you are not in the room.',
  }),
);

export class Sending {
  #room;
  #conversation;
  /** @type {Map<string, Message>} by id */ #messages = new Map();
  #isOver = false;

  /** @param {() => Room|null} room
   * @param {Conversation} conversation */
  constructor(room, conversation) {
    this.#room = room;
    this.#conversation = conversation;
  }

  /** Sends it now or as soon as possible. Tells why not, if it cannot.
   * @param {string} text
   * @param {string} name mine
   * @param {Readonly<Person>|null} to
   * @returns {string} */
  say(text, name, to) {
    if (this.#conversation.unsent >= UNSENT_MAX) return 'Too many messages wait already';
    const message = { id: randomId(8), text, to, isUnsent: true };
    this.#messages.set(message.id, message);
    const audience = to === null ? '' : `to ${to.name} alone`;
    const from = this.#room()?.me ?? 0;
    const said = { id: message.id, sender: `own>${to?.id ?? ''}`, from, name, text, at: Date.now(), offset: null, audience, isOwn: true };
    this.#conversation.addOwn(said, () => this.#sendAgain(message));
    this.#send(message);
    return '';
  }

  /** How far the message came. @param {{id?: string, delivered: number, of: number}} receipt */
  receipt({ id = '', delivered, of }) {
    const message = this.#messages.get(id);
    this.#messages.delete(id);
    if (!message) return;
    if (of === 0) this.#conversation.deliver(id, { state: 'sent' });
    else if (delivered === of) this.#conversation.deliver(id, { state: 'delivered' });
    else this.#conversation.deliver(id, { state: 'sent', words: `sent, ${delivered} of ${of} have it` });
  }

  /** Ends it.
   * @returns {Message[]} what is not in the room, whether it waits or could not be sent */
  end() {
    const unsent = this.#unsent;
    this.#messages.clear();
    this.#isOver = true;
    onbeforeunload = null;
    return unsent;
  }

  /** @param {Message} message */
  #sendAgain(message) {
    const members = this.#room()?.members ?? new Map();
    if (message.to !== null && !isSame(message.to, members)) this.#fail(message, 'no_such_member', '');
    else this.#send(message);
  }

  /** @param {Message} message */
  async #send(message) {
    const { id, text, to } = message;
    message.isUnsent = true;
    this.#conversation.deliver(id, { state: 'waiting' });
    this.#askBeforeLoss();
    try {
      const room = this.#room();
      if (room === null) throw new RelayError('left', 'there is no room');
      const receipt = room.members.size <= CROWD;
      const { offset } = await room.send(text, { id, topic: TOPIC, to: to === null ? undefined : [to.id], receipt });
      message.isUnsent = false;
      // A receipt may have said so already, and more.
      if (this.#messages.has(id)) this.#conversation.deliver(id, { state: 'sent' });
      if (offset !== null) this.#conversation.place(id, offset);
      if (!receipt) this.#messages.delete(id);
    } catch (error) {
      this.#fail(message, error instanceof RelayError ? error.code : '', String(error instanceof Error ? error.message : error));
    }
    this.#forgetOldest();
    this.#askBeforeLoss();
  }

  /**
   * @param {Message} message
   * @param {string} code
   * @param {string} words
   */
  #fail(message, code, words) {
    const reason = REASONS.get(code) ?? `Not sent: ${words}`;
    const failed = /** @type {const} */ ({ state: 'failed', words: code === 'unconfirmed' ? 'perhaps not sent' : 'not sent', reason });
    this.#conversation.deliver(message.id, failed, () => this.#sendAgain(message));
  }

  #forgetOldest() {
    for (const [id, { isUnsent }] of this.#messages) {
      if (this.#messages.size <= AWAITED_MAX) return;
      if (!isUnsent) this.#messages.delete(id);
    }
  }

  get #unsent() {
    return [...this.#messages.values()].filter(({ isUnsent }) => isUnsent);
  }

  /** While something is not sent, the browser asks before it closes the page. */
  #askBeforeLoss() {
    if (!this.#isOver) onbeforeunload = this.#unsent.length > 0 ? (event) => event.preventDefault() : null;
  }
}
