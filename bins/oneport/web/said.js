/** One of my messages. `at` is when it was sent, or 0 while it waits.
 * @typedef {{json: string, at: number, repeats: number}} Message */

// After a restart of the relay all come back within seconds, one before the other, and what the
// first says reaches nobody. So the latest is said again when somebody returns; all the bounds keep
// one who says hello all day from making everybody else talk.
const AGE_MS_MAX = 60_000;
const MESSAGES_MAX = 20;
const CHARS_MAX = 16_000;
const REPEATS_MAX = 5;
const REPEAT_EVERY_MS = 3_000;

/** Not everybody speaks in the same moment. */
const SPREAD_MS = 1_500;

/** What I said of late, to be said again to those who were away. */
export class Said {
  /** @type {(json: string) => void} */ #say;
  /** @type {Map<string, Message>} by id, oldest first */ #messages = new Map();
  #timer = 0;
  /** What the next repetition begins with. */
  #since = Infinity;
  #repeatedAt = 0;

  /** @param {(json: string) => void} say */
  constructor(say) {
    this.#say = say;
  }

  /**
   * @param {string} id
   * @param {string} json
   * @param {'sent'|'waiting'} delivery
   */
  add(id, json, delivery) {
    this.#messages.set(id, { json, at: 0, repeats: 0 });
    this.delivered(id, delivery);
    const [oldest] = this.#messages.keys();
    if (this.#messages.size > MESSAGES_MAX) this.#messages.delete(oldest);
  }

  /** @param {string} id
   * @param {'sent'|'waiting'} delivery */
  delivered(id, delivery) {
    const message = this.#messages.get(id);
    if (message) message.at = delivery === 'sent' ? Date.now() : 0;
  }

  /** Repeats before long what was said in the last so many milliseconds.
   * @param {number} age */
  repeatSoon(age) {
    if (this.#messages.size === 0) return;
    const now = Date.now();
    this.#since = Math.min(this.#since, now - Math.min(age, AGE_MS_MAX));
    if (this.#timer !== 0) return;
    const wait = Math.max(this.#repeatedAt + REPEAT_EVERY_MS - now, 0);
    this.#timer = window.setTimeout(() => this.#repeat(), wait + Math.random() * SPREAD_MS);
  }

  /** Nothing is repeated any more. */
  clear() {
    clearTimeout(this.#timer);
    this.#messages.clear();
  }

  #repeat() {
    const since = this.#since;
    this.#timer = 0;
    this.#since = Infinity;
    this.#repeatedAt = Date.now();
    let chars = 0;
    for (const message of this.#messages.values()) {
      if (message.at <= since || message.repeats === REPEATS_MAX) continue;
      chars += message.json.length;
      if (chars > CHARS_MAX) return;
      message.repeats += 1;
      this.#say(message.json);
    }
  }
}
