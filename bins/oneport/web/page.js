/**
 * The chat page: the room that the address names, and what the inputs do with it. It is made of the
 * browser library (oneport.js) and nothing else: what it can, every page can.
 *
 * What tests and user scripts can rely on in the document:
 *   html[data-state]           connecting | connected | reconnecting | refused
 *   html[data-private]         the composer is for one person alone; #recipient says for whom, and
 *                              #recipient-clear (or Escape) ends it
 *   html[data-sealed]          the room is private: encrypted from page to page. #lock says so
 *   #status                    the state in words; #notice (with #notice-text and #retry) says why
 *   #room, #name               inputs; a change takes effect on Enter or when the focus leaves. #name is
 *                              read-only and #name-lock shown if a token prescribes the name
 *   #composer, #text           the form and its textarea; Enter or #send submits
 *   #attach, #files            a button, and the file input that it opens; what is dropped on the page
 *                              or pasted into #text is sent as well
 *   #messages > li[data-id]    one message each, in the room's order, with .name and .text inside;
 *                              [data-private] and .audience if it is not for everybody; .unreadable if it
 *                              could not be decrypted; [data-own] on one's own, and then
 *                              data-delivery = waiting | sent | delivered | failed, with .again to send again
 *   #messages > li[data-file]  a file, data-file = waiting | moving | done | failed, with .name, .file-name,
 *                              .file-state and, while it may, .cancel and progress, or a.save; and img.preview
 *   #messages > li.note        who came and went, and what happened to the connection
 *   #messages > li.divider     .before: what is above was said before one came; .unread: nobody looked
 *                              since then
 *   #earlier                   a button, in the log, if the room has earlier messages
 *   #people > li               who is here, oneself (li[data-own]) first, each with a .name; [data-away] on
 *                              those who are away; the others' button begins a message to them alone.
 *                              #people-rest says how many more there are, and #people-count all
 *   #typing                    who is writing
 *   #invite, #more             buttons: copy the link; go to the newest message
 *   #invite-about              what the link is good for that #invite copies
 *   #people .kick              a button, for who has the right: asks in #kick (#kick-name, #kick-message,
 *                              #kick-confirm, #kick-cancel) and removes that person from the room
 *   #private-room              a button: a new room with a new key
 */

import { goTo, goToRoom, inviteLink, randomRoom, readPlace, ROOM_DEFAULT, roomProblem } from './address.js';
import { listenToFiles } from './attach.js';
import { listenToComposer, putBack, showProblem } from './composer.js';
import { Conversation } from './conversation.js';
import { fitInput, setText, ui } from './dom.js';
import { listenToName, prescribeName, showName } from './me.js';
import { newKey } from './oneport.js';
import { listenToKick } from './kick.js';
import { hidePanels, listenToPanels, describeInvite } from './panels.js';
import { showStatus } from './status.js';
import { Stay } from './stay.js';

const KEEPS = 'The relay keeps the latest messages in its memory, for a day at most, and forgets the room ten minutes after the last one left. Whoever comes in can read them. Files go to who is here, and are not kept.';
const KEEPS_SEALED = 'Messages and files are encrypted in your browser, and the relay cannot read them; files are not kept. It does see who is here, when, and how much. Whoever has the link can read everything: it is the key. And you trust whoever serves this page.';
const PRIVATE = ui.privateAbout.textContent ?? '';

const conversation = new Conversation();
/** @type {import('./address.js').Place} */
let place = { room: ROOM_DEFAULT };
/** @type {Stay|null} */
let stay = null;

function enterRoom() {
  const unsent = stay?.leave() ?? [];
  place = readPlace();
  const isSealed = place.key !== undefined;
  hidePanels();
  showRoomName();
  describeInvite(place);
  ui.root.toggleAttribute('data-sealed', isSealed);
  ui.lock.hidden = !isSealed;
  setText(ui.keeps, isSealed ? KEEPS_SEALED : KEEPS);
  setText(ui.privateAbout, isSealed ? `This room is private. ${KEEPS_SEALED}` : PRIVATE);
  conversation.enter(place.room);
  const problem = roomProblem(place.room);
  ui.invite.disabled = problem !== '';
  if (problem === '') {
    stay = new Stay(place, conversation, () => {
      hidePanels();
      ui.text.focus();
    });
  } else {
    stay = null;
    prescribeName('');
    showStatus({ state: 'refused', reason: problem, wayOut: `Go to #${ROOM_DEFAULT}` });
  }
  giveBack(unsent);
}

/** What was not sent in the room before. What was for one person does not go into the box for all.
 * @param {import('./sending.js').Message[]} unsent */
function giveBack(unsent) {
  for (const { text, to } of unsent) {
    if (to !== null) conversation.note(`This was not sent to ${to.name}: ${text}`);
  }
  const texts = unsent.filter(({ to }) => to === null).map(({ text }) => text);
  if (texts.length === 0) return;
  putBack(texts);
  conversation.note('What could not be sent in the room before is in the box below.');
}

/** Shows where we are, whatever was typed. */
function showRoomName() {
  ui.room.value = place.room;
  fitInput(ui.room);
}

function changeRoom() {
  const name = ui.room.value.trim().replace(/^#/, '') || ROOM_DEFAULT;
  if (name === place.room) showRoomName();
  else goToRoom(name, place);
}

function openPrivateRoom() {
  if (isSecureContext) goTo({ room: randomRoom(), key: newKey() });
  else setText(ui.privateAbout, 'That needs https: over plain http this browser does not encrypt.');
}

/** @param {File[]} files */
function offer(files) {
  const problem = stay === null ? 'There is no room to send it to' : stay.offer(files);
  if (problem !== '') showProblem(problem);
}

addEventListener('hashchange', enterRoom);
ui.room.addEventListener('change', changeRoom);
ui.room.addEventListener('input', () => fitInput(ui.room));
ui.roomForm.addEventListener('submit', (event) => {
  event.preventDefault();
  changeRoom();
  if (stay) ui.text.focus();
});
ui.retry.addEventListener('click', () => {
  if (stay) stay.retry();
  else goTo({ room: ROOM_DEFAULT });
});
ui.recipientClear.addEventListener('click', () => {
  stay?.recipient.clear();
  ui.text.focus();
});
ui.privateRoom.addEventListener('click', openPrivateRoom);
listenToComposer(
  (text) => (stay === null ? 'There is no room to say it in' : stay.say(text)),
  () => stay?.type(),
);
listenToFiles(offer);
listenToName(() => stay?.rename());
listenToKick();
listenToPanels(() => inviteLink(place));

// Escape goes back to writing, out of whatever is open or half changed, and then back to everybody.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.isComposing || ui.kick.open) return;
  if (document.activeElement === ui.text) stay?.recipient.clear();
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
