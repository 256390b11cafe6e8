/** What opens and closes: the invitation, and the list of people where there is no room beside the log. */

import { ui } from './dom.js';

const INVITE = ui.inviteLabel.textContent;
const COPIED_SHOWN_MS = 2_500;

let copiedTimer = 0;

export function hidePanels() {
  showPeople(false);
  ui.invitePanel.hidden = true;
}

export function listenToPanels() {
  ui.invite.addEventListener('click', copyLink);
  ui.inviteClose.addEventListener('click', () => {
    hidePanels();
    ui.invite.focus();
  });
  ui.peopleToggle.addEventListener('click', () => showPeople(!ui.root.hasAttribute('data-people')));
  ui.log.addEventListener('click', () => showPeople(false));
}

/** @param {boolean} show */
function showPeople(show) {
  ui.root.toggleAttribute('data-people', show);
  ui.peopleToggle.setAttribute('aria-expanded', String(show));
}

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    showCopied();
  } catch {
    // Without TLS, or without permission: show it, selected, and try the old way.
    ui.inviteLink.value = location.href;
    ui.invitePanel.hidden = false;
    ui.inviteLink.focus();
    ui.inviteLink.select();
    if (document.execCommand('copy')) showCopied();
  }
}

function showCopied() {
  clearTimeout(copiedTimer);
  ui.inviteLabel.textContent = 'Link copied';
  ui.invite.classList.add('done');
  copiedTimer = window.setTimeout(() => {
    ui.inviteLabel.textContent = INVITE;
    ui.invite.classList.remove('done');
  }, COPIED_SHOWN_MS);
}
