/** The connection's state in words. */

import { setText, ui } from './dom.js';

/**
 * @typedef {object} Status
 * @property {'connecting'|'connected'|'reconnecting'|'refused'} state
 * @property {string} [code] of the relay or the library
 * @property {string} [reason] in the words of the relay or the library
 * @property {number|null} [retryAt] when it is tried again
 * @property {string} [wayOut] what the button says that leads out of a refusal
 */

const WORDS = {
  connecting: 'Connecting',
  connected: 'Connected',
  reconnecting: 'Reconnecting',
  refused: 'Not connected',
};

/** What those mean to a person that programs know by their code. */
const REFUSALS = new Map(
  Object.entries({
    token_missing: 'You need an invitation here: open the link again that you were given.',
    token_bad: 'This invitation is not valid at this relay: open the link again that you were given.',
    token_expired: 'Your invitation has expired. Ask for a new one.',
    expired: 'Your invitation has expired. Ask for a new one.',
    forbidden: 'Your invitation does not let you into this room.',
    kicked: 'You were removed from this room.',
    closed: 'This room was closed.',
    replaced: 'You are in this room in another tab now.',
    insecure_context: 'A private room needs https: over plain http this browser does not encrypt.',
    bad_key: 'The key of this private room is not complete: copy the whole link.',
    unsupported: 'This browser has no WebRTC, or it is turned off.',
  }),
);

let countdownTimer = 0;

/** @param {Status} status */
export function showStatus({ state, code = '', reason = '', retryAt = null, wayOut = 'Try again' }) {
  const isRefused = state === 'refused';
  ui.root.dataset.state = state;
  setText(ui.status, WORDS[state]);
  setText(ui.noticeText, REFUSALS.get(code) ?? asSentence(reason));
  ui.notice.hidden = state === 'connected' || (reason === '' && !isRefused);
  ui.notice.classList.toggle('final', isRefused);
  ui.retry.hidden = !isRefused && retryAt === null;
  ui.retry.textContent = isRefused ? wayOut : 'Try now';
  countDown(retryAt);
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
