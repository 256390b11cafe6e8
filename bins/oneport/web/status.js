/** The connection's state in words. */

import { setText, ui } from './dom.js';

/**
 * @typedef {object} Status
 * @property {'connecting'|'connected'|'reconnecting'|'refused'} state
 * @property {string} [code] of the relay or the library
 * @property {string} [reason] in the words of the relay or the library
 * @property {number|null} [retryAt] when it is tried again
 * @property {string} [said] by who removed us, or closed the room
 * @property {string} [wayOut] what the button says that leads out of a refusal
 */

const WORDS = {
  connecting: 'Connecting',
  connected: 'Connected',
  reconnecting: 'Reconnecting',
  refused: 'Not connected',
};

/** What an empty conversation says before the room's name. Nobody is greeted who is not in. */
const EMPTY = {
  connecting: 'On the way to',
  connected: 'Calm waters in',
  reconnecting: 'On the way back to',
  refused: 'You are not in',
};

/** The reason, and what to do, for what programs know by its code. @type {Map<string, string>} */
const REASONS = new Map(
  Object.entries({
    token_missing: 'You need an invitation here: open the link again that you were given.',
    token_bad: 'This invitation is not valid at this relay: open the link again that you were given.',
    token_expired: 'Your invitation has expired. Ask for a new one.',
    expired: 'Your invitation has expired. Ask for a new one.',
    forbidden: 'Your invitation does not let you into this room.',
    kicked: 'You were removed from this room.',
    closed: 'This room was closed.',
    replaced: 'You are in this room in another tab now.',
    room_full: 'This room is full. Try again when somebody has left, or choose another room above.',
    too_many_rooms: 'The relay takes no further room now. Try again later, or choose a room where others are.',
    relay_full: 'The relay is full. Try again when others have left.',
    too_many_clients_from_address: 'Too many pages of your network are connected to this relay. Close those that you do not need, and try again.',
    too_many_handshakes: 'Too many people connect at this moment. Try again in a few seconds.',
    too_many_handshakes_from_address: 'Too many pages of your network connect at this moment. Try again in a few seconds.',
    memory: 'The relay is short of memory. Try again in a minute.',
    bad_name: 'The relay does not take your name. Choose another one below, and try again.',
    name_too_long: 'Your name is too long for the relay. Choose a shorter one below, and try again.',
    bad_version: 'This page and the relay are not of the same version: load the page again.',
    insecure_context: 'A private room needs https: over plain http this browser does not encrypt.',
    bad_key: 'The key of this private room is not complete: copy the whole link.',
    unsupported: 'This browser has no WebRTC, or it is turned off. Turn it on, or take another browser.',
  }),
);

/** How an attempt ends that found no path to the relay. */
const NO_PATH = new Set(['lost', 'ended', 'timeout']);

/** Why Firefox finds no path to the machine that it runs on, and what to do. */
const FIREFOX_ON_LOOPBACK =
  "Firefox makes no WebRTC connection to this machine's loopback address. Let the relay listen on a network address " +
  '(oneport serve --listen 0.0.0.0:3478 --open) and open the page by the address that it prints. Or set ' +
  'media.peerconnection.ice.loopback to true in about:config, and allow this page the microphone. Or take another browser.';

let countdownTimer = 0;

/** @param {Status} status */
export function showStatus({ state, code = '', reason = '', said = '', retryAt = null, wayOut = 'Try again' }) {
  const isRefused = state === 'refused';
  ui.root.dataset.state = state;
  setText(ui.status, WORDS[state]);
  setText(ui.emptyWords, EMPTY[state]);
  setText(ui.noticeText, wordsFor(state, code, reason, said));
  ui.notice.hidden = state === 'connected' || (reason === '' && !isRefused);
  ui.notice.classList.toggle('final', isRefused);
  ui.retry.hidden = !isRefused && retryAt === null;
  ui.retry.textContent = isRefused ? wayOut : 'Try now';
  countDown(retryAt);
}

/**
 * @param {Status['state']} state
 * @param {string} code
 * @param {string} reason
 * @param {string} said
 */
function wordsFor(state, code, reason, said) {
  if (state === 'connecting' && NO_PATH.has(code) && isFirefoxOnLoopback(navigator.userAgent, location.hostname)) return FIREFOX_ON_LOOPBACK;
  const words = REASONS.get(code) ?? asSentence(reason);
  // As it was put, and marked as somebody's words.
  return said === '' ? words : `${words.replace(/[.]$/, '')}: “${said}”`;
}

/** @param {string} userAgent
 * @param {string} host */
export function isFirefoxOnLoopback(userAgent, host) {
  return /\bFirefox\//.test(userAgent) && /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(host);
}

/** @param {number|null} until */
function countDown(until) {
  clearTimeout(countdownTimer);
  const seconds = until === null ? 0 : Math.ceil((until - Date.now()) / 1_000);
  setText(ui.countdown, seconds > 0 ? `in ${seconds} s` : '');
  if (seconds > 0) countdownTimer = window.setTimeout(() => countDown(until), 250);
}

/** @param {string} reason as the relay and the library write them: no capital, no full stop */
function asSentence(reason) {
  const sentence = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?]$/.test(sentence) || sentence === '' ? sentence : `${sentence}.`;
}
