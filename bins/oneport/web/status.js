/** The connection's state in words. */

import { setText, ui } from './dom.js';

/** @typedef {import('./link.js').Status} Status */

const WORDS = {
  connecting: 'Connecting',
  connected: 'Connected',
  lost: 'Connection lost',
  reconnecting: 'Reconnecting',
  refused: 'Not connected',
};

let countdownTimer = 0;

/**
 * @param {Status} status
 * @param {string} [wayOut] what the button says that leads out of a refusal
 */
export function showStatus(status, wayOut = 'Try again') {
  // The room was left, or the page is; nobody looks, and the next room begins as `connecting`.
  if (status.state === 'closed') return;
  const isRefused = status.state === 'refused';
  ui.root.dataset.state = status.state;
  setText(ui.status, WORDS[status.state]);
  setText(ui.noticeText, asSentence(status.reason));
  ui.notice.hidden = status.reason === '' || status.state === 'lost';
  ui.notice.classList.toggle('final', isRefused);
  ui.retry.hidden = !isRefused && status.retryAt === null;
  ui.retry.textContent = isRefused ? wayOut : 'Try now';
  countDown(status.retryAt);
}

/** @param {number|null} until */
function countDown(until) {
  clearTimeout(countdownTimer);
  const seconds = until === null ? 0 : Math.ceil((until - Date.now()) / 1_000);
  setText(ui.countdown, seconds > 0 ? `in ${seconds} s` : '');
  if (seconds > 0) countdownTimer = window.setTimeout(() => countDown(until), 250);
}

/** @param {string} reason as the relay and link.js write them: no capital, no full stop */
function asSentence(reason) {
  const sentence = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?]$/.test(sentence) || sentence === '' ? sentence : `${sentence}.`;
}
