/**
 * Checks of what a page passes to the library. Each one returns the value in the form that the library keeps:
 * a copy where the page could change the original later.
 *
 * A value that the relay would reject is rejected here with the same code, as a {@link RelayError}. What the
 * relay never sees (a payload, a file, a callback, an options object) and has the wrong type is a `TypeError`
 * with the code `bad_argument`. `null` means the same as no value, except for the key of a room.
 *
 * @module
 */

import { RelayError, depth, utf8 } from './oneport-frames.js';

const ROOM = /^(?!\.{1,2}$)[A-Za-z0-9\-._~]{1,64}$/;
const CLASSES = ['kept', 'transient', 'lossy'];

const U32_MAX = 2 ** 32 - 1;
const NAME_BYTES_MAX = 64;
const META_BYTES_MAX = 2_048;
const META_DEPTH_MAX = 16;
const TOPIC_BYTES_MAX = 128;
const RECIPIENTS_MAX = 64;
const ID_BYTES_MAX = 64;
const NOTICE_BYTES_MAX = 256;

/** The largest frame that a relay takes. */
export const FRAME_BYTES_MAX = 261_120;

/** What all kinds of typed arrays have in common. */
const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype);

/** A surrogate that is not part of a pair, as JSON.stringify() writes it. */
const LONE_SURROGATE_IN_JSON = /(?<!\\)(?:\\\\)*\\ud[89a-f][0-9a-f]{2}/;

/** @param {string} message @param {string} [code] @returns {never} */
export function badArgument(message, code = 'bad_argument') {
  throw Object.assign(new TypeError(message), { code });
}

/** @param {string} what @returns {never} */
function badFrame(what) {
  throw new RelayError('bad_frame', what);
}

/** The message of whatever was thrown. @param {unknown} error */
export function wordsOf(error) {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'an error without a message';
  }
}

/** Calls a function of the page. What it throws is reported as an error of a listener is.
 * @template Detail
 * @param {((detail: Detail) => void)|undefined} callback
 * @param {Detail} detail */
export function call(callback, detail) {
  try {
    callback?.(detail);
  } catch (error) {
    globalThis.reportError?.(error);
  }
}

/** Reads a value of the page. What a getter or a proxy throws becomes a `TypeError` with the same message.
 * @template Result
 * @param {string} what
 * @param {() => Result} read
 * @returns {Result} */
function readable(what, read) {
  try {
    return read();
  } catch (error) {
    return badArgument(`${what} cannot be read: ${wordsOf(error)}`);
  }
}

/**
 * The options with these names. Each is read once, from the object or its prototypes.
 *
 * @template {object} Options
 * @param {Options|null|undefined} value
 * @param {(keyof Options & string)[]} names
 * @returns {Options}
 */
export function optionsOf(value, names) {
  if (value === undefined || value === null) return /** @type {Options} */ ({});
  if (typeof value !== 'object') badArgument('the options are an object');
  const read = readable('the options', () => names.map((name) => [name, value[name]]));
  return /** @type {Options} */ (Object.fromEntries(read));
}

/** Listens with the options of `addEventListener`, which reads them itself.
 * @param {EventTarget} target
 * @param {string} type
 * @param {(event: Event) => void} hear
 * @param {AddEventListenerOptions|null|undefined} options */
export function listen(target, type, hear, options) {
  if (options !== undefined && options !== null && typeof options !== 'object') badArgument('the options are an object');
  readable('the options', () => target.addEventListener(type, hear, options ?? undefined));
}

/** @param {unknown} value @param {string} what @returns {any} */
export function functionOf(value, what) {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'function' ? value : badArgument(`${what} is a function`);
}

/** @param {unknown} value */
export function roomOf(value) {
  if (typeof value === 'string' && ROOM.test(value)) return value;
  throw new RelayError('bad_room', 'the name of a room is 1 to 64 letters, digits or -._~');
}

/** @param {unknown} value */
export function nameOf(value) {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || !isLine(value)) {
    throw new RelayError('bad_name', 'a name is a string of 1 to 64 bytes without control characters');
  }
  return within(wellFormed(value), NAME_BYTES_MAX, 'name_too_long', 'a name');
}

/** A copy, as JSON has it. @param {unknown} value @returns {unknown} */
export function metaOf(value) {
  if (value === undefined || value === null) return undefined;
  const json = jsonOf(value);
  if (json === undefined || json === 'null' || LONE_SURROGATE_IN_JSON.test(json)) {
    throw new RelayError('bad_meta', 'metadata is a JSON value other than null, with valid Unicode');
  }
  const copy = JSON.parse(within(json, META_BYTES_MAX, 'meta_too_large', 'metadata'));
  if (depth(copy) <= META_DEPTH_MAX) return copy;
  throw new RelayError('bad_meta', `metadata is nested at most ${META_DEPTH_MAX} deep`, { limit: META_DEPTH_MAX });
}

/** @param {unknown} value @returns {string|undefined} */
function jsonOf(value) {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new RelayError('bad_meta', `metadata cannot be written as JSON: ${wordsOf(error)}`);
  }
}

/** @param {unknown} value @param {string} what @param {number} [max] */
export function countOf(value, what, max = U32_MAX) {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value;
  return badFrame(`${what} is a whole number from 0 to ${max}`);
}

/** A number of bytes, or Infinity. @param {unknown} value @param {string} what */
export function bytesMaxOf(value, what) {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'number' && value >= 0 ? value : badArgument(`${what} is a number of bytes`);
}

/** @param {unknown} value @returns {number} */
export function memberOf(value) {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= U32_MAX) return value;
  return badFrame('the id of a member is a whole number from 1 to 4294967295');
}

/** @param {unknown} value @returns {number[]|undefined} */
export function recipientsOf(value) {
  if (value === undefined || value === null) return undefined;
  const ids = readable('the list of recipients', () => arrayOf(value, RECIPIENTS_MAX + 1));
  if (ids === null) return badFrame('the recipients of a message are an array of member ids');
  if (ids.length === 0) throw new RelayError('no_such_member', 'the message has no recipients');
  if (ids.length > RECIPIENTS_MAX) {
    throw new RelayError('too_many_recipients', `a message has at most ${RECIPIENTS_MAX} recipients`, { limit: RECIPIENTS_MAX });
  }
  return ids.map(memberOf);
}

/** The first items of an array, each read once; null if the value is not an array.
 * @param {unknown} value @param {number} max @returns {unknown[]|null} */
function arrayOf(value, max) {
  return Array.isArray(value) ? Array.from({ length: Math.min(value.length, max) }, (_, at) => value[at]) : null;
}

/** @param {unknown} value */
export function topicOf(value) {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') badFrame('a topic is a string');
  return within(wellFormed(value), TOPIC_BYTES_MAX, 'topic_too_long', 'a topic');
}

/** The relay answers under this id, so it must come back as it is.
 * @param {unknown} value */
export function idOf(value) {
  if (value === undefined || value === null) return undefined;
  const isId = typeof value === 'string' && isLine(value) && wellFormed(value) === value && utf8(value).length <= ID_BYTES_MAX;
  return isId ? value : badFrame(`an id is a string of 1 to ${ID_BYTES_MAX} bytes without control characters`);
}

/** @param {unknown} value */
export function noticeOf(value) {
  if (value === undefined || value === null) return undefined;
  const isNotice = typeof value === 'string' && isLine(value) && utf8(value).length <= NOTICE_BYTES_MAX;
  return isNotice ? wellFormed(value) : badFrame(`a message to a member is a string of 1 to ${NOTICE_BYTES_MAX} bytes without control characters`);
}

/** @param {unknown} value @param {string} what */
export function flagOf(value, what) {
  if (value === undefined || value === null) return false;
  return typeof value === 'boolean' ? value : badFrame(`${what} is true or false`);
}

/** @param {unknown} value */
export function classOf(value) {
  if (value === undefined || value === null) return 'kept';
  return typeof value === 'string' && CLASSES.includes(value) ? value : badFrame(`a class is one of ${CLASSES.join(', ')}`);
}

/** Text, or a copy of the bytes. @param {unknown} data @returns {{text: string}|{binary: Uint8Array<ArrayBuffer>}} */
export function payloadOf(data) {
  if (typeof data !== 'string') return { binary: bytesOf(data) };
  // A character has at least one byte.
  requireFrame(data.length);
  return { text: wellFormed(data) };
}

/** A frame with such a payload would be too large for every relay. @param {number} bytes at least */
function requireFrame(bytes) {
  if (bytes <= FRAME_BYTES_MAX) return;
  throw new RelayError('too_large', `a frame has at most ${FRAME_BYTES_MAX} bytes`, { limit: FRAME_BYTES_MAX });
}

/** A copy of the bytes. Buffers of other realms, shared ones and all kinds of views are taken. @param {unknown} data */
function bytesOf(data) {
  const view = readable('the bytes', () => viewOf(data));
  if (view === null) return badArgument('a message is a string, an ArrayBuffer or a view of one; a Blob or File goes by sendBlob()');
  requireFrame(view.length);
  return new Uint8Array(view);
}

/** The bytes themselves; null if there are none. A subclass may override the getters, so those of the language are used.
 * @param {any} data @returns {Uint8Array|null} */
function viewOf(data) {
  if (ArrayBuffer.isView(data)) {
    const isTypedArray = Reflect.get(TYPED_ARRAY, Symbol.toStringTag, data) !== undefined;
    // A typed array that its resizable buffer no longer covers says that it has no bytes; this throws.
    if (isTypedArray) TYPED_ARRAY.keys.call(data);
    const get = (/** @type {string} */ what) => Reflect.get(isTypedArray ? TYPED_ARRAY : DataView.prototype, what, data);
    return new Uint8Array(get('buffer'), get('byteOffset'), get('byteLength'));
  }
  if (!/^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(data))) return null;
  const view = new Uint8Array(data);
  // Of what only calls itself a buffer this is a copy.
  return view.buffer === data ? view : null;
}

/** Of any realm. @param {unknown} value @returns {Blob} */
export function blobOf(value) {
  try {
    // The getter works on Blobs only, whatever their realm and prototype.
    Reflect.get(Blob.prototype, 'size', value);
    return /** @type {Blob} */ (value);
  } catch {
    return badArgument('a file is a Blob or File; strings and bytes go by send()');
  }
}

/** The name that a File has, also one of another realm. @param {Blob} blob */
export function fileNameOf(blob) {
  const name = readable('the name of the file', () => Reflect.get(blob, 'name'));
  return typeof name === 'string' ? name : '';
}

/** Of any realm. @param {any} value @returns {AbortSignal|undefined} */
export function signalOf(value) {
  if (value === undefined || value === null) return undefined;
  try {
    // The getter works on such signals only.
    Reflect.get(AbortSignal.prototype, 'aborted', value);
    return value;
  } catch {
    return badArgument('signal is an AbortSignal');
  }
}

/** The address of a relay, without the last part of its path.
 * @param {unknown} value
 * @param {string} source where the library was loaded from
 * @returns {URL} */
export function relayUrlOf(value, source) {
  const url = parseUrl(value ?? source);
  const isRelay = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (isRelay) return new URL('.', url);
  if (value === undefined || value === null) badArgument('the library was not loaded from a relay: name one with connect({ url })', 'bad_url');
  return badArgument('the url of a relay is an absolute http or https URL without a user name', 'bad_url');
}

/** @param {any} value */
function parseUrl(value) {
  try {
    return new URL(typeof value === 'string' ? value : value.href);
  } catch {
    return null;
  }
}

/** @param {any} value @returns {Storage|null} */
export function storageOf(value) {
  if (value === undefined || value === null) return null;
  const methods = ['getItem', 'setItem', 'removeItem'];
  const isStorage = typeof value === 'object' && readable('the storage', () => methods.every((method) => typeof value[method] === 'function'));
  return isStorage ? value : badArgument('storage has getItem(), setItem() and removeItem(), as sessionStorage has');
}

/** Replaces each half of a pair of code units, which is not valid Unicode. @param {string} text */
export function wellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** Not empty, without control characters. @param {string} text */
function isLine(text) {
  return /^\P{Cc}+$/u.test(text);
}

/** @param {string} text @param {number} max @param {string} code @param {string} what */
function within(text, max, code, what) {
  const bytes = utf8(text).length;
  if (bytes <= max) return text;
  throw new RelayError(code, `${what} has at most ${max} bytes, not ${bytes}`, { limit: max });
}
