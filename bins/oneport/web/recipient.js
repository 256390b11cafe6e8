/** For whom the composer is: everybody, or one person alone. */

import { setText, ui } from './dom.js';
import { shortName } from './names.js';
import { nameOf } from './text.js';

/** @typedef {Readonly<import('./oneport-types.js').Member>} Member */

/** @typedef {{id: number, name: string}} Person */

const PLACEHOLDER = ui.text.placeholder;

export class Recipient {
  /** @type {Person|null} */ #person = null;
  #isGone = false;

  /** @returns {Readonly<Person>|null} */
  get person() {
    return this.#person;
  }

  /** Why nothing can be sent to whom was chosen, or nothing. What was meant for one never goes to all. */
  get problem() {
    return this.#isGone ? `${shortName(this.#person?.name ?? '')} is not here any more` : '';
  }

  /** @param {Member} member */
  choose(member) {
    this.#person = { id: member.id, name: nameOf(member) };
    this.#isGone = false;
    this.#show();
  }

  /** Back to everybody. */
  clear() {
    this.#person = null;
    this.#isGone = false;
    this.#show();
  }

  /** The person may have a new name by now, or have gone.
   * @param {ReadonlyMap<number, Member>} members */
  update(members) {
    if (this.#person === null || this.#isGone) return;
    const member = members.get(this.#person.id);
    if (member) this.#person = { id: member.id, name: nameOf(member) };
    else this.#isGone = true;
    this.#show();
  }

  /** The room may have begun anew, and given the number to somebody else.
   * @param {ReadonlyMap<number, Member>} members */
  doubt(members) {
    if (this.#person !== null && !isSame(this.#person, members)) this.#isGone = true;
    this.#show();
  }

  #show() {
    const { name = '' } = this.#person ?? {};
    ui.recipient.hidden = this.#person === null;
    ui.root.toggleAttribute('data-private', this.#person !== null);
    setText(ui.recipientName, name);
    setText(ui.recipientGone, this.#isGone ? 'who has left' : '');
    ui.text.placeholder = this.#person === null ? PLACEHOLDER : `Say something to ${shortName(name)} alone`;
  }
}

/** Whether it is still the same person, as far as one can know.
 * @param {Readonly<Person>} person
 * @param {ReadonlyMap<number, Member>} members */
export function isSame({ id, name }, members) {
  return members.has(id) && nameOf(members.get(id)) === name;
}

/** In words for whom something is, or nothing if it is for everybody.
 * @param {number[]|null} to
 * @param {import('./oneport.js').Room} room
 * @param {boolean} isOwn */
export function audienceOf(to, { me, members }, isOwn) {
  if (to === null) return '';
  const others = to.filter((id) => id !== me);
  if (isOwn) return others.length === 1 ? `to ${nameOf(members.get(others[0]))} alone` : `to ${others.length} people`;
  return others.length === 0 ? 'to you alone' : `to you and ${others.length} more`;
}
