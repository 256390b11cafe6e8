/**
 * What a room takes and tells, and what it needs of its session. Only types: nothing loads this file but
 * TypeScript.
 *
 * @module
 */

/** @typedef {import('./oneport-frames.js').Member} Member */
/** @typedef {import('./oneport-message.js').Message} Message */

/**
 * @typedef {object} JoinOptions
 * @property {string} [name] 1 to 64 bytes
 * @property {unknown} [meta] JSON that the others see, at most 2048 bytes
 * @property {number} [history] how many earlier messages to get first
 * @property {import('./oneport-token.js').TokenSource} [token] access token, if the relay asks for one, or
 *   a function that gets one. It is asked anew at each attempt, and when a token expires while the member
 *   is in: the room is then `away` for a moment, and comes back `resumed` under another member id
 * @property {string} [key] for end-to-end encryption, as `newKey()` makes them; all members need the same.
 *   What it protects and what not is said in oneport-secret.js
 * @property {number} [fileBytesMax] of files that are on their way here together; 0 takes none.
 *   The default is `FILE_BYTES_MAX`, 256 MiB
 */

/**
 * - `joining`: not yet in.
 * - `joined`: in.
 * - `away`: the link is lost; the others see this member as away until it is back.
 * - `left`: for good, or until `relay.join()` is called again.
 *
 * @typedef {'joining'|'joined'|'away'|'left'} RoomState
 */

/**
 * @typedef {object} RoomEvents
 * @property {Message} message
 * @property {{what: 'joined'|'updated'|'away'|'back'|'left', member: Readonly<Member>, reason?: string, time: number, offset: number}} presence
 *   somebody else came, changed or went
 * @property {ReadonlyMap<number, Readonly<Member>>} members `room.members` has changed
 * @property {{from: Readonly<Member>, topic: string, offset: number|null, reason: import('./oneport-secret.js').Unreadable}} unreadable
 *   a message that is not delivered: it is encrypted and this room's key does not open it, or it is not and
 *   should be. Of a file it is each chunk, with the topic `FILE_TOPIC`
 * @property {{from: number, to: number, reason: string}} gap messages that never come
 * @property {{recovered: boolean, reason?: string}} resumed back in after a lost link: with everything
 *   that was missed, or not, and why. Then what the join's `history` brings back of it follows
 * @property {{from: number, to: number, more: boolean}} history the earlier messages of the join have been told
 * @property {{id?: string, offset: number, delivered: number, of: number}} receipt to how many members'
 *   connections a message came that asked for it
 * @property {{reason: string, message?: string, error?: import('./oneport-frames.js').RelayError}} left
 * @property {RoomState} state
 * @property {import('./oneport-incoming.js').IncomingFile} file the first chunk of a file came
 * @property {import('./oneport-files.js').Declined} declined a file came that is not taken, and why; its sender knows
 */

/** @typedef {{messages: Message[], from: number, to: number, more: boolean}} History */

/**
 * What a room needs of its session.
 *
 * @typedef {object} Session
 * @property {() => string} nextId
 * @property {(frame: import('./oneport-frames.js').ClientFrame & {id: string, room: string}, how?: {isBulk?: boolean, isAddressed?: boolean}) => Promise<any>} ask
 *   resolves with the frame that answers
 * @property {(frame: import('./oneport-frames.js').ClientFrame) => boolean} tell false if the link does not take it now
 * @property {(frame: import('./oneport-frames.js').ClientFrame) => boolean} tellLossy the same for what may get lost
 * @property {(room: string, isMeant: (request: import('./oneport-outbox.js').Request) => boolean, error: import('./oneport-frames.js').RelayError) => void} giveUp
 * @property {(room: import('./oneport-room.js').Room) => void} left
 * @property {() => void} ready something may be said in a room that could not before
 * @property {(error: import('./oneport-frames.js').RelayError) => void} fault what concerns no request
 */

export {};
