/** One stay in one room: what happens there, shown, and what is done there. */

import { mayKick, nameInToken } from './address.js';
import { giveHues } from './hues.js';
import { MESSAGE_BYTES_MAX, askToKick, withdrawKick } from './kick.js';
import { myName, prescribeName, showMe } from './me.js';
import { Moves } from './moves.js';
import { cleanLine } from './names.js';
import { connect, RelayError } from './oneport.js';
import { People } from './people.js';
import { Recipient, audienceOf } from './recipient.js';
import { CROWD, Sending, TOPIC } from './sending.js';
import { showStatus } from './status.js';
import { cleanName, duration, nameOf, randomId, textOf } from './text.js';
import { Transfers, declineWords } from './transfers.js';
import { Typing } from './typing.js';

/** @typedef {import('./address.js').Place} Place */
/** @typedef {import('./conversation.js').Conversation} Conversation */
/** @typedef {import('./oneport.js').Message} Message */
/** @typedef {import('./oneport.js').Room} Room */
/** @typedef {import('./line.js').Said} Said */

const TYPING_TOPIC = `${TOPIC}.typing`;

/** How much of what was said before is shown at once, and with each step further back. */
const HISTORY = 50;

/** Why messages are missing. @type {Map<string, string>} */
const GAPS = new Map([
  ['slow', 'this page or its network could not keep up'],
  ['expired', 'the relay does not keep them so long'],
  ['memory', 'the relay was short of memory'],
  ['too_large', 'too large for this page'],
]);

/** Why a message cannot be read. @type {Map<string, string>} */
const UNREADABLE = new Map([
  ['no_key', 'it is encrypted, and the link to this room has no key.'],
  ['wrong_key', 'it was encrypted with another key, or changed on its way.'],
  ['not_sealed', 'it is not encrypted, as all in this room should be.'],
]);

export class Stay {
  #place;
  /** @type {Conversation} */ #conversation;
  #relay;
  /** @type {Room|null} */ #room = null;
  recipient = new Recipient();
  #people;
  #typing = new Typing();
  #moves;
  #sending;
  /** @type {Transfers|null} */ #transfers = null;
  /** @type {Map<number, string>} names as notes have told them */ #names = new Map();
  /** Why the room does not let us in. @type {{code: string, reason: string, said: string}|null} */ #refusal = null;
  #wasIn = false;
  /** In again, after a stay that had ended. */
  #isReturn = false;
  #lostAt = 0;
  #isOver = false;
  #chosen;

  /**
   * @param {Place} place
   * @param {Conversation} conversation
   * @param {() => void} chosen somebody was chosen to be written to alone
   */
  constructor(place, conversation, chosen) {
    this.#place = place;
    this.#conversation = conversation;
    this.#chosen = chosen;
    this.#moves = new Moves(conversation);
    this.#people = new People((id) => this.#writeTo(id), mayKick(place.token) ? (id) => this.#kick(id) : null);
    this.#sending = new Sending(() => this.#room, conversation);
    this.#relay = connect({ token: place.token, storage: tabStorage() });
    this.#relay.on('state', () => this.#showState());
    this.#relay.on('fault', ({ code, message }) => console.warn(`oneport: ${code}: ${message}`));
    conversation.loadEarlier = (before) => this.#loadEarlier(before);
    prescribeName(nameInToken(place.token));
    this.#people.clear();
    this.recipient.clear();
    this.#enter();
  }

  /** Once more, after it was refused or while it waits. */
  retry() {
    if (this.#relay.state === 'closed') location.reload();
    else if (this.#refusal === null) this.#relay.retry();
    else this.#enter();
  }

  /** Tells why not, if it cannot be said.
   * @param {string} text */
  say(text) {
    this.#typing.restart();
    return this.recipient.problem || this.#sending.say(text, this.#myName, this.recipient.person);
  }

  /** @param {File[]} files */
  offer(files) {
    if (this.recipient.problem !== '') return this.recipient.problem;
    return this.#transfers?.offer(files, this.#myName, this.recipient.person) ?? 'There is no room to send it to';
  }

  /** I am writing. */
  type() {
    const room = this.#room;
    if (room?.state !== 'joined' || room.members.size < 2 || room.members.size > CROWD || this.recipient.problem !== '') return;
    const { person } = this.recipient;
    if (!this.#typing.isDue()) return;
    // Nobody needs to hear that it did not arrive.
    room.send('', { topic: TYPING_TOPIC, class: 'lossy', to: person === null ? undefined : [person.id] }).catch(() => {});
  }

  /** I have another name. */
  rename() {
    const failed = (/** @type {unknown} */ error) =>
      this.#conversation.note(`Your new name was not taken: ${error instanceof Error ? error.message : error}`);
    this.#room?.update({ name: myName() }).catch(failed);
  }

  /** Ends the stay.
   * @returns {import('./sending.js').Message[]} what was said and not sent */
  leave() {
    const unsent = this.#sending.end();
    this.#moves.clear();
    this.#typing.clear();
    this.#transfers?.clear();
    this.#people.clear();
    this.recipient.clear();
    // Nothing of this room is shown from here on, not even how its connection ends.
    this.#isOver = true;
    this.#room = null;
    this.#relay.close();
    return unsent;
  }

  get #myName() {
    const me = this.#room?.me ?? null;
    return me === null ? myName() : nameOf(this.#room?.members.get(me));
  }

  #enter() {
    this.#refusal = null;
    this.#transfers?.clear();
    this.#isReturn = this.#wasIn;
    this.#lostAt = 0;
    const { room: name, token, key } = this.#place;
    try {
      const room = this.#relay.join(name, { name: myName(), history: HISTORY, token, key });
      this.#room = room;
      this.#transfers = new Transfers(room, this.#conversation);
      this.#listen(room);
    } catch (error) {
      // Such a link or such a browser has no use for a connection.
      this.#relay.close();
      this.#refuse(error instanceof RelayError ? error : new RelayError('internal', String(error)));
    }
    this.#showState();
  }

  /** @param {Room} room */
  #listen(room) {
    /** Of a room that was left nothing is shown any more.
     * @template T @param {(detail: T) => void} show @returns {(detail: T) => void} */
    const here = (show) => (detail) => {
      if (this.#room === room) show(detail);
    };
    room.on('state', here(() => this.#showState()));
    room.on('message', here((message) => this.#hear(message)));
    room.on('unreadable', here((message) => this.#hearUnreadable(message)));
    room.on('presence', here((presence) => this.#see(presence)));
    room.on('members', here((members) => {
      giveHues(members.keys());
      showMe(room.me);
      this.#people.show(members, room.me);
      this.recipient.update(members);
    }));
    room.on('history', here((history) => this.#conversation.historyTold(history)));
    room.on('receipt', here((receipt) => this.#sending.receipt(receipt)));
    room.on('resumed', here((how) => this.#resumed(how)));
    room.on('gap', here((gap) => this.#miss(gap)));
    room.on('declined', here(({ from, name, reason }) => {
      this.#conversation.note(`${nameOf(from)} wanted to send you ${cleanName(name) || 'a file'}. It was not taken: ${declineWords(reason)}.`);
    }));
    room.on('left', here(({ reason, message = '', error }) => {
      const said = error === undefined ? cleanLine(message, MESSAGE_BYTES_MAX) : '';
      this.#refuse({ code: error?.code ?? reason, message: message || `the room was left: ${reason}`, said });
    }));
  }

  /** @param {{code: string, message: string, said?: string}} why `said` by who removed us, or closed the room */
  #refuse({ code, message, said = '' }) {
    this.#refusal = { code, reason: message, said };
    this.#people.clear();
    this.#showState();
  }

  #showState() {
    const { state, code, reason, retryAt } = this.#relay.status;
    if (this.#isOver) return;
    if (this.#refusal !== null) showStatus({ state: 'refused', ...this.#refusal });
    else if (state === 'refused') showStatus({ state, code, reason });
    else if (this.#room?.state === 'joined') this.#joined();
    else if (state !== 'closed') {
      if (this.#wasIn && this.#lostAt === 0) this.#lostAt = Date.now();
      showStatus({ state: this.#wasIn ? 'reconnecting' : 'connecting', code, reason, retryAt });
    }
  }

  #joined() {
    if (this.#isReturn) this.#beginEra('You came in again');
    this.#isReturn = false;
    this.#wasIn = true;
    showStatus({ state: 'connected' });
  }

  /** @param {{recovered: boolean, reason?: string}} how */
  #resumed({ recovered, reason = '' }) {
    const away = duration(Date.now() - (this.#lostAt || Date.now()));
    this.#lostAt = 0;
    this.#typing.clear();
    if (recovered) return;
    const why = reason === 'fell_off' ? 'More was said meanwhile than the relay keeps.' : 'The relay did not wait so long, or was restarted.';
    this.#beginEra(`Connected again after ${away}. ${why} What it still has of that time follows; the rest is missing.`);
    this.recipient.doubt(this.#room?.members ?? new Map());
  }

  /** @param {string} note */
  #beginEra(note) {
    this.#conversation.beginEra(note);
    // In another epoch somebody else may have the number.
    withdrawKick();
    this.#moves.clear();
    this.#names.clear();
  }

  /** @param {{from: number, to: number, reason: string}} gap */
  #miss({ from, to, reason }) {
    // Typing signs, and parts of files: each of those says so itself.
    if (reason === 'transient') return;
    const many = to - from === 1 ? 'A message is' : `Up to ${(to - from).toLocaleString()} messages are`;
    this.#conversation.note(`${many} missing here: ${GAPS.get(reason) ?? reason}.`);
  }

  /** @param {Message} message */
  #hear(message) {
    const { from, topic, isHistory, isOwn } = message;
    if (topic === TYPING_TOPIC && !isOwn) this.#typing.hear(from.id, nameOf(from), message.to !== null);
    if (topic !== TOPIC) return;
    this.#typing.stop(from.id);
    this.#conversation.add(this.#shown(message, textOf(message)), isHistory);
  }

  /** @param {{from: Message['from'], topic: string, offset: number|null, reason: string}} message */
  #hearUnreadable({ from, topic, offset, reason }) {
    if (topic !== TOPIC) return;
    const text = `A message that cannot be read: ${UNREADABLE.get(reason) ?? reason}`;
    const said = { id: randomId(8), sender: `${from.id}>?`, from: from.id, name: nameOf(from), text, at: Date.now(), offset };
    this.#conversation.add({ ...said, isUnreadable: true }, false);
  }

  /** @param {Message} message
   * @param {string} text
   * @returns {Said} */
  #shown({ from, to, time, offset, isOwn }, text) {
    const sender = `${isOwn ? 'own' : from.id}>${to?.join() ?? ''}`;
    const audience = this.#room === null ? '' : audienceOf(to, this.#room, isOwn);
    return { id: randomId(8), sender, from: from.id, name: nameOf(from), text, at: time, offset, isOwn, audience };
  }

  /** @param {{what: string, member: Message['from'], reason?: string}} presence */
  #see({ what, member, reason = '' }) {
    const { id } = member;
    const name = nameOf(member);
    const before = this.#names.get(id) ?? this.#people.nameOf(id) ?? name;
    const isCrowd = (this.#room?.members.size ?? 0) > CROWD;
    this.#names.set(id, name);
    if (what === 'away' || what === 'left') this.#typing.stop(id);
    if (what === 'joined') this.#moves.joined(name);
    else if (what === 'left') {
      this.#names.delete(id);
      this.#moves.left(id, name, reason);
    } else if (what === 'away' && !isCrowd) this.#moves.away(id, name);
    else if (what === 'back') this.#moves.back(id, name);
    else if (what === 'updated' && before !== name) this.#conversation.note(`${before} is now ${name}`);
  }

  /** @param {number} before */
  async #loadEarlier(before) {
    const room = this.#room;
    const { messages, from, more } = (await room?.history({ before, count: HISTORY })) ?? { messages: [], from: 0, more: false };
    if (this.#room !== room) return;
    const said = messages.filter(({ topic }) => topic === TOPIC).map((message) => this.#shown(message, textOf(message)));
    this.#conversation.prepend(said, { from, more });
  }

  /** @param {number} id */
  #writeTo(id) {
    const member = this.#room?.members.get(id);
    if (!member) return;
    this.recipient.choose(member);
    this.#chosen();
  }

  /** @param {number} id */
  #kick(id) {
    const room = this.#room;
    const name = nameOf(room?.members.get(id));
    askToKick(name, async (message) => {
      try {
        await room?.kick(id, message || undefined);
      } catch (error) {
        if (this.#room === room) this.#conversation.note(`${name} was not removed: ${error instanceof Error ? error.message : error}`);
      }
    });
  }
}

/** A browser may forbid storage altogether; then a reload is a new visit. */
function tabStorage() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}
