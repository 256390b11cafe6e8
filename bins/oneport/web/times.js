/** Times and days, as the reader writes them. */

/** The browser's own format, which follows the system's clock, unless the reader prefers pages in another language. */
const LOCALE = preferredLocale();

// Made once: making a formatter takes longer than all the rest of a message.
const CLOCK = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'short' });
const DAY_AND_CLOCK = new Intl.DateTimeFormat(LOCALE, { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' });
const DATE_AND_CLOCK = new Intl.DateTimeFormat(LOCALE, { year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' });
const CALENDAR = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'full', timeStyle: 'medium' });
const DAY = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'full' });

/** The day may have changed after a look at it. */
const LOOK_EVERY_MS = 20_000;

/** The time of day, with the day if that is not today.
 * @param {Date} date
 * @param {Date} [now] */
export function timeOf(date, now = new Date()) {
  if (date.toDateString() === now.toDateString()) return CLOCK.format(date);
  return (date.getFullYear() === now.getFullYear() ? DAY_AND_CLOCK : DATE_AND_CLOCK).format(date);
}

/** All there is to say about a time.
 * @param {Date} date */
export function dateOf(date) {
  return CALENDAR.format(date);
}

/** A day by its name, in the reader's own time.
 * @param {number} at as `Date.now()` counts */
export function dayOf(at) {
  return DAY.format(at);
}

/** @param {() => void} act when another day has begun */
export function listenToDays(act) {
  let today = new Date().toDateString();
  setInterval(() => {
    const day = new Date().toDateString();
    if (day === today) return;
    today = day;
    act();
  }, LOOK_EVERY_MS);
}

/** @returns {string|undefined} undefined for the browser's own */
function preferredLocale() {
  const own = new Intl.DateTimeFormat().resolvedOptions().locale;
  const preferred = navigator.languages ?? [];
  return preferred.indexOf(own) > 0 ? preferred[0] : undefined;
}
