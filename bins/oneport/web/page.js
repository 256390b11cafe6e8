/**
 * The chat page: the room that the URL's hash names, and what the inputs do with it. What pages say
 * to each other is in wire.js, how a page stays connected in link.js.
 *
 * What tests and user scripts can rely on in the document:
 *   html[data-state]           connecting | connected | lost | reconnecting | refused
 *   #status                    the same in words; #notice (with #notice-text and #retry) says why
 *   #room, #name               inputs; a change takes effect on Enter or when the focus leaves
 *   #composer, #text           the form and its textarea; Enter or #send submits
 *   #messages > li[data-id]    one message each, with .name and .text inside; [data-own] on one's own,
 *                              and then data-delivery = waiting | sent
 *   #messages > li.note        who came and went, and what happened to the connection
 *   #people > li               who is here, oneself (li[data-own]) first, each with a .name
 *   #invite, #more             buttons: copy the link; go to the newest message
 */

import { listenToComposer, putBack } from './composer.js';
import { Conversation } from './conversation.js';
import { fitInput, ui } from './dom.js';
import { listenToName, showName } from './me.js';
import { hidePanels, listenToPanels } from './panels.js';
import { Room } from './room.js';
import { showStatus } from './status.js';

const ROOM_DEFAULT = 'lobby';

const conversation = new Conversation();
/** @type {Room|null} */
let room = null;

function enterRoom() {
  const name = roomInAddress();
  if (name === '') {
    history.replaceState(null, '', `#${ROOM_DEFAULT}`);
    enterRoom();
    return;
  }
  const unsent = room?.leave() ?? [];
  hidePanels();
  showRoomName();
  conversation.enter(name);
  const problem = roomProblem(name);
  room = problem === '' ? new Room(name, conversation) : null;
  if (room === null) {
    showStatus({ state: 'refused', reason: problem, code: 'bad_room', retryAt: null }, `Go to #${ROOM_DEFAULT}`);
  }
  ui.invite.disabled = room === null;
  if (unsent.length === 0) return;
  putBack(unsent);
  conversation.note('What could not be sent in the room before is in the box below.');
}

/** What the address says, as it was meant; it may be no room at all. */
function roomInAddress() {
  const hash = location.hash.slice(1);
  try {
    return decodeURIComponent(hash);
  } catch {
    return hash;
  }
}

/** Why this cannot be a room, or nothing. `.` and `..` would mean something else in a URL's path.
 * @param {string} name */
function roomProblem(name) {
  if (/^[A-Za-z0-9._~-]{1,64}$/.test(name) && name !== '.' && name !== '..') return '';
  const shown = Array.from(name).slice(0, 64).join('');
  return `“${shown}” cannot be a room: a name has 1 to 64 letters a-z, digits or - . _ ~`;
}

/** Shows where we are, whatever was typed. */
function showRoomName() {
  ui.room.value = roomInAddress();
  fitInput(ui.room);
}

function changeRoom() {
  const name = ui.room.value.trim().replace(/^#/, '') || ROOM_DEFAULT;
  if (name === roomInAddress()) showRoomName();
  else location.hash = encodeURIComponent(name);
}

/** @param {string} text */
function say(text) {
  if (room === null) return 'There is no room to say it in';
  return room.say(text) ? '' : 'Too many messages wait already';
}

addEventListener('hashchange', enterRoom);
ui.room.addEventListener('change', changeRoom);
ui.room.addEventListener('input', () => fitInput(ui.room));
ui.roomForm.addEventListener('submit', (event) => {
  event.preventDefault();
  changeRoom();
  if (room) ui.text.focus();
});
ui.retry.addEventListener('click', () => {
  if (room) room.retry();
  else location.hash = ROOM_DEFAULT;
});
listenToComposer(say, () => room?.typing());
listenToName(() => room?.renamed());
listenToPanels();

// Escape goes back to writing, out of whatever is open or half changed.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.isComposing) return;
  hidePanels();
  showRoomName();
  showName();
  ui.text.focus();
});

// Safari does not know `interactive-widget`: there the page follows the visible part by itself.
visualViewport?.addEventListener('resize', () => {
  const { height = 0, scale = 1 } = visualViewport ?? {};
  if (scale === 1) ui.root.style.setProperty('--height', `${height}px`);
});

showName();
enterRoom();
// On a phone this would bring up the keyboard over an unread page.
if (matchMedia('(hover: hover)').matches) ui.text.focus();
