/**
 * One peer connection to a relay, from its offer to its end; its owner replaces it when it breaks.
 *
 * @module
 */

import { PROTOCOL, RelayError } from './oneport-frames.js';
import { wordsOf } from './oneport-arguments.js';

/**
 * Why a connection ended or could not be made. `reason` is for people, `code` for programs; `final`
 * if trying again would not help.
 *
 * @typedef {{reason: string, code: string, final?: boolean, retryAfterMs?: number}} Problem
 */

/**
 * What a Peer tells its owner. `end` comes at most once, and nothing after it or after `close()`.
 *
 * @typedef {object} Owner
 * @property {() => void} open
 * @property {(data: string|ArrayBuffer) => void} message
 * @property {() => void} writable
 * @property {(silent: boolean) => void} silent
 * @property {(problem: Problem) => void} end
 */

export const LOST = { reason: 'the connection to the relay was lost', code: 'lost' };

/** From the offer to the open channel. */
const OPEN_MS_MAX = 15_000;

/** A browser closes the channel if its own queue overflows (Chromium: 16 MiB); stay far below. */
const BUFFERED_BYTES_HIGH = 256 * 1024;
const BUFFERED_BYTES_LOW = 64 * 1024;

/** More than this is not for now, and so not for the lossy channel. */
const LOSSY_BYTES_HIGH = 64 * 1024;

/** The first attempt to tell the relay of a restart. Each one after it has twice the time: the first may go out
 * on a connection of the network that is gone, and then nobody would ever answer it. */
const RESTART_MS_MIN = 300;
const RESTART_PAUSE_MS = 100;

/** A connection waits so long for the answer to its DELETE before it is closed. */
const GOODBYE_MS_MAX = 1_000;

/** Longer sentences are cut: they are shown to people. */
const REASON_CHARS_MAX = 300;

export class Peer {
  #pc;
  /** Ordered and reliable. */
  #channel;
  /** For what may get lost. */
  #lossy;
  #hasOpened = false;
  /** @type {Owner} */ #owner;
  /** @type {URL|null} where a DELETE ends the session */ #session = null;
  /** The relay's description, without its way. */ #answer = '';
  #isRestarting = false;
  /** @type {Map<string, number>} how many bytes each way had brought when last asked */ #received = new Map();
  #overdue = AbortSignal.timeout(OPEN_MS_MAX);
  #isOver = false;

  /**
   * @param {import('./oneport-lifeline.js').Home} home
   * @param {Owner} owner
   * @throws what the browser throws if it makes no connection
   */
  constructor({ endpoint, token }, owner) {
    this.#owner = owner;
    this.#pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    try {
      // Made before the offer, which would otherwise have no data section.
      this.#channel = this.#pc.createDataChannel('main', { protocol: PROTOCOL });
      this.#lossy = this.#pc.createDataChannel('lossy', { protocol: PROTOCOL, ordered: false, maxRetransmits: 0 });
    } catch (error) {
      // Browsers limit how many there are.
      this.#pc.close();
      throw error;
    }
    this.#listen();
    this.#signal(endpoint, token).catch((error) => this.#end(asProblem(error)));
  }

  /** Whether the channel is there: a connection that was closed underneath says nothing. */
  get isOpen() {
    return this.#channel.readyState === 'open';
  }

  /** False if the channel does not take it now.
   * @param {string|ArrayBuffer|Uint8Array<ArrayBuffer>} data */
  send(data) {
    return give(this.#channel, data, BUFFERED_BYTES_HIGH);
  }

  /** The same without order and without a second try, once the lossy channel is open; until then as `send`.
   * @param {string|Uint8Array<ArrayBuffer>} data */
  sendLossy(data) {
    if (this.#lossy.readyState !== 'open') return this.send(data);
    return give(this.#lossy, data, LOSSY_BYTES_HIGH);
  }

  /** Whether anything came since this was last asked: parts of a message, or acknowledgements. What only looks
   * for a way does not count (webrtc-stats, `bytesReceived` of a candidate pair). */
  async hasReceived() {
    const before = this.#received;
    const stats = await this.#stats().catch(() => new Map());
    const pairs = [...stats.values()].filter(({ type }) => type === 'candidate-pair');
    this.#received = new Map(pairs.map(({ id, bytesReceived }) => [id, bytesReceived ?? 0]));
    return pairs.some(({ id, bytesReceived }) => bytesReceived > (before.get(id) ?? 0));
  }

  async #stats() {
    return this.#pc.getStats();
  }

  /** Looks for another way to the relay (ICE restart): the channels, and what is on its way in them, survive
   * that. False if there is nothing that could go another way. */
  restart() {
    if (this.#session === null || !this.isOpen) return false;
    if (!this.#isRestarting) {
      this.#isRestarting = true;
      this.#restart(this.#session)
        .catch((error) => this.#end(asProblem(error)))
        .finally(() => (this.#isRestarting = false));
    }
    return true;
  }

  /** Without a word to the owner.
   * @param {{leaves?: boolean, lingers?: boolean}} [how] `leaves` also ends the session at the relay,
   *   which otherwise waits for another link; `lingers` lets what was just sent go out, which Firefox
   *   otherwise discards */
  close({ leaves = false, lingers = false } = {}) {
    const said = leaves || !this.#hasOpened ? this.#endSession() : undefined;
    this.#stop(lingers ? new Promise((resolve) => setTimeout(resolve)) : said);
  }

  #listen() {
    const channel = this.#channel;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = BUFFERED_BYTES_LOW;
    channel.onopen = () => {
      this.#hasOpened = true;
      this.#overdue.onabort = null;
      this.#owner.open();
    };
    channel.onmessage = (event) => this.#owner.message(event.data);
    channel.onbufferedamountlow = () => this.#owner.writable();
    channel.onclose = () => this.#end({ reason: 'the relay ended the connection', code: 'ended' });
    this.#lossy.binaryType = 'arraybuffer';
    this.#lossy.onmessage = (event) => this.#owner.message(event.data);
    this.#pc.onconnectionstatechange = () => this.#onConnectionState(this.#pc.connectionState);
    this.#overdue.onabort = () => this.#end({ reason: 'the relay did not answer in time', code: 'timeout' });
  }

  /** @param {RTCPeerConnectionState} state */
  #onConnectionState(state) {
    const wasOpen = this.#channel.readyState === 'open';
    if (state === 'failed') {
      this.#end({ reason: wasOpen ? LOST.reason : 'no path to the relay was found', code: LOST.code });
    } else if (wasOpen && (state === 'disconnected' || state === 'connected')) {
      this.#owner.silent(state === 'disconnected');
    }
  }

  /** The offer goes out, the answer comes in; everything after that is on the data path.
   * @param {URL} endpoint
   * @param {import('./oneport-token.js').Token} access */
  async #signal(endpoint, access) {
    const [token] = await Promise.all([access.get(), this.#offer()]);
    // The page's function took its time, and meanwhile nobody needs the link any more.
    if (this.#isOver) return;
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
      body: this.#pc.localDescription?.sdp,
      // Requests that never end would use up what a browser has at once for one server.
      signal: this.#overdue,
    });
    if (response.status !== 201) {
      this.#end(await readRefusal(response));
      return;
    }
    this.#session = sessionUrl(response);
    const sdp = await response.text();
    if (this.#isOver) this.#endSession();
    else await this.#pc.setRemoteDescription({ type: 'answer', sdp });
    this.#answer = lines(sdp, (line) => !isOfWay(line));
  }

  async #offer() {
    try {
      await this.#pc.setLocalDescription();
    } catch (error) {
      const { reason, code } = noConnection(error);
      throw new RelayError(code, reason);
    }
  }

  /** As RFC 9725 section 4.3.3 has it.
   * @param {URL} session */
  async #restart(session) {
    this.#pc.restartIce();
    await this.#pc.setLocalDescription();
    const fragment = lines(this.#pc.localDescription?.sdp ?? '', (line) => /^(m=|a=mid:|a=ice-(ufrag|pwd):)/.test(line));
    for (let ms = RESTART_MS_MIN; !this.#isOver; ms *= 2) {
      const response = await fetch(session, {
        method: 'PATCH',
        headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*' },
        body: fragment,
        signal: AbortSignal.timeout(ms),
      }).catch(() => null);
      // There is no link any more at the relay.
      if (response !== null && response.status >= 400 && response.status < 500) this.#end(LOST);
      const way = response?.status === 200 ? await response.text().catch(() => null) : null;
      if (way !== null && !this.#isOver) {
        await this.#pc.setRemoteDescription({ type: 'answer', sdp: this.#answer + lines(way, isOfWay) });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, RESTART_PAUSE_MS));
    }
  }

  /** @param {Problem} problem */
  #end(problem) {
    if (this.#isOver) return;
    this.#stop();
    // Nothing hangs on it yet, and it would keep a place among those that are connecting.
    if (!this.#hasOpened) this.#endSession();
    this.#owner.end(problem);
  }

  /** @param {Promise<unknown>} [until] when the connection itself may go; at once without it */
  #stop(until) {
    this.#isOver = true;
    this.#overdue.onabort = null;
    const channel = this.#channel;
    channel.onopen = channel.onmessage = channel.onbufferedamountlow = channel.onclose = null;
    this.#lossy.onmessage = null;
    this.#pc.onconnectionstatechange = null;
    if (until === undefined) this.#pc.close();
    else until.then(() => this.#pc.close());
  }

  /** Resolves when the relay knows, or ought to. It finds the session by its link, so this comes first. */
  async #endSession() {
    if (this.#session === null) return;
    // `keepalive` lets the request outlive the page. Nobody is left to hear of its failure.
    const said = fetch(this.#session, { method: 'DELETE', keepalive: true }).catch(() => {});
    this.#session = null;
    await Promise.race([said, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS_MAX))]);
  }
}

/** Whether a line of a description is about how its sender is reached. @param {string} line */
function isOfWay(line) {
  return /^a=(ice-ufrag|ice-pwd|candidate|end-of-candidates)\b/.test(line);
}

/** The lines of a description that are meant. @param {string} sdp @param {(line: string) => boolean} isMeant */
function lines(sdp, isMeant) {
  return sdp.split(/\r?\n/).filter((line) => line !== '' && isMeant(line)).map((line) => `${line}\r\n`).join('');
}

/**
 * @param {RTCDataChannel} channel
 * @param {string|ArrayBuffer|Uint8Array<ArrayBuffer>} data
 * @param {number} bufferedMax
 */
function give(channel, data, bufferedMax) {
  if (channel.readyState !== 'open' || channel.bufferedAmount > bufferedMax) return false;
  try {
    // The two calls are one for JavaScript; their types are not.
    if (typeof data === 'string') channel.send(data);
    else channel.send(/** @type {ArrayBuffer} */ (data));
    return true;
  } catch {
    return false;
  }
}

/** The browser makes no connection now; later it may.
 * @param {unknown} error
 * @returns {Problem} */
export function noConnection(error) {
  return { reason: `the browser cannot make a connection: ${wordsOf(error)}`, code: 'no_connection' };
}

/** What kept the offer and the answer from being exchanged.
 * @param {unknown} error
 * @returns {Problem} */
function asProblem(error) {
  if (error instanceof RelayError) return { reason: error.message, code: error.code, final: error.code === 'token_bad' };
  const isNetwork = error instanceof TypeError;
  const reason = isNetwork ? 'the relay cannot be reached' : 'the relay and this browser do not understand each other';
  return { reason, code: 'unreachable' };
}

/** Reads `application/problem+json` (RFC 9457), or makes do with the status.
 * @param {Response} response
 * @returns {Promise<Problem>} */
async function readRefusal(response) {
  const { status } = response;
  const body = await response.json().catch(() => null);
  /** @param {unknown} value */
  const text = (value) => (typeof value === 'string' ? value.trim().slice(0, REASON_CHARS_MAX) : '');
  const retryAfterMs = retryAfter(response);
  return {
    reason: text(body?.detail) || text(body?.title) || `the relay answered with status ${status}`,
    code: text(body?.code) || `http_${status}`,
    // A client error repeats itself, except those that are about time.
    final: status >= 400 && status < 500 && ![408, 425, 429].includes(status) && retryAfterMs === 0,
    retryAfterMs,
  };
}

/** `Retry-After` (RFC 9110 section 10.2.3) in its form of seconds; 0 without one.
 * @param {Response} response */
function retryAfter(response) {
  const seconds = Number.parseInt(response.headers.get('Retry-After') ?? '', 10);
  return seconds > 0 ? Math.min(seconds, 3_600) * 1_000 : 0;
}

/** Only at the relay that answered: a `Location` does not send our DELETE elsewhere.
 * @param {Response} response */
function sessionUrl(response) {
  const location = response.headers.get('Location');
  if (location === null) return null;
  try {
    const url = new URL(location, response.url);
    return url.origin === new URL(response.url).origin ? url : null;
  } catch {
    return null;
  }
}
