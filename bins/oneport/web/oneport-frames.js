/**
 * The frames of `oneport.v1` (PROTOCOL.md), to and from data channel messages. Knows no connection.
 *
 * What comes from the relay is checked member by member: a frame that `decode` returns is what its
 * type says. Members that nobody knows are left out, and so are those that have their default.
 *
 * @module
 */

/** @typedef {{id: number, name?: string, meta?: unknown, away?: boolean}} Member */

/** @typedef {{id: number, name: string}} Author of a message in the history, who may have left */

/** @typedef {'left'|'lost'|'kicked'|'slow'|'replaced'|'expired'|'closed'|'shutdown'} LeaveReason */

/**
 * @typedef {object} Limits
 * @property {number} frame_bytes
 * @property {number} rooms
 * @property {number} history
 * @property {number} publish_ids
 * @property {number} frames_per_s
 * @property {number} bytes_per_s
 */

/**
 * Frames of the relay, by PROTOCOL.md section 6.
 *
 * @typedef {{t: 'welcome', id?: string, version: 1, session: string, resume: string, resumed: boolean, ping_ms: number, grace_ms: number, limits: Limits}} Welcome
 * @typedef {{t: 'joined', id?: string, room: string, epoch: string, offset: number, you: number, recovered: boolean, reason?: string, total: number, members: Member[]}} Joined
 * @typedef {{t: 'msg', room: string, offset?: number, from: number, time: number, topic?: string, to?: number[], text?: string, binary?: Uint8Array<ArrayBuffer>}} Msg
 * @typedef {{t: 'presence', room: string, offset: number, time: number, what: 'joined'|'updated'|'away'|'back'|'left', reason?: LeaveReason, member: Member}} Presence
 * @typedef {{t: 'ack', id: string, room: string, offset?: number, duplicate?: boolean}} Ack
 * @typedef {{t: 'receipt', id?: string, room: string, offset: number, delivered: number, of: number}} Receipt
 * @typedef {{t: 'history_begin', id?: string, room: string, authors?: Author[]}} HistoryBegin
 * @typedef {{t: 'history_end', id?: string, room: string, from: number, to: number, more: boolean}} HistoryEnd
 * @typedef {{t: 'members', id?: string, room: string, offset: number, total: number, members: Member[], more: boolean}} Members
 * @typedef {{t: 'gap', room: string, from: number, to: number, reason: string}} Gap
 * @typedef {{t: 'left', id?: string, room: string, reason: LeaveReason, message?: string}} Left
 * @typedef {{t: 'err', id?: string, code: string, message: string, room?: string, member?: number, limit?: number, retry_after_ms?: number}} Err
 * @typedef {{t: 'bye', code: string, message: string, retry_after_ms?: number}} Bye
 * @typedef {{t: 'ping', n: number}} Ping
 * @typedef {{t: 'pong', id?: string, n: number}} Pong
 * @typedef {Welcome|Joined|Msg|Presence|Ack|Receipt|HistoryBegin|HistoryEnd|Members|Gap|Left|Err|Bye|Ping|Pong} ServerFrame
 */

/**
 * Frames of the client, by section 5. A `pub` has `text` or `binary`.
 *
 * @typedef {{t: string, id?: string, room?: string, text?: string, binary?: Uint8Array, [member: string]: unknown}} ClientFrame
 */

/** The DCEP protocol of a channel that carries frames. */
export const PROTOCOL = 'oneport.v1';

const U32_MAX = 2 ** 32 - 1;
const TO_MAX = 64;
const AUTHORS_MAX = 1000;
const NESTED_MAX = 16;

/** Why a request was not carried out, or a connection ended. `code` is for programs: one of
 * PROTOCOL.md section 12, or one that the library documents. */
export class RelayError extends Error {
  name = 'RelayError';

  /**
   * @param {string} code
   * @param {string} message for people
   * @param {{retryAfterMs?: number, room?: string, member?: number, limit?: number}} [about]
   */
  constructor(code, message, { retryAfterMs, room, member, limit } = {}) {
    super(message);
    this.code = code;
    /** After so long the same may succeed; undefined if time does not help. */
    this.retryAfterMs = retryAfterMs;
    this.room = room;
    this.member = member;
    this.limit = limit;
  }
}

/** @param {string} what @returns {never} */
function bad(what) {
  throw new RelayError('bad_frame', what);
}

/** @typedef {(value: any) => any} Check gives the value back if it is right, and throws if not */

/** @param {number} max @returns {Check} */
const upTo = (max) => (value) => (Number.isInteger(value) && value >= 0 && value <= max ? value : bad('a number'));
const u32 = upTo(U32_MAX);
const big = upTo(Number.MAX_SAFE_INTEGER);
/** @type {Check} */
const string = (value) => (typeof value === 'string' ? value : bad('a string'));
/** @type {Check} */
const flag = (value) => (typeof value === 'boolean' ? value : bad('a flag'));
/** @param {RegExp} pattern @returns {Check} */
const like = (pattern) => (value) => (pattern.test(string(value)) ? value : bad('a string of another form'));
/** @param {string[]} words @returns {Check} */
const oneOf = (...words) => (value) => (words.includes(value) ? value : bad('an unknown word'));
const room = like(/^(?!\.{1,2}$)[A-Za-z0-9\-._~]{1,64}$/);
const epoch = like(/^[0-9a-f]{16}$/);
const id = textUpTo(64);
const name = textUpTo(64);
/** @type {Check} */
const topic = (value) => (utf8(string(value)).length <= 128 ? value : bad('a topic'));
/** @type {Check} */
const meta = (value) => (depth(value) <= NESTED_MAX ? value : bad('metadata'));
const leaveReason = oneOf('left', 'lost', 'kicked', 'slow', 'replaced', 'expired', 'closed', 'shutdown');

/** Without control characters. @param {number} max @returns {Check} */
function textUpTo(max) {
  return (value) => (/^\P{Cc}+$/u.test(string(value)) && utf8(value).length <= max ? value : bad('a text'));
}

/** @type {Check} */
function recipients(value) {
  if (!Array.isArray(value) || value.length < 1 || value.length > TO_MAX) bad('recipients');
  value.forEach(u32);
  return [...new Set(value)].sort((a, b) => a - b);
}

/** How deep arrays and objects lie in each other. @param {unknown} value @returns {number} */
export function depth(value) {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depth));
}

/** @param {Record<string, Check>} required @param {Record<string, Check>} [optional] @returns {Check} */
function object(required, optional = {}) {
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) bad('an object');
    /** @type {Record<string, unknown>} */
    const checked = {};
    for (const [key, check] of Object.entries(required)) checked[key] = check(value[key]);
    for (const [key, check] of Object.entries(optional)) {
      const given = check === absent ? absent(value[key]) : value[key] ?? null;
      if (given === null || given === undefined) continue;
      const kept = check(given);
      if (kept !== false && kept !== '') checked[key] = kept;
    }
    return checked;
  };
}

/** @type {Check} */
const absent = (value) => (value === undefined || value === null ? undefined : bad('a member too many'));
const member = object({ id: u32 }, { name, meta, away: flag });
/** @type {Check} */
const page = (value) => (Array.isArray(value) && value.length <= 100 ? value.map(member) : bad('a page'));
const author = object({ id: u32, name });
/** An empty list is the default, which `false` stands for. @type {Check} */
const authors = (value) => (Array.isArray(value) && value.length <= AUTHORS_MAX ? value.length > 0 && value.map(author) : bad('authors'));

const ERR_CODES = `bad_frame unknown_type too_large wrong_channel bad_version hello_first duplicate_hello bad_room not_in_room
  already_in_room bad_name name_too_long bad_meta meta_too_large topic_too_long too_many_recipients no_such_member
  too_many_rooms_session too_many_rooms room_full rate forbidden refused token_missing token_bad token_expired memory
  shutting_down internal`.split(/\s+/);
const BYE_CODES = ['slow', 'idle', 'replaced', 'kicked', 'expired', 'protocol', 'memory', 'shutdown', 'internal'];

/** A code of later is as good as `internal`. @param {string[]} codes @returns {Check} */
const code = (codes) => (value) => (codes.includes(string(value)) ? value : 'internal');

const limits = object({
  frame_bytes: u32, rooms: u32, history: u32, publish_ids: u32, frames_per_s: u32, bytes_per_s: u32,
});

/** @type {Map<unknown, Check>} */
const SERVER = new Map(Object.entries({
  welcome: object({
    version: oneOf(/** @type {any} */ (1)), session: epoch, resume: like(/^[0-9a-f]{32}$/), resumed: flag,
    ping_ms: u32, grace_ms: u32, limits,
  }, { id }),
  joined: joined(object({
    room, epoch, offset: big, you: u32, recovered: flag, total: u32, members: page,
  }, { id, reason: oneOf('no_such_session', 'not_a_member', 'epoch_changed', 'fell_off', 'unknown_offset') })),
  msg: object({ room, from: u32, time: big, text: string }, { offset: big, topic, to: recipients }),
  presence: presence(object({
    room, offset: big, time: big, what: oneOf('joined', 'updated', 'away', 'back', 'left'), member,
  }, { reason: leaveReason })),
  ack: object({ id, room }, { offset: big, duplicate: flag }),
  receipt: object({ room, offset: big, delivered: u32, of: u32 }, { id }),
  history_begin: object({ room }, { id, authors }),
  history_end: span(object({ room, from: big, to: big, more: flag }, { id })),
  members: object({ room, offset: big, total: u32, members: page, more: flag }, { id }),
  gap: span(object({ room, from: big, to: big, reason: oneOf('slow', 'expired', 'memory', 'transient', 'too_large') })),
  left: object({ room, reason: leaveReason }, { id, message: string }),
  err: object({ code: code(ERR_CODES), message: string }, { id, room, member: u32, limit: u32, retry_after_ms: u32 }),
  bye: object({ code: code(BYE_CODES), message: string }, { retry_after_ms: u32 }),
  ping: object({ n: u32 }),
  pong: object({ n: u32 }, { id }),
}));

/** @param {Check} check @returns {Check} */
function joined(check) {
  return (value) => {
    const frame = check(value);
    return frame.recovered && frame.reason ? bad('recovered, and a reason why not') : frame;
  };
}

/** @param {Check} check @returns {Check} */
function presence(check) {
  return (value) => {
    const frame = check(value);
    return (frame.what === 'left') === ('reason' in frame) ? frame : bad('a reason');
  };
}

/** @param {Check} check @returns {Check} */
function span(check) {
  return (value) => {
    const frame = check(value);
    return frame.from <= frame.to ? frame : bad('a span that ends before it begins');
  };
}

/**
 * What a message of the relay says.
 *
 * @param {string|ArrayBuffer} data
 * @returns {ServerFrame}
 * @throws {RelayError} `unknown_type`, which is to be ignored, or `bad_frame`
 */
export function decode(data) {
  if (typeof data !== 'string') return decodeBinary(new Uint8Array(data));
  let value;
  try {
    value = JSON.parse(data);
  } catch {
    bad('no JSON');
  }
  if (typeof value !== 'object' || value === null || typeof value.t !== 'string') bad('no type');
  const check = SERVER.get(value.t);
  if (check === undefined) throw new RelayError('unknown_type', 'a frame of a type that is not known');
  return { t: value.t, ...check(value) };
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Msg} */
function decodeBinary(bytes) {
  const reader = new Reader(bytes);
  if (reader.byte() !== 2) throw new RelayError('unknown_type', 'a binary frame of a type that is not known');
  const flags = reader.byte();
  if ((flags & 0xfc) !== 0) bad('flags');
  /** @type {Msg} */
  const frame = { t: 'msg', room: room(reader.text()), from: 0, time: 0 };
  if (flags & 1) frame.offset = reader.varint();
  frame.from = u32(reader.varint());
  frame.time = reader.varint();
  const about = topic(reader.text());
  if (about !== '') frame.topic = about;
  if (flags & 2) {
    const count = upTo(TO_MAX)(reader.varint());
    frame.to = recipients(Array.from({ length: count }, () => reader.varint()));
  }
  frame.binary = reader.rest();
  return frame;
}

/** Takes a message apart. */
class Reader {
  #bytes;
  #at = 0;

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
  }

  byte() {
    return this.#at < this.#bytes.length ? this.#bytes[this.#at++] : bad('cut short');
  }

  /** RFC 9000 section 16. */
  varint() {
    const first = this.byte();
    let value = first & 0x3f;
    for (let more = (1 << (first >> 6)) - 1; more > 0; more -= 1) value = value * 256 + this.byte();
    return big(value);
  }

  text() {
    const length = this.varint();
    const end = this.#at + length;
    if (end > this.#bytes.length) bad('cut short');
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#bytes.subarray(this.#at, (this.#at = end)));
    } catch {
      return bad('no UTF-8');
    }
  }

  rest() {
    return this.#bytes.subarray(this.#at);
  }
}

/** The members of each frame of the client, in the order of PROTOCOL.md. */
const CLIENT = {
  hello: ['version', 'resume'],
  join: ['room', 'name', 'meta', 'token', 'since', 'history'],
  leave: ['room'],
  pub: ['room', 'topic', 'to', 'echo', 'class', 'receipt', 'text'],
  history: ['room', 'before', 'count'],
  members: ['room', 'after'],
  update: ['room', 'name', 'meta'],
  kick: ['room', 'member', 'message'],
  ping: ['n'],
  pong: ['n'],
};

/**
 * The message that says this. Members that are undefined are left out; `null` is only for `update`.
 *
 * @param {ClientFrame} frame
 * @returns {string|Uint8Array<ArrayBuffer>}
 */
export function encode(frame) {
  if (frame.binary !== undefined) return encodeBinary(frame);
  const members = ['t', 'id', .../** @type {Record<string, string[]>} */ (CLIENT)[frame.t]];
  return JSON.stringify(Object.fromEntries(members.map((key) => [key, frame[key]])));
}

const CLASSES = ['kept', 'transient', 'lossy'];

/** @param {ClientFrame} frame */
function encodeBinary(frame) {
  const to = /** @type {number[]|undefined} */ (frame.to);
  const flags = (frame.id !== undefined ? 0x01 : 0) | (to ? 0x02 : 0) | (frame.echo ? 0x04 : 0) | (frame.receipt ? 0x08 : 0);
  const kind = CLASSES.indexOf(String(frame.class ?? 'kept')) << 4;
  const head = [1, flags | kind, ...text(frame.room)];
  if (frame.id !== undefined) head.push(...text(frame.id));
  head.push(...text(frame.topic ?? ''));
  if (to) head.push(...varint(to.length), ...to.flatMap(varint));
  const payload = frame.binary ?? new Uint8Array();
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  bytes.set(payload, head.length);
  return bytes;
}

/** @param {unknown} value */
function text(value) {
  const bytes = utf8(String(value));
  return [...varint(bytes.length), ...bytes];
}

/** Up to 2^32 - 1: a client writes no offsets. @param {number} value */
function varint(value) {
  if (value < 0x40) return [value];
  if (value < 0x4000) return [0x40 | (value >> 8), value & 0xff];
  const four = [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
  return value < 0x40000000 ? [0x80 | four[0], ...four.slice(1)] : [0xc0, 0, 0, 0, ...four];
}

/** @param {string} value */
export function utf8(value) {
  return new TextEncoder().encode(value);
}
