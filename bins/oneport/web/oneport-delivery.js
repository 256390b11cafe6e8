/**
 * What the page gets of a room, in the room's order: also where messages have to be decrypted first,
 * which takes its time. Without a key everything is told at once.
 *
 * @module
 */

import { FILE_TOPIC } from './oneport-files.js';
import { isSealed } from './oneport-secret.js';
import { Turns } from './oneport-turns.js';

/** @typedef {import('./oneport-message.js').Message} Message */
/** @typedef {import('./oneport-types.js').RoomEvents} RoomEvents */

/** @typedef {<Type extends keyof RoomEvents & string>(type: Type, detail: RoomEvents[Type]) => void} Emit */

export class Delivery {
  #emit;
  #secret;
  #files;
  #turns = new Turns();

  /**
   * @param {Emit} emit
   * @param {import('./oneport-secret.js').Secret|null} secret
   * @param {import('./oneport-files.js').Files} files
   */
  constructor(emit, secret, files) {
    this.#emit = emit;
    this.#secret = secret;
    this.#files = files;
  }

  /**
   * @template {keyof RoomEvents & string} Type
   * @param {Type} type
   * @param {RoomEvents[Type]} detail
   */
  tell(type, detail) {
    this.#inTurn(() => this.#emit(type, detail));
  }

  /** A message, as it came. @param {Message} told */
  message(told) {
    const secret = this.#secret;
    if (secret !== null) this.#turns.take(async () => this.#show(await secret.open(told), told)).catch(reportError);
    else this.#show(read(told), told);
  }

  /** Those of an answer of history that can be read. @param {Message[]} coming */
  async history(coming) {
    const opened = await Promise.all(coming.map((told) => this.#secret?.open(told) ?? read(told)));
    return opened.map((message, at) => this.#readable(message, coming[at])).filter((message) => message !== null);
  }

  /** Files on their way here that this is true of are broken.
   * @param {string} message
   * @param {(file: import('./oneport-incoming.js').IncomingFile) => boolean} [isMeant] */
  failFiles(message, isMeant) {
    this.#inTurn(() => this.#files.fail(message, isMeant));
  }

  /** @param {() => void} act */
  #inTurn(act) {
    if (this.#secret === null) act();
    else this.#turns.take(act).catch(reportError);
  }

  /** @param {Message|import('./oneport-secret.js').Unreadable} opened @param {Message} told */
  #show(opened, told) {
    const message = this.#readable(opened, told);
    if (message === null) return;
    if (message.topic !== FILE_TOPIC) this.#emit('message', message);
    else if (message.bytes !== undefined && !message.isHistory) {
      const file = this.#files.take(message.from, message.bytes);
      if (file === null) return;
      file.to = message.to;
      this.#emit('file', file);
    }
  }

  /** Null if it is no message for the page, which is told so.
   * @param {Message|import('./oneport-secret.js').Unreadable} opened @param {Message} told */
  #readable(opened, { from, topic, offset }) {
    if (typeof opened !== 'string') return opened;
    this.#emit('unreadable', { from, topic, offset, reason: opened });
    return null;
  }
}

/** In a room without a key. @param {Message} told */
function read(told) {
  return isSealed(told.bytes) ? 'no_key' : told;
}
