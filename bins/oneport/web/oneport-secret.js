/**
 * End-to-end encryption of a room's messages: those who have the key read them, the relay does not.
 *
 * A sealed message is a binary payload, 34 bytes longer than what is in it:
 *
 * ```text
 *  0              4         5             17
 * +------+--...--+---------+--  ...  ----+----   ...   ----+--  ...  -+
 * | f0 9f 94 92  | version | nonce (12)  |   ciphertext    | tag (16) |
 * +------+--...--+---------+--  ...  ----+----   ...   ----+--  ...  -+
 * ```
 *
 * - It begins with a padlock in UTF-8 and version 1. Whatever else begins so is taken for a sealed one.
 * - The cipher is AES-256-GCM with a random nonce. One key is good for 2^32 messages (NIST SP 800-38D
 *   section 8.3).
 * - The cipher's key is HKDF-SHA-256 of the 32 bytes of the room's key, without salt, with the info
 *   `oneport.sealed.v1 ` and the room's name. So the same key may serve several rooms.
 * - Additional data is `oneport.sealed.v1`, a zero byte, the room's name, a zero byte, the topic: nobody
 *   can move a message to another room or topic.
 * - The plaintext is one byte, 1 for text or 2 for bytes, and then the payload; text in UTF-8.
 *
 * `hello` for the topic `x` of the room `library`, with a key of 32 zeros and the nonce 00 to 0b:
 *
 * ```text
 * f09f949201 000102030405060708090a0b 09ae7d139e36 06915cbc2941a8290708424edb5d8d38
 * ```
 *
 * What it does not protect: the relay still sees who is there, names and metadata, topics, who sends
 * when and to whom, and how much; it stamps senders, times and the order, and can lie about them, withhold
 * a message or send it again. Whoever has the key can read everything and speak as any member that the
 * relay lets them be. There is no forward secrecy: a key that gets out opens whatever was recorded. And
 * whoever serves the page can serve one that gives the key away.
 *
 * @module
 */

import { RelayError, utf8 } from './oneport-frames.js';

/** @typedef {import('./oneport-message.js').Message} Message */

/**
 * Why a message cannot be read.
 *
 * - `no_key`: it is sealed, and this room was joined without a key.
 * - `wrong_key`: it was sealed with another key, or changed, or is from another room or topic.
 * - `not_sealed`: it is not sealed, and this room was joined with a key.
 * - `unknown_version`: it is sealed in a way that this library does not know.
 *
 * @typedef {'no_key'|'wrong_key'|'not_sealed'|'unknown_version'} Unreadable
 */

const LABEL = 'oneport.sealed.v1';
const PADLOCK = [0xf0, 0x9f, 0x94, 0x92];
const VERSION = 1;
const NONCE_BYTES = 12;
const HEADER_BYTES = PADLOCK.length + 1;
const TAG_BYTES = 16;
const TEXT = 1;
const BYTES = 2;

const KEY_BYTES = 32;

/** A new room key, random, in characters that fit behind the `#` of an address. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

/** Whether a payload says that it is a sealed one. @param {Uint8Array|undefined} bytes */
export function isSealed(bytes) {
  return bytes !== undefined && PADLOCK.every((byte, at) => bytes[at] === byte);
}

/** The key of a room, and what it does. */
export class Secret {
  #room;
  /** @type {Promise<CryptoKey>} */ #key;

  /**
   * @param {string} room
   * @param {string} key as `newKey()` makes them
   * @throws {RelayError} `bad_key`, or `insecure_context` where browsers have no cryptography for pages:
   *   that is over http, but for localhost
   */
  constructor(room, key) {
    if (typeof key !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(key)) throw new RelayError('bad_key', 'this is no key of a room', { room });
    if (globalThis.crypto?.subtle === undefined) {
      throw new RelayError('insecure_context', 'encryption needs a page that was loaded by https, or from localhost', { room });
    }
    const bytes = Uint8Array.from(atob(key.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));
    this.#room = room;
    this.#key = derive(bytes, room);
    // Whoever uses it hears of a failure.
    this.#key.catch(() => {});
  }

  /** @param {string} topic @param {{text?: string, binary?: Uint8Array<ArrayBuffer>}} payload */
  async seal(topic, { text, binary = new Uint8Array() }) {
    const payload = text === undefined ? binary : utf8(text);
    const plain = new Uint8Array(1 + payload.length);
    plain[0] = text === undefined ? BYTES : TEXT;
    plain.set(payload, 1);
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const sealed = await crypto.subtle.encrypt(this.#cipher(nonce, topic), await this.#key, plain);
    const bytes = new Uint8Array(HEADER_BYTES + NONCE_BYTES + sealed.byteLength);
    bytes.set([...PADLOCK, VERSION, ...nonce]);
    bytes.set(new Uint8Array(sealed), HEADER_BYTES + NONCE_BYTES);
    return bytes;
  }

  /** What was sealed, or why nobody can tell. @param {Message} message @returns {Promise<Message|Unreadable>} */
  async open({ text, bytes, ...about }) {
    if (bytes === undefined || !isSealed(bytes)) return 'not_sealed';
    if (bytes[PADLOCK.length] !== VERSION) return 'unknown_version';
    if (bytes.length < HEADER_BYTES + NONCE_BYTES + 1 + TAG_BYTES) return 'wrong_key';
    const nonce = bytes.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
    try {
      const sealed = bytes.subarray(HEADER_BYTES + NONCE_BYTES);
      const plain = new Uint8Array(await crypto.subtle.decrypt(this.#cipher(nonce, about.topic), await this.#key, sealed));
      const payload = plain.subarray(1);
      if (plain[0] === TEXT) return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload), ...about };
      return plain[0] === BYTES ? { bytes: payload, ...about } : 'unknown_version';
    } catch {
      return 'wrong_key';
    }
  }

  /** @param {Uint8Array<ArrayBuffer>} nonce @param {string} topic */
  #cipher(nonce, topic) {
    return { name: 'AES-GCM', iv: nonce, additionalData: utf8(`${LABEL}\0${this.#room}\0${topic}`) };
  }
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {string} room */
async function derive(bytes, room) {
  const key = await crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveKey']);
  const how = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8(`${LABEL} ${room}`) };
  return crypto.subtle.deriveKey(how, key, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}
