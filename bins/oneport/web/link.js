/**
 * A data channel to a oneport relay that keeps itself open. No user interface, no dependency: copy
 * this file and peer.js into your own page, or import it from a relay.
 *
 * ```js
 * import { Link } from './link.js';
 *
 * const link = new Link({ room: 'lobby', label: 'chat' });
 * link.addEventListener('state', () => console.log(link.status.state, link.status.reason));
 * link.addEventListener('message', (event) => console.log('somebody said', event.data));
 * link.send('hello');        // 'waiting' until the channel is open, and sent then
 * link.close();
 * ```
 *
 * What you send goes, as it is, to the channels of the same label of all the others in the room.
 * It does not come back to you. There is no history: what is said while you are away, you miss.
 *
 * How it connects: one `RTCPeerConnection`, its offer in one `POST /r/{room}`, the answer in the
 * response. The relay is ICE-lite and learns where you are from your first packet, so the offer is
 * sent without waiting for candidates, and no STUN or TURN server is asked.
 *
 * How it stays connected: a browser never gives up a silent connection by itself, so this does.
 * `disconnected` for two seconds, `failed`, a closed channel or a failed request lead to a *new*
 * connection by a new offer, after a pause that grows and is different for everybody. A refusal
 * that no repetition can change (a bad room name) stops it; see `retry()`.
 *
 * Events:
 * - `state`: `link.status` has changed.
 * - `message`: a `MessageEvent`; `data` is a string or an `ArrayBuffer`.
 * - `sent`: a `CustomEvent`; what `send()` called 'waiting' was handed to the channel now.
 *   `detail` is its tag.
 * - `waiting`: a `CustomEvent`; what was 'sent' waits again, see `resendMs`. `detail` is its tag.
 * - `leaving`: this connection is about to be ended on purpose; a last `send()` still goes out.
 *
 * @module
 */

import { LOST, Peer } from './peer.js';

/**
 * - `connecting`: the first attempt.
 * - `connected`: the channel is open.
 * - `lost`: it was open and the relay has gone silent; it may come back by itself.
 * - `reconnecting`: a new attempt is under way, or comes at `retryAt`.
 * - `refused`: the relay said no and asking again would not help. `retry()` asks anyway.
 * - `closed`: `close()` was called, or the page is being left.
 *
 * @typedef {'connecting'|'connected'|'lost'|'reconnecting'|'refused'|'closed'} State
 */

/**
 * @typedef {object} Status
 * @property {State} state
 * @property {string} reason why it is not connected, in words for people; else empty
 * @property {string} code the same for programs: the relay's code (`room_full`), or `unreachable`,
 *   `timeout`, `lost`, `ended`, `unsupported`; else empty
 * @property {number|null} retryAt when the next attempt comes, as `Date.now()` counts; null if none waits
 */

/**
 * @typedef {object} Options
 * @property {string} room 1 to 64 letters, digits or `-._~`
 * @property {string} [label] the channel's label; only channels of one label hear each other
 * @property {string|URL} [url] the relay; by default the one that served this file. A relay of
 *   another origin must allow yours by CORS, and expose `Location` and `Retry-After`.
 * @property {number} [resendMs] what was handed to a connection in its last so many milliseconds is
 *   sent again over the next one, because nobody knows whether it still arrived. It may arrive
 *   twice, so this is for receivers that recognise what they have; the default is 0, never.
 */

/** @typedef {{data: string|ArrayBuffer, tag: unknown, at: number}} Outgoing */

/** @typedef {import('./peer.js').Problem} Problem */

/** The relay's largest message, in bytes. A larger one would make a browser close the channel. */
export const MESSAGE_BYTES_MAX = 256 * 1024;

/** How many messages may wait for the channel. */
const WAITING_MAX = 500;

/** ICE often recovers from `disconnected` within a second or so, and hardly ever later. */
const LOST_MS_MAX = 2_000;

const PAUSE_MS_MIN = 500;
const PAUSE_MS_MAX = 10_000;

/** A connection that held so long shows that the relay is well: pauses start small again. */
const STABLE_MS = 5_000;

/** A relay that said good-bye was there until then: only what was on its way may be lost. */
const ENDED_RESEND_MS_MAX = 3_000;

export class Link extends EventTarget {
  /** @type {URL} */ #endpoint;
  /** @type {string} */ #label;
  /** @type {number} */ #resendMs;
  /** @type {Status} */ #status = { state: 'connecting', reason: '', code: '', retryAt: null };
  /** @type {Peer|null} */ #peer = null;
  /** @type {Outgoing[]} */ #waiting = [];
  /** @type {Outgoing[]} handed over not long ago, oldest first */ #recent = [];
  #failures = 0;
  #connectedAt = 0;
  /** The relay asked for this pause: coming online or into view does not cut it short. */
  #pauseIsAsked = false;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;
  #listening = new AbortController();

  /** Connecting begins after the current turn, so that listeners added at once miss nothing.
   * @param {Options} options */
  constructor({ room, label = 'chat', url = new URL('.', import.meta.url), resendMs = 0 }) {
    super();
    this.#endpoint = new URL(`r/${encodeURIComponent(room)}`, url);
    this.#label = label;
    this.#resendMs = resendMs;
    this.#watchPage();
    queueMicrotask(() => {
      if (this.#status.state === 'connecting') this.#connect();
    });
  }

  /** @returns {Readonly<Status>} */
  get status() {
    return this.#status;
  }

  /**
   * Sends a message to all others in the room: 'sent' if it was handed to the channel, 'waiting' if
   * it will be once the channel is open and has room, 'full' if too many wait already, and
   * 'dropped' if it could only have waited and `keep` is false. The last two leave it with you.
   * 'sent' is no promise that it arrived; for that, let the others answer.
   *
   * @param {string|ArrayBuffer} data not empty, at most MESSAGE_BYTES_MAX bytes
   * @param {{tag?: unknown, keep?: boolean}} [options] `tag` is given back in `sent` and `waiting`;
   *   `keep: false` is for what is worthless later, like "somebody is typing": it never waits, and
   *   overtakes what does
   * @returns {'sent'|'waiting'|'full'|'dropped'}
   */
  send(data, { tag, keep = true } = {}) {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data).length : data.byteLength;
    if (bytes === 0) throw new RangeError('the relay does not forward empty messages');
    if (bytes > MESSAGE_BYTES_MAX) throw new RangeError(`a message has at most ${MESSAGE_BYTES_MAX} bytes, not ${bytes}`);
    const message = { data, tag, at: 0 };
    const isNext = this.#waiting.length === 0 || !keep;
    if (isNext && this.#hand(message, keep)) return 'sent';
    if (!keep || this.#status.state === 'closed') return 'dropped';
    if (this.#waiting.length >= WAITING_MAX) return 'full';
    this.#waiting.push(message);
    return 'waiting';
  }

  /** Tries again now: out of a pause, or although it was refused. Otherwise does nothing. */
  retry() {
    const { state, retryAt } = this.#status;
    if (state === 'refused' || retryAt !== null) this.#connect();
  }

  /**
   * Ends the connection for good.
   * @returns {unknown[]} the tags of what was still waiting and is now never sent
   */
  close() {
    this.#listening.abort();
    this.#leave();
    const tags = this.#waiting.map((message) => message.tag);
    this.#waiting = [];
    return tags;
  }

  #connect() {
    clearTimeout(this.#timer);
    if (typeof RTCPeerConnection === 'undefined') {
      this.#update('refused', { reason: 'this browser has no WebRTC, or it is turned off', code: 'unsupported' });
      return;
    }
    const first = this.#connectedAt === 0 && this.#failures === 0;
    // The last reason stays until the attempt has succeeded: it is still the newest thing known.
    this.#update(first ? 'connecting' : 'reconnecting', this.#status);
    this.#peer = new Peer(this.#endpoint, this.#label, {
      open: () => {
        this.#connectedAt = Date.now();
        this.#update('connected');
        this.#flush();
      },
      message: (data) => this.dispatchEvent(new MessageEvent('message', { data })),
      writable: () => this.#flush(),
      silent: (silent) => this.#onSilent(silent),
      end: (problem) => this.#onEnd(problem),
    });
  }

  /** @param {boolean} silent */
  #onSilent(silent) {
    clearTimeout(this.#timer);
    if (silent) {
      this.#update('lost', LOST);
      this.#timer = setTimeout(() => {
        this.#peer?.close();
        this.#onEnd(LOST);
      }, LOST_MS_MAX);
    } else if (this.#status.state === 'lost') {
      this.#update('connected');
      this.#flush();
    }
  }

  /** @param {Problem} problem */
  #onEnd(problem) {
    clearTimeout(this.#timer);
    const wasOpen = this.#status.state === 'connected' || this.#status.state === 'lost';
    if (wasOpen && Date.now() - this.#connectedAt > STABLE_MS) this.#failures = 0;
    this.#peer = null;
    this.#takeBack(problem.code === 'ended' ? Math.min(this.#resendMs, ENDED_RESEND_MS_MAX) : this.#resendMs);
    if (problem.final) {
      this.#update('refused', problem);
      return;
    }
    const asked = problem.retryAfterMs ?? 0;
    const pause = asked + pauseMs(this.#failures);
    this.#failures += 1;
    this.#pauseIsAsked = asked > 0;
    this.#timer = setTimeout(() => this.#connect(), pause);
    this.#update('reconnecting', problem, Date.now() + pause);
  }

  /** Says good-bye to the relay. `close()` is for ever; a page kept by the browser comes back. */
  #leave() {
    clearTimeout(this.#timer);
    if (this.#status.state === 'closed') return;
    this.dispatchEvent(new Event('leaving'));
    this.#peer?.close();
    this.#peer = null;
    this.#recent = [];
    this.#update('closed');
  }

  #watchPage() {
    const { signal } = this.#listening;
    const hurry = () => {
      if (this.#status.retryAt !== null && !this.#pauseIsAsked) this.#connect();
    };
    addEventListener('online', hurry, { signal });
    document.addEventListener('visibilitychange', () => document.hidden || hurry(), { signal });
    // Chromium tells the relay nothing when a tab is closed: the relay would hold the place for
    // many seconds. A page in the back-forward cache has no connection either.
    addEventListener('pagehide', () => this.#leave(), { signal });
    addEventListener('pageshow', (event) => event.persisted && this.#connect(), { signal });
  }

  #flush() {
    while (this.#waiting.length > 0 && this.#hand(this.#waiting[0])) {
      const message = this.#waiting.shift();
      this.dispatchEvent(new CustomEvent('sent', { detail: message?.tag }));
    }
  }

  /** Hands a message to the channel if it takes it now.
   * @param {Outgoing} message */
  #hand(message, remember = true) {
    if (this.#status.state !== 'connected' || !this.#peer?.send(message.data)) return false;
    message.at = Date.now();
    if (remember && this.#resendMs > 0) {
      this.#recent = this.#recent.filter(({ at }) => message.at - at < this.#resendMs);
      this.#recent.push(message);
    }
    return true;
  }

  /** What may not have arrived goes back to the head of the queue, in its order.
   * @param {number} windowMs */
  #takeBack(windowMs) {
    const since = Date.now() - windowMs;
    const again = this.#recent.filter(({ at }) => at > since);
    this.#recent = [];
    this.#waiting.unshift(...again);
    for (const { tag } of again) this.dispatchEvent(new CustomEvent('waiting', { detail: tag }));
  }

  /**
   * @param {State} state
   * @param {{reason: string, code: string}} problem
   * @param {number|null} retryAt
   */
  #update(state, { reason, code } = { reason: '', code: '' }, retryAt = null) {
    this.#status = { state, reason, code, retryAt };
    this.dispatchEvent(new Event('state'));
  }
}

/** Between a half and the whole of a time that doubles with each failure, so that all the clients
 * of a relay that restarts do not come back in the same moment.
 * @param {number} failures */
function pauseMs(failures) {
  const whole = Math.min(2 * PAUSE_MS_MIN * 2 ** Math.min(failures, 16), PAUSE_MS_MAX);
  return (whole / 2) * (1 + Math.random());
}
