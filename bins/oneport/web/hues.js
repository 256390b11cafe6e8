/** Which colour stands for whom: in a small room, another one for each. */

/** Far enough apart to tell two of them apart. */
export const HUES = [20, 45, 75, 110, 140, 165, 195, 225, 255, 285, 315, 345];

/** Ids are given one after the other: neighbours in the room are not neighbours in the circle. */
const STEP = 5;

/** @type {Map<number, number>} the place in the circle of each who is there, by member id */
const given = new Map();

/** Gives everybody who is there a colour, in the order of their ids, so that all pages give the same ones. Whoever
 * has one keeps it. More members than colours share them.
 * @param {Iterable<number>} ids */
export function giveHues(ids) {
  const present = new Set(ids);
  for (const id of given.keys()) {
    if (!present.has(id)) given.delete(id);
  }
  const taken = new Set(given.values());
  for (const id of [...present].filter((id) => !given.has(id)).sort((a, b) => a - b)) {
    if (taken.size === HUES.length) return;
    let place = ownPlace(id);
    while (taken.has(place)) place = (place + STEP) % HUES.length;
    taken.add(place);
    given.set(id, place);
  }
}

/** The hue of a member, also of one who has left.
 * @param {number} id */
export function hueOf(id) {
  return HUES[given.get(id) ?? ownPlace(id)];
}

/** @param {number} id */
function ownPlace(id) {
  return (id * STEP) % HUES.length;
}
