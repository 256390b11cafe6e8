/**
 * Rooms on a oneport relay, for browsers: members, messages, history, files, over one WebRTC
 * connection that is replaced when it breaks, without losing or doubling a message. No dependency;
 * import it from any relay, on any page:
 *
 * ```js
 * import { connect } from 'http://relay.example:3478/oneport.js';
 *
 * const relay = connect();
 * const room = relay.join('lobby', { name: 'ada', history: 50 });
 * room.on('message', ({ from, text }) => console.log(from.name, text));
 * room.on('presence', ({ what, member }) => console.log(member.name, what));
 * await room.send('hello');                               // the room has it
 * await room.send('psst', { to: [7] });                   // for one member
 * for (const { id, name, away } of room.members.values()) console.log(id, name, away);
 * ```
 *
 * What it promises: a `message` that is for this member comes once and in the room's order, or a `gap`
 * or `resumed` event says that something is missing. A `send()` that resolved is in the room once.
 * Nothing is asked of the page when the network fails; `relay.on('state')` and `room.on('state')` tell.
 *
 * Where the relay asks for access tokens, `connect()` or `join()` takes one, or a function that gets one.
 * With `join(name, { key: newKey() })` only those who have the key can read the messages and files; what that
 * does not hide is said in oneport-secret.js.
 *
 * Every call checks its arguments at once. It throws, or rejects if it returns a promise: a {@link RelayError} with
 * the relay's code for a value that the relay would reject (`bad_room`, `bad_name`, `bad_meta`, `bad_frame` and
 * others), a `TypeError` with the code `bad_argument` for a payload, file, callback, listener or options object of the
 * wrong type or one that cannot be read, and a `TypeError` with the code `bad_url` for the address. `null` means the same as no value, except for
 * a key. Every promise settles: with the answer, with an error when the room or the connection has ended or the
 * relay has refused the page, or otherwise when the connection is back.
 *
 * Importing this file touches nothing. `connect()` needs WebRTC, so a page: in a worker or in Node.js the state becomes
 * `refused` with the code `unsupported`. In a bundle, name the relay with `connect({ url })`.
 *
 * The protocol is `oneport.v1`, described in PROTOCOL.md of the relay.
 *
 * @module
 */

import { RelayError, encode, utf8 } from './oneport-frames.js';
import { FRAME_BYTES_MAX, optionsOf, relayUrlOf, roomOf, storageOf } from './oneport-arguments.js';
import { Emitter } from './oneport-emitter.js';
import { Lifeline } from './oneport-lifeline.js';
import { Outbox } from './oneport-outbox.js';
import { Room } from './oneport-room.js';
import { Token } from './oneport-token.js';

export { RelayError, Room };
export { FILE_BYTES_MAX, FILE_TOPIC } from './oneport-files.js';
export { IncomingFile } from './oneport-incoming.js';
export { newKey } from './oneport-secret.js';

/** @typedef {import('./oneport-message.js').Message} Message */
/** @typedef {import('./oneport-types.js').JoinOptions} JoinOptions */
/** @typedef {import('./oneport-message.js').SendOptions} SendOptions */
/** @typedef {import('./oneport-lifeline.js').Status} Status */

/**
 * @typedef {object} ConnectOptions
 * @property {string|URL} [url] the relay, an absolute http or https URL; by default the one that served this file
 * @property {import('./oneport-token.js').TokenSource} [token] access token for every room that is joined
 *   without one of its own, or a function that gets one. It is asked anew at each attempt
 * @property {Storage|null} [storage] `sessionStorage` lets a page that is loaded again go on with its
 *   session: same member ids, and the others see it away for a moment. Without one it leaves its rooms
 */

/**
 * @typedef {object} RelayEvents
 * @property {Status} state
 * @property {RelayError} fault the relay sent what is no frame, or an error that is about no request; or
 *   the page's function gave no token for a further room
 */

/** A relay is told good-bye, and has so long to hear it. */
const GOODBYE_MS_MAX = 300;

/** The room of the signaling URL, if no room has been joined: it is only the home of plain channels. */
const NO_ROOM = 'lobby';

/** Where this file is from. Bundlers replace the expression, and take `new URL('.', import.meta.url)` for a file. */
const SOURCE = import.meta.url;

/** Connects, after the current turn, so that listeners added at once miss nothing.
 * @param {ConnectOptions} [options]
 * @throws {TypeError} `bad_url`, also without a `url` where this file was not loaded from a relay; `bad_argument`
 * @throws {RelayError} `token_bad` if the token is neither a string nor a function. A string that is no token makes
 *   the state `refused` with this code */
export function connect(options) {
  return new Relay(options);
}

/** @extends {Emitter<RelayEvents>} */
export class Relay extends Emitter {
  #url;
  #token;
  /** For a link without a room. */ #anonymous;
  #storage;
  /** @type {Lifeline} */ #lifeline;
  /** @type {Outbox} */ #outbox;
  /** @type {Map<string, Room>} */ #rooms = new Map();
  /** @type {Room|undefined} whose token the link was made with */ #home;
  /** @type {import('./oneport-frames.js').Limits|null} */ #limits = null;
  #isClosed = false;
  /** Different for every page: a session remembers ids longer than a page lives. */
  #prefix = Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  #ids = 0;

  /** @param {ConnectOptions} [options] */
  constructor(options) {
    super(['state', 'fault']);
    const { url, token, storage } = optionsOf(options, ['url', 'token', 'storage']);
    this.#url = relayUrlOf(url, SOURCE);
    this.#token = token;
    this.#anonymous = new Token(token);
    this.#storage = storageOf(storage);
    this.#outbox = new Outbox(
      (data) => this.#lifeline.send(data),
      (room, kind) => kind === 'leave' || this.#rooms.get(room)?.state === 'joined',
    );
    this.#lifeline = new Lifeline(
      {
        home: () => this.#findHome(),
        state: (status) => this.#tellState(status),
        welcome: (frame) => this.#welcome(frame),
        frame: (frame) => this.#hear(frame),
        down: () => this.#down(),
        writable: () => this.#flush(),
        leaving: () => this.#leaving(),
        fault: (error) => this.emit('fault', error),
      },
      this.#storage,
      `oneport ${this.#url}`,
    );
    queueMicrotask(() => this.#isClosed || this.#lifeline.connect());
  }

  /** `connecting`, `connected`, `away`, `refused` or `closed`. */
  get state() {
    return this.#lifeline.status.state;
  }

  /** The state and why it is so. @returns {Readonly<Status>} */
  get status() {
    return this.#lifeline.status;
  }

  /** Those that were joined and not left. @returns {ReadonlyMap<string, Room>} */
  get rooms() {
    return this.#rooms;
  }

  /** What the relay allows; null before the first welcome. */
  get limits() {
    return this.#limits;
  }

  /**
   * Enters a room as soon as there is a link. `room.joined` waits for it, and rejects if the room or the relay
   * refuses this page.
   *
   * @param {string} name 1 to 64 letters, digits or `-._~`
   * @param {JoinOptions} [options]
   * @throws {RelayError} `closed`, `bad_room`, `already_in_room`, `bad_name`, `name_too_long`, `bad_meta`,
   *   `meta_too_large`, `bad_frame` (history), `token_bad`, `bad_key`; `insecure_context` if there is a key and this
   *   page may not use cryptography
   * @throws {TypeError} `bad_argument`
   */
  join(name, options) {
    if (this.#isClosed) throw new RelayError('closed', 'close() was called');
    roomOf(name);
    if (this.#rooms.has(name)) throw new RelayError('already_in_room', 'this room is joined', { room: name });
    const given = optionsOf(options, ['name', 'meta', 'history', 'token', 'key', 'fileBytesMax']);
    const room = new Room(this.#session(), name, { ...given, token: given.token ?? this.#token });
    this.#rooms.set(name, room);
    // Once the page has its listeners.
    queueMicrotask(() => this.#rooms.get(name) === room && this.#begin(room));
    return room;
  }

  /** Tries again now: out of a pause, or although it was refused. Otherwise does nothing. */
  retry() {
    if (this.state === 'refused' || this.status.retryAt !== null) this.#lifeline.connect();
  }

  /** Leaves all rooms and ends the connection for good. */
  async close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const goodbyes = Promise.all([...this.#rooms.values()].map((room) => room.leave()));
    if (this.state === 'connected') await Promise.race([goodbyes, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS_MAX))]);
    this.#lifeline.close();
    this.#outbox.reject(() => true, new RelayError('closed', 'close() was called'));
  }

  /** @param {Room} room */
  #begin(room) {
    if (this.state === 'connected') room.enter();
    // It was refused without a room, and this one may be let in.
    else if (this.state === 'refused' && this.#rooms.size === 1) this.#lifeline.connect();
    else if (this.state === 'refused') room.refused(this.#refusal());
  }

  #refusal() {
    const { code, reason } = this.status;
    return new RelayError(code, reason);
  }

  /** The first room that was joined. @returns {import('./oneport-lifeline.js').Home} */
  #findHome() {
    this.#home = this.#rooms.values().next().value;
    return { endpoint: new URL(`r/${this.#home?.name ?? NO_ROOM}`, this.#url), token: this.#home?.token ?? this.#anonymous };
  }

  /** @param {Status} status */
  #tellState(status) {
    if (status.state === 'refused') {
      // No other link comes by itself, so nobody would ever answer.
      this.#unconfirmed('the relay refused this page, and nobody knows whether this arrived');
      this.#outbox.reject(() => true, this.#refusal());
      for (const room of this.#rooms.values()) room.refused(this.#refusal());
    }
    this.emit('state', status);
  }

  /** @returns {import('./oneport-types.js').Session} */
  #session() {
    return {
      nextId: () => this.#nextId(),
      ask: (frame, how) => this.#ask(frame, how),
      tell: (frame) => this.#lifeline.send(encode(frame)),
      tellLossy: (frame) => this.#lifeline.sendLossy(this.#encode(frame).data),
      giveUp: (room, isMeant, error) => this.#outbox.reject((request) => request.room === room && isMeant(request), error),
      left: (room) => this.#rooms.get(room.name) === room && this.#rooms.delete(room.name),
      ready: () => this.#outbox.pump(),
      fault: (error) => this.emit('fault', error),
    };
  }

  #nextId() {
    this.#ids += 1;
    return `${this.#prefix}-${this.#ids}`;
  }

  /**
   * @param {import('./oneport-frames.js').ClientFrame & {id: string, room: string}} frame
   * @param {{isBulk?: boolean, isAddressed?: boolean}} [how]
   * @returns {Promise<any>}
   */
  #ask(frame, how) {
    const { id, room, t: kind } = frame;
    if (this.state === 'refused') return Promise.reject(this.#refusal());
    return new Promise((resolve, reject) => this.#outbox.add({ id, room, kind, ...this.#encode(frame), resolve, reject, ...how }));
  }

  /** @param {import('./oneport-frames.js').ClientFrame} frame @throws {RelayError} `too_large` */
  #encode(frame) {
    const data = encode(frame);
    const bytes = typeof data === 'string' ? utf8(data).length : data.length;
    const limit = Math.min(this.#limits?.frame_bytes ?? FRAME_BYTES_MAX, FRAME_BYTES_MAX);
    if (bytes > limit) throw new RelayError('too_large', `a frame has at most ${limit} bytes, not ${bytes}`, { limit });
    return { data, bytes };
  }

  /** @param {import('./oneport-frames.js').Welcome} frame */
  #welcome({ resumed, limits }) {
    this.#limits = limits;
    this.#outbox.limits = limits;
    if (!resumed) {
      const error = this.#unconfirmed('the session was lost, and nobody knows whether this arrived');
      this.#outbox.reject(({ kind }) => kind === 'leave', error);
    }
    // What was left goes first: a room that was left and joined again would be left once more.
    this.#outbox.pump();
    for (const room of this.#rooms.values()) room.enter(room === this.#home);
  }

  /** Gives up what was published and not answered. @param {string} why */
  #unconfirmed(why) {
    const error = new RelayError('unconfirmed', why);
    this.#outbox.reject(({ kind, first }) => first > 0 && kind === 'pub', error);
    return error;
  }

  #down() {
    this.#outbox.takeBack();
    for (const room of this.#rooms.values()) room.down();
  }

  #flush() {
    for (const room of this.#rooms.values()) room.flush();
    this.#outbox.pump();
  }

  /** With a storage the session waits for the page that comes next; else nobody need wait. */
  #leaving() {
    if (this.#storage !== null) return;
    for (const room of this.#rooms.keys()) this.#lifeline.send(encode({ t: 'leave', room }));
  }

  /** @param {import('./oneport-frames.js').ServerFrame} frame */
  #hear(frame) {
    const id = 'id' in frame ? frame.id : undefined;
    const room = 'room' in frame && frame.room !== undefined ? this.#rooms.get(frame.room) : undefined;
    const isOfJoin = id !== undefined && (room?.isJoin(id) ?? false);
    const isAnswer = id !== undefined && !isOfJoin && frame.t !== 'receipt';
    const request = !isAnswer ? undefined : this.#outbox.find(id);
    if (frame.t === 'err' && !isOfJoin) this.#refused(frame, request);
    else if (request === undefined) room?.hear(frame);
    else if (frame.t === 'history_begin') room?.hear(frame);
    else this.#outbox.take(id)?.resolve(frame.t === 'history_end' ? room?.takeHistory(frame) : frame);
    if (request !== undefined) this.#outbox.pump();
  }

  /**
   * @param {import('./oneport-frames.js').Err} frame
   * @param {import('./oneport-outbox.js').Request|undefined} request
   */
  #refused({ code, message, room, member, limit, retry_after_ms: retryAfterMs }, request) {
    const error = new RelayError(code, message, { retryAfterMs, room, member, limit });
    if (request === undefined) this.emit('fault', error);
    else if (code === 'rate' && retryAfterMs !== undefined) this.#outbox.postpone(request, retryAfterMs);
    // The room is about to be entered again.
    else if (code === 'not_in_room' && this.#rooms.get(request.room)?.state === 'away') this.#outbox.postpone(request, 0);
    else this.#outbox.take(request.id)?.reject(error);
  }
}
