/** One line of the conversation: how a message, a note and a divider look. */

import { appendText, makeAvatar, makeTime, paint } from './appearance.js';
import { make, setText } from './dom.js';
import { RELAY_ID } from './names.js';

/**
 * What is shown of a message.
 *
 * @typedef {object} Said
 * @property {string} id
 * @property {string} sender the same for all of one sender's that may stand together
 * @property {number} from its sender's member id
 * @property {string} name
 * @property {string} text
 * @property {number} at as `Date.now()` counts
 * @property {number|null} offset its place in the room's order, once it has one
 * @property {string} [audience] for whom it is, if not for everybody
 * @property {boolean} [isOwn]
 * @property {boolean} [isUnreadable] the text says why
 */

/**
 * How far a message of one's own has come.
 *
 * @typedef {object} Delivery
 * @property {'waiting'|'sent'|'delivered'|'failed'} state
 * @property {string} [words] instead of the state's name
 * @property {string} [reason] of a failure
 */

/** A line with somebody's bubble, and an empty `.body` in it.
 * @param {Pick<Said, 'id'|'from'|'name'|'at'|'audience'|'isOwn'>} said */
export function makeBubbleLine({ id, from, name, at, audience = '', isOwn = false }) {
  const line = make('li', 'message');
  line.dataset.id = id;
  line.classList.toggle('of-relay', from === RELAY_ID);
  const bubble = make('div', 'bubble');
  const sender = make('bdi', 'name', name);
  paint(sender, from);
  bubble.append(sender, ' ');
  if (audience !== '') {
    line.dataset.private = '';
    bubble.append(make('bdi', 'audience', audience), ' ');
  }
  const body = make('div', 'body');
  const meta = make('span', 'meta');
  meta.append(makeTime(new Date(at)));
  if (isOwn) {
    line.classList.add('own');
    line.dataset.own = '';
    const delivery = make('span', 'delivery');
    // A failure is read aloud, and not every step before it.
    delivery.setAttribute('aria-live', 'off');
    meta.append(' ', delivery);
  }
  body.append(meta);
  bubble.append(body);
  line.append(makeAvatar(name, from), bubble);
  return line;
}

/** @param {Said} said */
export function makeMessageLine(said) {
  const line = makeBubbleLine(said);
  const body = line.querySelector('.body');
  const words = make('span', 'text');
  appendText(words, said.text);
  if (said.isUnreadable) line.classList.add('unreadable');
  if (body instanceof HTMLElement) {
    body.dir = 'auto';
    body.prepend(words, ' ');
  }
  return line;
}

/**
 * @param {HTMLLIElement} line
 * @param {Delivery} delivery
 * @param {() => void} sendAgain
 */
export function showDelivery(line, { state, words = state, reason = '' }, sendAgain) {
  line.dataset.delivery = state;
  const shown = line.querySelector('.delivery');
  if (shown instanceof HTMLElement) setText(shown, words);
  line.querySelector('.failure')?.remove();
  if (state !== 'failed') return;
  const failure = make('p', 'failure', reason);
  const again = make('button', 'again', 'Send again');
  again.type = 'button';
  again.addEventListener('click', sendAgain);
  failure.append(' ', again);
  line.querySelector('.bubble')?.append(failure);
}

/** @param {string} text */
export function makeNote(text) {
  const line = make('li', 'note', text);
  line.dir = 'auto';
  return line;
}

/** @param {string} text
 * @param {string} [kind] */
export function makeDivider(text, kind = '') {
  return make('li', `divider ${kind}`.trim(), text);
}
