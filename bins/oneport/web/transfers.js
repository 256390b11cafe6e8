/** Files that are sent and received, each a line in the conversation. */

import { FileLine } from './file-line.js';
import { FILE_BYTES_MAX, RelayError } from './oneport.js';
import { audienceOf } from './recipient.js';
import { nameOf, size } from './text.js';

/** @typedef {import('./conversation.js').Conversation} Conversation */
/** @typedef {import('./oneport.js').Room} Room */
/** @typedef {import('./oneport.js').IncomingFile} IncomingFile */

/** Received files are in this page's memory until they are saved and the page is closed. */
const KEPT_BYTES_MAX = 512 * 1024 * 1024;

/** One after the other; a folder of thousands was dropped by mistake. */
const QUEUED_MAX = 20;

/** What a browser shows without running anything that is in it. */
const IMAGE_TYPES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']);
const PREVIEW_BYTES_MAX = 20 * 1024 * 1024;

/** Why somebody does not take a file, by the words of oneport-files.js. @type {Map<string, string>} */
const DECLINES = new Map([
  ['unwanted', 'files are not wanted'],
  ['too_large', 'it is too large'],
  ['too_many', 'too many files come at a time'],
  ['bad_file', 'it is not described as a file should be'],
  ['canceled', 'canceled'],
  ['broken', 'part of it is missing'],
  ['stalled', 'nothing came for a while'],
  ['left', 'not here any more'],
  ['away', 'the connection was lost'],
  ['silent', 'no answer'],
  ['stuck', 'no answer any more'],
]);

/** @param {string} reason */
export function declineWords(reason) {
  return DECLINES.get(reason) ?? reason;
}

export class Transfers {
  /** @type {Conversation} */ #conversation;
  /** @type {Room} */ #room;
  #queued = 0;
  /** Ends when all files so far are through. */
  #last = Promise.resolve();
  /** Whole files, oldest first. @type {Map<FileLine, number>} */ #kept = new Map();
  #leaving = new AbortController();

  /** @param {Room} room
   * @param {Conversation} conversation */
  constructor(room, conversation) {
    this.#room = room;
    this.#conversation = conversation;
    room.on('file', (file) => this.#receive(file));
  }

  /** Sends them one after the other. Tells why not, if one cannot be sent.
   * @param {File[]} files
   * @param {string} myName
   * @param {import('./recipient.js').Person|null} to
   * @returns {string} */
  offer(files, myName, to) {
    let problem = '';
    for (const file of files) {
      if (file.size > FILE_BYTES_MAX) problem = `${file.name} is too large: ${size(FILE_BYTES_MAX)} is the most`;
      else if (this.#queued >= QUEUED_MAX) problem = `Only ${QUEUED_MAX} files can wait at a time`;
      else if (this.#room.members.size < 2) problem = 'Nobody else is here who could get the file';
      else this.#queue(file, myName, to);
    }
    return problem;
  }

  /** Gives everything up. */
  clear() {
    this.#leaving.abort();
  }

  /**
   * @param {File} file
   * @param {string} myName
   * @param {import('./recipient.js').Person|null} to
   */
  #queue(file, myName, to) {
    const canceled = new AbortController();
    const signal = AbortSignal.any([canceled.signal, this.#leaving.signal]);
    const audience = to === null ? '' : `to ${to.name} alone`;
    const from = this.#room.me ?? 0;
    const about = { sender: `own>${to?.id ?? ''}`, from, name: myName, file: file.name, bytes: file.size, isOwn: true, audience };
    const line = new FileLine(this.#conversation, about, () => {
      canceled.abort();
      line.fail('canceled');
    });
    if (isPicture(file, file.type)) line.preview(file);
    this.#queued += 1;
    this.#last = this.#last.then(() => this.#send(file, line, to, signal)).finally(() => {
      this.#queued -= 1;
    });
  }

  /**
   * @param {File} file
   * @param {FileLine} line
   * @param {import('./recipient.js').Person|null} to
   * @param {AbortSignal} signal
   */
  async #send(file, line, to, signal) {
    if (signal.aborted) return line.fail('canceled');
    line.progress(0);
    try {
      const { delivered, missed } = await this.#room.sendBlob(file, {
        to: to === null ? undefined : [to.id],
        signal,
        onProgress: ({ received }) => line.progress(received),
        onDecline: ({ member, reason }) => line.declined(nameOf(member), declineWords(reason)),
      });
      for (const { member, reason } of missed) line.declined(nameOf(member), declineWords(reason));
      if (delivered.length === 0 && missed.length > 0) line.fail('nobody has it');
      else line.done(`sent, ${delivered.length === 1 ? 'one person has' : `${delivered.length} have`} it`);
    } catch (error) {
      line.fail(wordsFor(error));
    }
  }

  /** @param {IncomingFile} file */
  async #receive(file) {
    // Of a private room it may have been decrypted after the room was left: it is not for the next one.
    if (this.#leaving.signal.aborted) return;
    const { from, name, size: bytes } = file;
    const sender = `${from.id}>${file.to?.join() ?? ''}`;
    const audience = audienceOf(file.to, this.#room, false);
    const about = { sender, from: from.id, name: nameOf(from), file: name || 'unnamed', bytes, isOwn: false, audience };
    const line = new FileLine(this.#conversation, about, () => file.cancel());
    file.on('progress', ({ received }) => line.progress(received));
    try {
      const blob = await file.blob;
      // Whatever else it claims to be, it is only saved: opened in this origin it could act as this page.
      const kept = blob.slice(0, blob.size, IMAGE_TYPES.has(file.type) ? file.type : 'application/octet-stream');
      line.offer(kept);
      if (isPicture(kept, file.type)) line.preview(kept);
      this.#keep(line, blob.size);
    } catch (error) {
      line.fail(wordsFor(error));
    }
  }

  /** @param {FileLine} line
   * @param {number} bytes */
  #keep(line, bytes) {
    this.#kept.set(line, bytes);
    let sum = 0;
    for (const [kept, size] of this.#kept) sum += kept.isReleased ? 0 : size;
    for (const [oldest, size] of this.#kept) {
      if (oldest.isReleased) this.#kept.delete(oldest);
      else if (sum > KEPT_BYTES_MAX && oldest !== line) {
        oldest.release();
        oldest.fail('not kept any longer: too much has come since');
        this.#kept.delete(oldest);
        sum -= size;
      }
    }
  }
}

/** Whether it can be shown in the conversation, if it is what it claims.
 * @param {Blob} blob
 * @param {string} type */
function isPicture(blob, type) {
  return IMAGE_TYPES.has(type) && blob.size <= PREVIEW_BYTES_MAX;
}

/** @param {unknown} error */
function wordsFor(error) {
  if (!(error instanceof RelayError)) return 'the file could not be read';
  if (error.code === 'canceled') return 'canceled';
  if (error.code === 'declined') return 'nobody took it';
  return error.message;
}
