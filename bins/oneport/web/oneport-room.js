/**
 * A room as one of its members sees it, across as many links as it takes: everything that is for the
 * member once and in order, or an event that says what is missing.
 *
 * @module
 */

import { RelayError } from './oneport-frames.js';
import { bytesMaxOf, countOf, memberOf, metaOf, nameOf, noticeOf, optionsOf } from './oneport-arguments.js';
import { Delivery } from './oneport-delivery.js';
import { Emitter } from './oneport-emitter.js';
import { Entry } from './oneport-entry.js';
import { FILE_BYTES_MAX, FILE_TOPIC, Files } from './oneport-files.js';
import { message, publication } from './oneport-message.js';
import { People } from './oneport-people.js';
import { Secret } from './oneport-secret.js';
import { Told } from './oneport-told.js';
import { Token } from './oneport-token.js';
import { Turns } from './oneport-turns.js';

/** @typedef {import('./oneport-types.js').RoomEvents} RoomEvents */
/** @typedef {import('./oneport-message.js').Message} Message */

/** What may wait to be encrypted: as much as may then wait to be sent. */
const SEALING_MAX = { count: 1_000, bytes: 16 * 1024 * 1024 };

/** A relay sends at most `limits.history` at a time; one that goes on for ever is broken. */
const COMING_MAX = 10_000;

/** How many ids of this member are known as its own: there is one more after each lost session. */
const MINE_MAX = 100;

/** How many messages `history()` asks for. */
const HISTORY_DEFAULT = 50;

/** @type {(keyof RoomEvents)[]} */
const EVENTS = [
  'message', 'presence', 'members', 'unreadable', 'gap', 'resumed', 'history', 'receipt', 'left', 'state', 'file', 'declined',
];

/** @extends {Emitter<RoomEvents>} */
export class Room extends Emitter {
  #session;
  #options;
  #people = new People();
  #files;
  #delivery;
  #entry;
  /** @type {import('./oneport-types.js').RoomState} */ #state = 'joining';
  /** @type {number|null} */ #me = null;
  /** @type {Set<number>} the ids that it has had in this epoch */ #mine = new Set();
  #told = new Told();
  /** @type {Message[]|null} an answer of history that is coming */ #coming = null;
  #announced = false;
  #wasExpired = false;
  /** @type {Secret|null} */ #secret;
  /** What is said is sealed in its order. */
  #sealing = new Turns(SEALING_MAX);
  /** @type {(room: Room) => void} */ #entered = () => {};
  /** @type {(error: RelayError) => void} */ #notEntered = () => {};

  /**
   * By `relay.join()`.
   * @param {import('./oneport-types.js').Session} session
   * @param {string} name
   * @param {import('./oneport-types.js').JoinOptions} options
   */
  constructor(session, name, options) {
    super(EVENTS);
    this.#session = session;
    this.#options = { name: nameOf(options.name), meta: metaOf(options.meta), history: countOf(options.history, 'history') };
    const fileBytesMax = bytesMaxOf(options.fileBytesMax, 'fileBytesMax') ?? FILE_BYTES_MAX;
    /** @type {import('./oneport-files.js').Place} */
    const place = {
      publish: (bytes, to, isBulk) => this.#publish(bytes, { topic: FILE_TOPIC, to, class: 'transient' }, isBulk),
      isIn: () => this.#state === 'joined',
      requireIn: () => this.#requireIn(),
      isMember: (id) => this.members.has(id),
      others: () => [...this.members.keys()].filter((id) => id !== this.#me),
      find: (id) => this.#people.find(id),
      epoch: () => this.#told.epoch,
      requireEpoch: (epoch) => this.#requireEpoch(epoch),
      declined: (/** @type {import('./oneport-files.js').Declined} */ declined) => this.emit('declined', declined),
    };
    this.name = name;
    this.token = new Token(options.token);
    this.#secret = options.key === undefined ? null : new Secret(name, options.key);
    this.#files = new Files(place, fileBytesMax);
    this.#delivery = new Delivery((type, detail) => this.emit(type, detail), this.#secret, this.#files);
    this.#entry = new Entry(
      {
        join: (id, token) => this.#sayJoin(id, token),
        nextId: () => session.nextId(),
        noToken: (error) => session.fault(error),
        badToken: (error) => this.#refuse(error),
      },
      this.token,
    );
    /** Resolves once the member is in, and rejects if it is refused, by the room or by signaling. @type {Promise<Room>} */
    this.joined = new Promise((resolve, reject) => {
      this.#entered = resolve;
      this.#notEntered = reject;
    });
    // Who does not wait for it hears of it by `left`.
    this.joined.catch(() => {});
  }

  get state() {
    return this.#state;
  }

  /** This member's own id, while it is in. */
  get me() {
    return this.#me;
  }

  /** Everybody in the room, this member included, by id. @returns {ReadonlyMap<number, Readonly<import('./oneport-types.js').Member>>} */
  get members() {
    return this.#people.present;
  }

  /**
   * Publishes a message. Resolves once the room has it: with its place in the order, and whether an
   * earlier attempt had brought it there. Until then it waits, over lost links too. Awaiting it before
   * the next one is all the back-pressure that a page needs; `queue_full` is for those that do not.
   *
   * Rejects with a {@link RelayError}: a code of the relay; `left` or `closed`; `queue_full`;
   * `unconfirmed` if the session was lost and nobody knows whether it arrived.
   *
   * The data is a string, an ArrayBuffer (of any realm, also a shared one) or any view of one, whose bytes are sent
   * as they are in memory now. Everything else rejects with a `TypeError` (`bad_argument`), and an option that the
   * relay would reject with its code, mostly `bad_frame`.
   *
   * A `lossy` message never waits and never holds up another: it goes over a channel without order and
   * retransmission. `offset` is null, and `dropped` says if it was not even sent.
   *
   * @param {string|ArrayBufferLike|ArrayBufferView} data
   * @param {import('./oneport-message.js').SendOptions} [options]
   * @returns {Promise<{offset: number|null, duplicate: boolean, dropped: boolean}>}
   */
  async send(data, options) {
    return this.#publish(data, options);
  }

  /**
   * Sends a file to the members who are there now; they get a `file` event. It does not delay messages. Resolves when
   * each of them has it, has declined it, or is given up:
   *
   * - `delivered`: who has all of it.
   * - `declined`: who did not want it. `onDecline` gets the reasons.
   * - `missed`: who else does not have it, and why: `left`; `away`, its connection was lost; `silent`, it did not
   *   answer, mostly because it cannot take files; `stuck`, it stopped taking parts; `broken`, it lost a part;
   *   `stalled`, it got nothing for a minute.
   *
   * Rejects as `send()` does; with `declined` if all have declined it; with `canceled` if the signal is aborted; with
   * `unreadable_file` if the browser cannot read it; with a `TypeError` (`bad_argument`) for what is no Blob.
   *
   * @param {Blob} blob of any realm
   * @param {import('./oneport-files.js').SendOptions} [options]
   * @returns {Promise<import('./oneport-files.js').Outcome>}
   */
  async sendBlob(blob, options) {
    this.#requireIn();
    return this.#files.send(blob, options);
  }

  /**
   * Earlier messages, oldest first; all that this member may see. For those before them, ask again
   * with `before` = the answer's `from`, if there is `more`.
   *
   * @param {{before?: number, count?: number}} [options]
   * @returns {Promise<import('./oneport-types.js').History>}
   */
  async history(options) {
    this.#requireIn();
    const given = optionsOf(options, ['before', 'count']);
    const before = countOf(given.before, 'before', Number.MAX_SAFE_INTEGER) ?? this.#told.since?.offset;
    const count = countOf(given.count, 'count') ?? HISTORY_DEFAULT;
    const id = this.#session.nextId();
    return this.#session.ask({ t: 'history', id, room: this.name, before, count }, { isAddressed: before !== undefined });
  }

  /** Changes one's own name or metadata; null takes it away.
   * @param {{name?: string|null, meta?: unknown}} change */
  async update(change) {
    this.#requireIn();
    const { name, meta } = optionsOf(change, ['name', 'meta']);
    const given = { name: name === null ? null : nameOf(name), meta: meta === null ? null : metaOf(meta) };
    await this.#session.ask({ t: 'update', id: this.#session.nextId(), room: this.name, ...given });
    const changed = {
      ...(given.name !== undefined && { name: given.name ?? undefined }),
      ...(given.meta !== undefined && { meta: given.meta ?? undefined }),
    };
    Object.assign(this.#options, changed);
    if (this.#me === null) return;
    this.#people.change(this.#me, changed);
    this.#announce();
  }

  /** Removes another member, for those who may.
   * @param {number} member @param {string} [message] 1 to 256 bytes, sent to that member */
  async kick(member, message) {
    this.#requireIn();
    const about = { member: memberOf(member), message: noticeOf(message) };
    await this.#session.ask({ t: 'kick', id: this.#session.nextId(), room: this.name, ...about }, { isAddressed: true });
  }

  /** Leaves at once. Resolves when the relay knows, or need not. */
  async leave() {
    if (this.#state === 'left') return;
    // A join without an answer is about to succeed.
    const isIn = this.#state === 'joined' || this.#entry.isAsking;
    const id = this.#session.nextId();
    const said = isIn ? this.#session.ask({ t: 'leave', id, room: this.name }).catch(() => {}) : null;
    this.end('left', { reason: 'left' }, id);
    await said;
  }

  /**
   * @param {string|ArrayBufferLike|ArrayBufferView} data
   * @param {import('./oneport-message.js').SendOptions} [options]
   * @param {boolean} [isBulk]
   */
  async #publish(data, options, isBulk) {
    this.#requireIn();
    const frame = publication(this.name, data, options, () => this.#session.nextId());
    const { answer } = this.#secret === null ? this.#say(frame, isBulk) : await this.#saySealed(this.#secret, frame, isBulk);
    const { offset, duplicate = false, dropped = false } = await answer;
    if (!frame.echo && offset !== undefined) this.#told.remember(offset);
    return { offset: offset ?? null, duplicate, dropped };
  }

  /** The answer is wrapped: who waits for its turn does not wait for that.
   * @param {import('./oneport-frames.js').ClientFrame & {id: string, room: string}} frame
   * @param {boolean} [isBulk]
   * @returns {{answer: {dropped: boolean, offset?: undefined, duplicate?: undefined}|Promise<any>}} */
  #say(frame, isBulk) {
    this.#requireIn();
    if (frame.class !== 'lossy') return { answer: this.#session.ask(frame, { isBulk, isAddressed: frame.to !== undefined }) };
    const isTold = this.#state === 'joined' && this.#session.tellLossy({ ...frame, id: undefined });
    return { answer: { dropped: !isTold } };
  }

  /** @param {Secret} secret
   * @param {ReturnType<typeof publication>} frame
   * @param {boolean} [isBulk] */
  #saySealed(secret, { text, binary, ...frame }, isBulk) {
    const { epoch } = this.#told;
    const seal = async () => {
      const sealed = await secret.seal(frame.topic ?? '', { text, binary });
      // It was not among those that #beginEpoch() gives up.
      if (frame.to !== undefined && epoch !== '') this.#requireEpoch(epoch);
      return this.#say({ ...frame, binary: sealed }, isBulk);
    };
    return this.#sealing.take(seal, text?.length ?? binary?.length);
  }

  #requireIn() {
    if (this.#state === 'left') throw new RelayError('left', 'this room was left');
  }

  // What follows is for the session.

  /** A link is there: enter, or come back.
   * @param {boolean} [isHome] whether signaling has shown this room's token just now */
  enter(isHome) {
    this.#entry.begin(isHome);
  }

  flush() {
    this.#entry.flush();
  }

  /** @param {string} id @param {string|undefined} token */
  #sayJoin(id, token) {
    const { name, meta, history } = this.#options;
    const since = this.#told.since;
    return this.#session.tell({ t: 'join', id, room: this.name, name, meta, token, since, history: history || undefined });
  }

  /** The link is gone. */
  down() {
    this.#entry.stop();
    this.#coming = null;
    if (this.#state === 'joined') this.#become('away');
  }

  /**
   * A frame about this room that is no answer to a request.
   * @param {import('./oneport-frames.js').ServerFrame} frame
   */
  hear(frame) {
    if (frame.t === 'joined') this.#join(frame);
    else if (frame.t === 'err') this.#entry.refused(frame) || this.#refuse(frame);
    else if (this.#state !== 'joined') return;
    else if (frame.t === 'msg') this.#message(frame);
    else if (frame.t === 'presence') this.#presence(frame);
    else if (frame.t === 'gap') this.#gap(frame);
    else if (frame.t === 'history_begin') this.#beginHistory(frame);
    else if (frame.t === 'history_end') this.#catchUp(frame, this.#takeComing());
    else if (frame.t === 'receipt') this.#delivery.tell('receipt', { id: frame.id, offset: frame.offset, delivered: frame.delivered, of: frame.of });
    else if (frame.t === 'left' && frame.reason === 'expired' && this.token.isRenewable) this.#renew();
    else if (frame.t === 'left') this.end('left', { reason: frame.reason, message: frame.message });
  }

  /** @param {import('./oneport-frames.js').HistoryBegin} frame */
  #beginHistory({ authors = [] }) {
    this.#people.addAuthors(authors);
    this.#coming = [];
  }

  /** The answer to `history()` that is complete now.
   * @param {import('./oneport-frames.js').HistoryEnd} frame
   * @returns {Promise<import('./oneport-types.js').History>} */
  async takeHistory({ from, to, more }) {
    return { messages: await this.#delivery.history(this.#takeComing()), from, to, more };
  }

  #takeComing() {
    const coming = this.#coming ?? [];
    this.#coming = null;
    return coming;
  }

  /** @param {string} id */
  isJoin(id) {
    return this.#entry.isJoin(id);
  }

  /** Signaling was refused: whoever waits to be in need not wait on. `relay.retry()` may change that.
   * @param {RelayError} error */
  refused(error) {
    this.#notEntered(error);
  }

  /**
   * Over: requests are given up, but for one.
   * @param {string} code
   * @param {RoomEvents['left']} why
   * @param {string} [butFor]
   */
  end(code, why, butFor) {
    this.down();
    const error = why.error ?? new RelayError(code, why.message ?? 'the room was left', { room: this.name });
    this.#session.giveUp(this.name, ({ id }) => id !== butFor, error);
    this.#notEntered(error);
    this.#become('left');
    this.#delivery.failFiles('the room was left');
    this.#session.left(this);
    this.#delivery.tell('left', why);
  }

  /** @param {import('./oneport-frames.js').Joined} frame */
  #join(frame) {
    if (frame.id === undefined || !this.#entry.isJoin(frame.id)) return;
    const { epoch, offset, recovered, reason, members } = frame;
    const isBack = this.#told.epoch !== '';
    if (epoch !== this.#told.epoch) this.#beginEpoch(epoch, isBack);
    this.#entry.succeed();
    this.#me = frame.you;
    this.#mine.add(frame.you);
    const [oldest] = this.#mine;
    if (this.#mine.size > MINE_MAX) this.#mine.delete(oldest);
    this.#people.begin(members, offset, frame.total <= members.length);
    if (!recovered && isBack) this.#delivery.failFiles('the session was lost');
    if (isBack) this.#files.resume(recovered);
    // Without history to come, everything up to here is told or missing.
    const isOwedHistory = !recovered && (this.#options.history ?? 0) > 0;
    if (!recovered && !isOwedHistory) this.#told.until(offset);
    this.#become('joined');
    this.#announce();
    this.#entered(this);
    if (isBack) this.#delivery.tell('resumed', { recovered, reason: this.#wasExpired ? 'expired' : reason });
    this.#wasExpired = false;
    if (frame.total > members.length) this.#askMembers(members.at(-1)?.id ?? 0);
    this.#session.ready();
  }

  /** Nobody is who they were.
   * @param {string} epoch @param {boolean} isBack */
  #beginEpoch(epoch, isBack) {
    if (isBack) {
      this.#session.giveUp(this.name, ({ isAddressed }) => isAddressed === true, this.#othersNow());
    }
    this.#told.begin(epoch);
    this.#people.clear();
    this.#mine.clear();
  }

  /** @param {string} epoch */
  #requireEpoch(epoch) {
    if (epoch !== this.#told.epoch) throw this.#othersNow();
  }

  #othersNow() {
    return new RelayError('no_such_member', 'the room has begun anew, with other member ids', { room: this.name });
  }

  /** @param {number} after */
  async #askMembers(after) {
    for (let more = true; more && this.#state === 'joined'; ) {
      const id = this.#session.nextId();
      /** @type {import('./oneport-frames.js').Members|null} */
      const page = await this.#session.ask({ t: 'members', id, room: this.name, after }, { isAddressed: true }).catch(() => null);
      const last = page?.members.at(-1)?.id ?? after;
      if (page === null || last <= after) return;
      this.#people.add(page.members, page.offset);
      this.#announce();
      after = last;
      more = page.more;
    }
  }

  /** The relay has let this member go; with a new token it comes back, as another. */
  #renew() {
    this.down();
    this.#wasExpired = true;
    this.#entry.renew();
  }

  /** @param {{code: string, message: string, limit?: number}} why */
  #refuse({ code, message, limit }) {
    const error = new RelayError(code, message, { room: this.name, limit });
    this.end(code, { reason: 'refused', message, error });
  }

  /** @param {import('./oneport-frames.js').Msg} frame */
  #message(frame) {
    const { offset } = frame;
    if (offset === undefined) this.#delivery.message(this.#read(frame, false));
    else if (this.#coming !== null) this.#coming.length < COMING_MAX && this.#coming.push(this.#read(frame, true));
    else if (this.#told.advance(offset, offset + 1)) this.#delivery.message(this.#read(frame, false));
  }

  /** @param {import('./oneport-frames.js').Presence} frame */
  #presence({ what, member, reason, time, offset, ...rest }) {
    if (!this.#told.advance(offset, offset + 1)) return;
    this.#people.apply({ what, member, reason, time, offset, ...rest });
    if (what === 'left') this.#delivery.failFiles('the sender has left', ({ from }) => from.id === member.id);
    this.#delivery.tell('presence', { what, member, reason, time, offset });
    this.#announce();
  }

  /** @param {import('./oneport-frames.js').Gap} frame */
  #gap({ from, to, reason }) {
    if (reason !== 'transient' && !this.#told.advance(from, to)) return;
    this.#delivery.failFiles('part of it is missing');
    this.#delivery.tell('gap', { from, to, reason });
  }

  /** What was asked for with the join: first what is older than everything else.
   * @param {import('./oneport-frames.js').HistoryEnd} frame @param {Message[]} coming */
  #catchUp({ from, to, more }, coming) {
    const news = coming.filter(({ offset }) => this.#told.isNews(offset ?? 0));
    this.#told.until(to);
    for (const told of news) this.#delivery.message(told);
    this.#delivery.tell('history', { from, to, more });
  }

  /** @param {import('./oneport-frames.js').Msg} frame @param {boolean} isHistory */
  #read(frame, isHistory) {
    return message(frame, this.#people.find(frame.from), { isOwn: this.#mine.has(frame.from), isHistory });
  }

  /** Many changes at once are one event. */
  #announce() {
    if (this.#announced) return;
    this.#announced = true;
    queueMicrotask(() => {
      this.#announced = false;
      this.#delivery.tell('members', this.members);
    });
  }

  /** @param {import('./oneport-types.js').RoomState} state */
  #become(state) {
    if (this.#state === state) return;
    this.#state = state;
    this.#delivery.tell('state', state);
  }
}
