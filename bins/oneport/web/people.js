/** Who is in the room: the list. */

import { makeAvatar, paintAvatar } from './appearance.js';
import { make, setText, ui } from './dom.js';
import { nameOf } from './text.js';

/** @typedef {Readonly<import('./oneport-types.js').Member>} Member */

/** Of a large room only so many are drawn, those who are there before those who are away. */
const DRAWN_MAX = 100;

/** In a crowd many come at once: the list is drawn once for them all. */
const DRAW_DELAY_MS = 50;

const ALPHABET = new Intl.Collator();

export class People {
  #choose;
  #kick;
  /** @type {Map<number, HTMLLIElement>} who is drawn: an element stays a person's, and keeps the focus */ #drawn = new Map();
  /** @type {ReadonlyMap<number, Member>} */ #members = new Map();
  /** @type {number|null} */ #me = null;
  #timer = 0;

  /** @param {(id: number) => void} choose somebody to write to alone
   * @param {((id: number) => void)|null} [kick] removes somebody, for those who may */
  constructor(choose, kick = null) {
    this.#choose = choose;
    this.#kick = kick;
  }

  /** @param {ReadonlyMap<number, Member>} members
   * @param {number|null} me */
  show(members, me) {
    this.#members = members;
    this.#me = me;
    if (this.#timer !== 0) return;
    this.#timer = window.setTimeout(() => {
      this.#timer = 0;
      this.#draw([...this.#members.values()]);
    }, DRAW_DELAY_MS);
  }

  /** Under what name somebody is shown, if at all.
   * @param {number} id */
  nameOf(id) {
    return this.#drawn.get(id)?.querySelector('.name')?.textContent;
  }

  /** Nobody is shown any more, and nothing happens later. */
  clear() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#draw([]);
  }

  /** @param {Member[]} members */
  #draw(members) {
    const named = members.map((member) => ({ ...member, name: nameOf(member), rank: rankOf(member, this.#me) }));
    named.sort((a, b) => a.rank - b.rank || ALPHABET.compare(a.name, b.name) || a.id - b.id);
    const shown = named.slice(0, DRAWN_MAX);
    const ids = new Set(shown.map(({ id }) => id));
    for (const [id, line] of this.#drawn) {
      if (!ids.has(id)) this.#drawn.delete(id) && line.remove();
    }
    for (const [index, { id, name, away = false, rank }] of shown.entries()) {
      const line = this.#drawn.get(id) ?? this.#make(id, rank === 0);
      drawPerson(line, { id, name, away });
      // An element that stays where it is keeps the focus.
      if (ui.people.children[index] !== line) ui.people.insertBefore(line, ui.people.children[index] ?? null);
    }
    const rest = members.length - shown.length;
    ui.peopleRest.hidden = rest === 0;
    setText(ui.peopleRest, `and ${rest.toLocaleString()} more`);
    setText(ui.peopleCount, members.length.toLocaleString());
  }

  /** @param {number} id
   * @param {boolean} isMe */
  #make(id, isMe) {
    const line = make('li', 'person');
    const inside = isMe ? line : make('button', 'person-button');
    inside.append(makeAvatar('', id, 'avatar small'), make('bdi', 'name'));
    if (isMe) {
      line.dataset.own = '';
      line.append(make('span', 'tag', 'you'));
    } else {
      const away = make('span', 'tag away', 'away');
      away.hidden = true;
      inside.append(away, make('span', 'for-readers', ' Write to this person alone'));
      inside.title = 'Write to this person alone';
      inside.addEventListener('click', () => this.#choose(id));
      line.append(inside);
      if (this.#kick !== null) line.append(this.#makeKick(id, this.#kick));
    }
    this.#drawn.set(id, line);
    return line;
  }

  /** @param {number} id
   * @param {(id: number) => void} kick */
  #makeKick(id, kick) {
    const button = make('button', 'kick quiet', '✕');
    button.type = 'button';
    button.title = 'Remove from this room';
    button.append(make('span', 'for-readers', ' Remove from this room'));
    button.addEventListener('click', () => kick(id));
    return button;
  }
}

/** @param {HTMLLIElement} line
 * @param {{id: number, name: string, away: boolean}} person */
function drawPerson(line, { id, name, away }) {
  const [avatar, shown, tag] = ['.avatar', '.name', '.away'].map((part) => line.querySelector(part));
  if (shown?.textContent !== name && avatar instanceof HTMLElement && shown) {
    shown.textContent = name;
    paintAvatar(avatar, name, id);
  }
  line.toggleAttribute('data-away', away);
  if (tag instanceof HTMLElement) tag.hidden = !away;
}

/** @param {Member} member
 * @param {number|null} me */
function rankOf({ id, away }, me) {
  return id === me ? 0 : away ? 2 : 1;
}
