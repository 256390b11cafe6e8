/**
 * The link of a session, another way for it when it falls silent, and the next one when it breaks: says
 * hello, resumes, keeps the heartbeat of PROTOCOL.md section 10, and waits between attempts. Knows nothing
 * of rooms.
 *
 * @module
 */

import { RelayError, decode, encode } from './oneport-frames.js';
import { isExpiry } from './oneport-token.js';
import { LOST, Peer, noConnection } from './oneport-peer.js';

/**
 * - `connecting`: the first attempt.
 * - `connected`: the relay has said welcome.
 * - `away`: it was connected; a new attempt is under way, or comes at `retryAt`.
 * - `refused`: the relay said no, and asking again by itself would not help. `retry()` asks anyway.
 * - `closed`: `close()` was called.
 *
 * @typedef {'connecting'|'connected'|'away'|'refused'|'closed'} State
 */

/**
 * @typedef {object} Status
 * @property {State} state
 * @property {string} code why it is not connected, for programs: a code of `err` or `bye`, one of
 *   signaling, or `lost`, `ended`, `timeout`, `unreachable`, `token_unavailable`, `unsupported` (no WebRTC here),
 *   `no_connection` (the browser could not make one); else empty
 * @property {string} reason the same for people
 * @property {number|null} retryAt when the next attempt comes, as `Date.now()` counts
 */

/**
 * @typedef {object} Owner
 * @property {() => Home} home where the offer goes, and what is shown with it
 * @property {(status: Status) => void} state
 * @property {(frame: import('./oneport-frames.js').Welcome) => void} welcome
 * @property {(frame: import('./oneport-frames.js').ServerFrame) => void} frame
 * @property {() => void} down the link is gone; what was not answered may not have arrived
 * @property {() => void} writable
 * @property {() => void} leaving the page is being left; a last `send()` still goes out, if the
 *   browser lets it
 * @property {(error: RelayError) => void} fault a frame of the relay that is none
 */

/** @typedef {{endpoint: URL, token: import('./oneport-token.js').Token}} Home */

/** @typedef {import('./oneport-peer.js').Problem} Problem */

/** ICE often recovers from `disconnected` within a second or so, and hardly ever later. */
const DISCONNECTED_MS_MAX = 2_000;

/** Who is there has answered after so long. Who has not is asked again, and then another way is looked for. */
const ANSWER_MS_MAX = 1_000;

/** So long the other way has to bring something; then a new link is better, whose queues are empty. */
const RESTART_MS_MAX = 3_000;

/** Without a frame, or a part of one, for so long a link is dead. */
const SILENCE_MS_MAX = 15_000;

/** A page that was about to be left and is there after so long stays: its session is its own again. */
const LEAVING_MS_MAX = 5_000;

const PAUSE_MS_MIN = 500;
const PAUSE_MS_MAX = 10_000;

/** A link that held so long shows that the relay is well: pauses start small again. */
const STABLE_MS = 5_000;

/** A relay that asks for more than an hour is not waited for so long. */
const ASKED_MS_MAX = 3_600_000;

const NO_WEBRTC = 'this browser has no WebRTC, or it is turned off';
const NO_PAGE = 'there is no WebRTC here: browsers have it in pages, not in workers, and Node.js does not have it';

export class Lifeline {
  /** @type {Owner} */ #owner;
  /** @type {Status} */ #status = { state: 'connecting', code: '', reason: '', retryAt: null };
  /** @type {Peer|null} */ #peer = null;
  /** @type {string|undefined} */ #token;
  /** @type {Storage|null} */ #storage;
  /** @type {string} */ #storageKey;
  #isWelcome = false;
  #welcomeAt = 0;
  #heardAt = 0;
  #pingMs = SILENCE_MS_MAX;
  #pings = 0;
  #failures = 0;
  /** The access token of this attempt may be had anew. */
  #isRenewable = false;
  #hasRenewed = false;
  /** The relay asked for this pause: coming online or into view does not cut it short. */
  #pauseIsAsked = false;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #attempt;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #heartbeat;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #verdict;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #staying;
  #listening = new AbortController();

  /**
   * @param {Owner} owner
   * @param {Storage|null} storage where the resume token waits while a page is loaded again
   * @param {string} storageKey
   */
  constructor(owner, storage, storageKey) {
    this.#owner = owner;
    this.#storage = storage;
    this.#storageKey = storageKey;
    this.#takeToken();
    this.#watchPage();
  }

  get status() {
    return this.#status;
  }

  /** False if the link does not take it now; `writable` or `welcome` says when it may.
   * @param {string|Uint8Array<ArrayBuffer>} data */
  send(data) {
    const isSent = this.#isWelcome && this.#peer !== null && this.#peer.send(data);
    if (isSent) this.#expect();
    return isSent;
  }

  /** For what may get lost: false if it is lost already.
   * @param {string|Uint8Array<ArrayBuffer>} data */
  sendLossy(data) {
    return this.#isWelcome && this.#peer !== null && this.#peer.sendLossy(data);
  }

  /** Makes a link now, unless there is one. */
  connect() {
    clearTimeout(this.#attempt);
    if (this.#peer !== null) return;
    if (typeof RTCPeerConnection !== 'function') {
      this.#update('refused', { reason: typeof document === 'undefined' ? NO_PAGE : NO_WEBRTC, code: 'unsupported' });
      return;
    }
    // The last reason stays until the attempt has succeeded: it is still the newest thing known.
    this.#update(this.#welcomeAt === 0 && this.#failures === 0 ? 'connecting' : 'away', this.#status);
    const owner = {
      open: () => this.#open(),
      /** @param {string|ArrayBuffer} data */
      message: (data) => this.#hear(data),
      writable: () => this.#owner.writable(),
      /** @param {boolean} silent */
      silent: (silent) => (silent ? this.#doubt(DISCONNECTED_MS_MAX) : this.#ping()),
      /** @param {Problem} problem */
      end: (problem) => {
        this.#peer = null;
        this.#end(problem);
      },
    };
    const home = this.#owner.home();
    this.#isRenewable = home.token.isRenewable;
    try {
      this.#peer = new Peer(home, owner);
    } catch (error) {
      this.#pause(noConnection(error));
    }
  }

  /** Ends it for good, and the session with it. */
  close() {
    this.#listening.abort();
    this.#removeToken();
    this.#drop({ leaves: true });
    this.#update('closed');
  }

  #open() {
    this.#heardAt = Date.now();
    this.#peer?.send(encode({ t: 'hello', version: 1, resume: this.#token }));
    this.#beat();
  }

  /** @param {string|ArrayBuffer} data */
  #hear(data) {
    this.#heardAt = Date.now();
    // A link that speaks is not to be doubted.
    this.#acquit();
    let frame;
    try {
      frame = decode(data);
    } catch (error) {
      if (!(error instanceof RelayError)) this.#owner.fault(new RelayError('bad_frame', String(error)));
      else if (error.code !== 'unknown_type') this.#owner.fault(error);
      return;
    }
    if (frame.t === 'ping') this.#peer?.send(encode({ t: 'pong', n: frame.n }));
    else if (frame.t === 'bye') this.#bye(frame);
    else if (frame.t === 'welcome') this.#welcome(frame);
    else if (frame.t === 'err' && !this.#isWelcome) this.#bye(frame);
    else if (frame.t !== 'pong') this.#owner.frame(frame);
  }

  /** @param {import('./oneport-frames.js').Welcome} frame */
  #welcome(frame) {
    if (this.#isWelcome) return;
    this.#isWelcome = true;
    this.#hasRenewed = false;
    this.#welcomeAt = Date.now();
    this.#token = frame.resume;
    this.#pingMs = Math.min(Math.max(frame.ping_ms, 1_000), SILENCE_MS_MAX);
    this.#beat();
    this.#owner.welcome(frame);
    this.#update('connected');
  }

  /** A good-bye, or a hello that was not taken.
   * @param {import('./oneport-frames.js').Bye|import('./oneport-frames.js').Err} frame */
  #bye({ t, code, message, retry_after_ms: retryAfterMs }) {
    const final = retryAfterMs === undefined;
    // The session is over, or another page has it: its token would take it back.
    if (t === 'bye' && final) this.#token = undefined;
    this.#drop();
    this.#pause({ code, reason: message, final, retryAfterMs });
  }

  /** Asks after `ping_ms` of silence whether the relay is there, and gives up in the end. */
  #beat() {
    clearTimeout(this.#heartbeat);
    const silence = Date.now() - this.#heardAt;
    if (silence >= SILENCE_MS_MAX || (this.#isWelcome && !this.#peer?.isOpen)) {
      this.#lose();
      return;
    }
    if (this.#isWelcome && silence >= this.#pingMs) this.#ping();
    this.#heartbeat = setTimeout(() => this.#beat(), Math.min(this.#pingMs, SILENCE_MS_MAX - silence) / 2);
  }

  #ping() {
    this.#pings = (this.#pings + 1) % 2 ** 32;
    if (this.#peer?.send(encode({ t: 'ping', n: this.#pings }))) this.#expect();
  }

  /** Something was said that is answered, one way or the other. */
  #expect() {
    this.#verdict ??= setTimeout(() => this.#ask(), ANSWER_MS_MAX);
  }

  /** Whatever was expected before: is somebody there now? */
  #ask() {
    this.#acquit();
    this.#doubt(ANSWER_MS_MAX);
    this.#ping();
  }

  /** The link has so long to say something, or at least to bring bytes: on a slow one the answer waits behind
   * messages that take longer. Meanwhile the relay is asked again and again, for it waits too.
   * @param {number} ms
   * @param {() => void} [otherwise] */
  #doubt(ms, otherwise = () => this.#restart()) {
    if (this.#verdict !== undefined) return;
    const peer = this.#peer;
    // What came before counts no more.
    peer?.hasReceived();
    const verdict = setTimeout(async () => {
      const isAlive = await peer?.hasReceived();
      if (this.#verdict !== verdict) return;
      this.#acquit();
      if (!isAlive) {
        otherwise();
        return;
      }
      this.#heardAt = Date.now();
      this.#doubt(ms, otherwise);
      this.#ping();
    }, ms);
    this.#verdict = verdict;
  }

  #acquit() {
    clearTimeout(this.#verdict);
    this.#verdict = undefined;
  }

  #restart() {
    this.#acquit();
    if (this.#isWelcome && this.#peer?.restart()) this.#doubt(RESTART_MS_MAX, () => this.#lose());
    else this.#lose();
  }

  #lose() {
    this.#end(LOST);
  }

  /** @param {Problem} problem */
  #end(problem) {
    this.#drop();
    this.#pause(problem);
  }

  /** Without a word to the owner but that it is down.
   * @param {{leaves?: boolean, lingers?: boolean}} [how] as the peer is closed */
  #drop(how) {
    clearTimeout(this.#attempt);
    clearTimeout(this.#heartbeat);
    this.#acquit();
    const wasWelcome = this.#isWelcome;
    this.#isWelcome = false;
    this.#peer?.close(how);
    this.#peer = null;
    if (!wasWelcome) return;
    if (Date.now() - this.#welcomeAt > STABLE_MS) this.#failures = 0;
    this.#owner.down();
  }

  /** @param {Problem} problem */
  #pause(problem) {
    if (problem.final && isExpiry(problem.code) && this.#isRenewable && !this.#hasRenewed) {
      // Once: a page that has no newer one would be asked for ever.
      this.#hasRenewed = true;
      this.connect();
      return;
    }
    if (problem.final) {
      this.#update('refused', problem);
      return;
    }
    const asked = Math.min(problem.retryAfterMs ?? 0, ASKED_MS_MAX);
    const pause = asked + pauseMs(this.#failures);
    this.#failures += 1;
    this.#pauseIsAsked = asked > 0;
    this.#attempt = setTimeout(() => this.connect(), pause);
    this.#update(this.#welcomeAt === 0 ? 'connecting' : 'away', problem, Date.now() + pause);
  }

  /** Something happened that may have killed the link, or may let a new one through. */
  #check() {
    if (this.#status.retryAt !== null) {
      if (!this.#pauseIsAsked) this.connect();
    } else if (this.#isWelcome) {
      // Of the silence before nothing follows: the machine may have slept.
      this.#ask();
    }
  }

  #watchPage() {
    // Neither a worker nor Node.js has a page.
    if (typeof document === 'undefined') return;
    const { signal } = this.#listening;
    addEventListener('online', () => this.#check(), { signal });
    // Not everywhere; where it is, it also tells of a change between two networks, and of every new estimate
    // of how fast the one is.
    const connection = Reflect.get(navigator, 'connection');
    let type = connection?.type;
    const change = () => {
      if (connection.type === type) return;
      type = connection.type;
      this.#check();
    };
    connection?.addEventListener?.('change', change, { signal });
    document.addEventListener('visibilitychange', () => document.hidden || this.#check(), { signal });
    // Chromium tells the relay nothing when a tab is closed. A page in the back-forward cache has no
    // connection either, and comes back with `pageshow`.
    addEventListener('pagehide', () => this.#hide(), { signal });
    // What is stored as late as `pagehide`, Firefox does not always show to the page that comes next.
    if (this.#storage !== null) addEventListener('beforeunload', () => this.#prepare(), { signal });
    addEventListener('pageshow', (event) => event.persisted && this.#show(), { signal });
  }

  /** The page is about to be left, if nobody thinks better of it, and if it is not only a download. */
  #prepare() {
    this.#keepToken();
    clearTimeout(this.#staying);
    this.#staying = setTimeout(() => this.#removeToken(), LEAVING_MS_MAX);
  }

  #hide() {
    clearTimeout(this.#staying);
    this.#owner.leaving();
    // With a storage the session waits for the page that comes next.
    this.#drop({ lingers: true, leaves: this.#storage === null });
    this.#keepToken();
  }

  #show() {
    this.#takeToken();
    if (this.#status.state !== 'refused') this.connect();
  }

  #keepToken() {
    if (this.#token !== undefined) this.#store((storage) => storage.setItem(this.#storageKey, this.#token ?? ''));
  }

  #removeToken() {
    clearTimeout(this.#staying);
    this.#store((storage) => storage.removeItem(this.#storageKey));
  }

  /** Out of the storage, so that a copy of this tab does not take the session away from it. */
  #takeToken() {
    this.#store((storage) => {
      const token = storage.getItem(this.#storageKey);
      if (token !== null && /^[0-9a-f]{32}$/.test(token)) this.#token = token;
    });
    this.#removeToken();
  }

  /** A storage may be full, or forbidden.
   * @param {(storage: Storage) => void} act */
  #store(act) {
    try {
      if (this.#storage !== null) act(this.#storage);
    } catch {
      // Then a page that is loaded again begins anew.
    }
  }

  /**
   * @param {State} state
   * @param {{reason: string, code: string}} problem
   * @param {number|null} retryAt
   */
  #update(state, { reason, code } = { reason: '', code: '' }, retryAt = null) {
    this.#status = { state, code, reason, retryAt };
    this.#owner.state(this.#status);
  }
}

/** Between a half and the whole of a time that doubles with each failure, so that all the clients
 * of a relay that restarts do not come back in the same moment.
 * @param {number} failures */
function pauseMs(failures) {
  const whole = Math.min(PAUSE_MS_MIN * 2 ** Math.min(failures, 16), PAUSE_MS_MAX);
  return (whole / 2) * (1 + Math.random());
}
