// Calls everything that the library has with arguments that it cannot use, and with unusual ones that it can.
// Gives back how many cases there were and those that went wrong.
async (url) => {
  const { connect, newKey, RelayError } = await import(`${url}oneport.js`);
  const failures = [];
  let count = 0;

  // The code with which it fails within the time, or 'done'.
  const codeOf = async (act) => {
    const late = wait(3_000).then(() => Promise.reject(new RelayError('pending', 'it does not settle')));
    try {
      await Promise.race([act(), late]);
      return 'done';
    } catch (error) {
      return error instanceof RelayError || error instanceof TypeError ? error.code : `uncoded ${error}`;
    }
  };
  const expect = async (name, act, wanted) => {
    count += 1;
    const code = await codeOf(act);
    if (code !== wanted) failures.push([name, code, wanted]);
  };
  const expectAll = async (name, values, act, wanted) => {
    for (const [at, value] of values.entries()) await expect(`${name} ${at}`, () => act(value), wanted);
  };
  const throwing = { toJSON() { throw new Error('toJSON'); }, toString() { throw new Error('toString'); } };

  const notObjects = ['text', 7, true, Symbol('x'), 7n, () => {}];
  const notStrings = [7, true, ['x'], { x: 1 }, 7n, new String('x'), throwing];
  const notFlags = ['no', 'yes', 0, 1, [], {}];
  // Objects that throw when they are read.
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const trap = new Proxy({}, { get: () => { throw new Error('get'); } });
  const unreadable = [trap, revoked.proxy];
  const revokedArray = Proxy.revocable([], {});
  revokedArray.revoke();

  // connect(): what is wrong throws at once, and no connection is left behind.
  const before = peers.length;
  await expectAll('connect', [...notObjects, ...unreadable], (options) => connect(options), 'bad_argument');
  const urls = ['', 'relay', '/r/', 'ftp://a/', 'file:///a', 'data:,x', 'http://', 'http://u:p@a/', 'http://u@a/', 7, {}, [], true];
  await expectAll('url', urls, (url) => connect({ url }), 'bad_url');
  await expectAll('connect token', [7, true, ['x'], {}, 7n, new String('x')], (token) => connect({ url, token }), 'token_bad');
  await expectAll('storage', [true, 7, 'sessionStorage', {}, [], ...unreadable], (storage) => connect({ url, storage }), 'bad_argument');
  await wait(0);
  if (peers.length !== before) failures.push(['connect', 'connections are left']);

  const relay = connect({ url: new URL(url), token: null, storage: null });
  const other = connect({ url });
  const faults = [];
  for (const each of [relay, other]) each.on('fault', ({ code, message }) => faults.push([code, message]));

  // join()
  await expectAll('room', [...notStrings, undefined, null, '', '.', '..', 'a b', 'ä', 'x'.repeat(65), 'a/b'], (name) => relay.join(name), 'bad_room');
  await expectAll('join options', [...notObjects, ...unreadable], (options) => relay.join('bad', options), 'bad_argument');
  await expectAll('name', [...notStrings, '', 'a\nb', '\u{7f}'], (name) => relay.join('bad', { name }), 'bad_name');
  await expect('long name', () => relay.join('bad', { name: '\u{1f600}'.repeat(17) }), 'name_too_long');
  const circle = { x: [] };
  circle.x.push(circle);
  let deep = 7;
  for (let nested = 0; nested < 17; nested += 1) deep = [deep];
  const metas = [7n, { id: 7n }, circle, () => {}, Symbol('x'), throwing, { x: throwing }, deep, '\ud800', ['\\\ud800'], { '\udc00': 1 }, NaN];
  await expectAll('meta', metas, (meta) => relay.join('bad', { meta }), 'bad_meta');
  await expect('large meta', () => relay.join('bad', { meta: 'x'.repeat(2_047) }), 'meta_too_large');
  await expectAll('history of join', [-1, 1.5, NaN, Infinity, '50', true, 2 ** 32, 50n], (history) => relay.join('bad', { history }), 'bad_frame');
  await expectAll('token', [7, true, ['x'], {}, 7n, new String('x')], (token) => relay.join('bad', { token }), 'token_bad');
  await expectAll('key', [null, 7, 'secret', new String(newKey()), [newKey()]], (key) => relay.join('bad', { key }), 'bad_key');
  await expectAll('fileBytesMax', [-1, NaN, '7', true, {}, 7n], (fileBytesMax) => relay.join('bad', { fileBytesMax }), 'bad_argument');
  if (relay.rooms.size !== 0) failures.push(['join', 'rooms are left']);

  // Two members in one room, and in one with a key. Everything that arrives is kept.
  const key = newKey();
  const mutable = { x: 1 };
  const rooms = [relay.join('plain', { name: null, meta: mutable, history: null, fileBytesMax: Infinity }), relay.join('sealed', { key })];
  mutable.id = 7n;
  const peersOf = [other.join('plain', { name: 'b', meta: null, token: null }), other.join('sealed', { key })];
  for (const room of [...rooms, ...peersOf]) await room.joined;
  const arrived = [];
  for (const room of peersOf) room.on('message', (message) => arrived.push([room.name, message]));
  // Either of them may have joined first.
  for (let time = 0; time < 100 && !peersOf[0].members.has(rooms[0].me); time += 1) await wait(50);
  const meta = peersOf[0].members.get(rooms[0].me)?.meta;
  if (JSON.stringify(meta) !== '{"x":1}') failures.push(['meta is a copy', meta]);
  await expect('twice', () => relay.join('plain'), 'already_in_room');

  const [plain] = rooms;
  const them = peersOf[0].me;
  await expect('update', () => plain.update({ name: 'c', meta: { a: ['\u{1f600}', '\\ud800'] } }), 'done');
  await expectAll('update', [...notObjects, ...unreadable], (change) => plain.update(change), 'bad_argument');
  await expectAll('update name', [...notStrings, '', 'a\n'], (name) => plain.update({ name }), 'bad_name');
  await expect('update long name', () => plain.update({ name: 'x'.repeat(65) }), 'name_too_long');
  await expectAll('update meta', metas, (meta) => plain.update({ meta }), 'bad_meta');
  await expectAll('update nothing', [undefined, null, {}, { name: undefined }, { name: null, meta: null }], (change) => plain.update(change), 'done');
  const noIds = [undefined, null, 0, -1, 1.5, NaN, '7', [7], {}, 7n, 2 ** 32];
  await expectAll('kick', noIds, (id) => plain.kick(id), 'bad_frame');
  await expectAll('kick message', [...notStrings, '', 'a\n', 'x'.repeat(257)], (message) => plain.kick(them, message), 'bad_frame');
  await expect('kick without a right', () => plain.kick(them, null), 'forbidden');
  await expectAll('history', [...notObjects, ...unreadable], (options) => plain.history(options), 'bad_argument');
  await expectAll('before', [-1, 1.5, NaN, '7', {}, 7n, 2 ** 53], (before) => plain.history({ before }), 'bad_frame');
  await expectAll('count', [-1, 1.5, NaN, '7', {}, 7n, 2 ** 32], (count) => plain.history({ count }), 'bad_frame');
  await expectAll('history', [undefined, null, {}, { before: null, count: null }, { before: 0, count: 0 }], (options) => plain.history(options), 'done');

  // Listeners.
  await expectAll('on', [undefined, null, 'text', {}, { handleEvent() {} }], (listener) => plain.on('message', listener), 'bad_argument');
  await expectAll('listener options', ['once', 7, { signal: 7 }, ...unreadable], (given) => plain.on('message', () => {}, given), 'bad_argument');
  await expectAll('event', [undefined, null, 'mesage', 'toString', 7, {}], (type) => plain.on(type, () => {}), 'bad_argument');
  await expectAll('event of a relay', ['message', ''], (type) => relay.on(type, () => {}), 'bad_argument');

  // send(): text and bytes are checked by the same rules, in a room with a key as well.
  const text = 'text';
  const bytes = new Uint8Array([1]);
  const options = {
    bad_argument: [...notObjects, ...unreadable, { get id() { throw 7; } }, { to: revokedArray.proxy }],
    bad_frame: [
      ...[...notStrings, 'lossy ', 'Lossy', ''].map((kind) => ({ class: kind })),
      ...notFlags.flatMap((flag) => [{ echo: flag }, { receipt: flag }]),
      ...notStrings.map((topic) => ({ topic })),
      ...notStrings.concat('', 'x'.repeat(65), 'a\n', '\ud800', 'a\udc00').map((id) => ({ id })),
      ...noIds.map((id) => ({ to: [id] })),
      ...[them, 'x', new Set([them]), { length: 1, 0: them }, Uint32Array.of(them), [them + 0.5], [them + 2 ** 33], [them, , them], true].map((to) => ({ to })),
      { class: 'lossy', receipt: true },
    ],
    topic_too_long: [{ topic: 'x'.repeat(129) }, { topic: '\u{1f600}'.repeat(33) }],
    too_many_recipients: [{ to: Array(65).fill(them) }],
    no_such_member: [{ to: [] }, { to: [4_000_000_000] }],
  };
  for (const room of rooms) {
    for (const [code, list] of Object.entries(options)) {
      for (const payload of [text, bytes]) await expectAll(`${room.name} ${typeof payload} ${code}`, list, (given) => room.send(payload, given), code);
    }
  }

  // Payloads that are no messages.
  const detached = new ArrayBuffer(4);
  const detachedView = new Uint8Array(detached);
  const detachedData = new DataView(detached);
  structuredClone(detached, { transfer: [detached] });
  const shrunk = new ArrayBuffer(8, { maxByteLength: 8 });
  const beyond = shrunk.resize ? [new Uint8Array(shrunk, 4, 4), new Uint8Array(shrunk, 6), new DataView(shrunk, 4, 4)] : [];
  shrunk.resize?.(2);
  const fake = { length: 3, byteLength: 3, [Symbol.toStringTag]: 'ArrayBuffer' };
  const noMessages = [
    undefined, null, true, 42, 7n, Symbol('x'), () => {}, {}, [1, 2], new Set([1]), new String('x'), new Date(), Promise.resolve('x'),
    new Blob(['x']), new File(['x'], 'x'), throwing, fake, new Proxy(new Uint8Array(3), {}), Object.create(Uint8Array.prototype),
    detached, detachedView, detachedData, ...beyond,
  ];
  // Longer than a string of JSON can be in some browsers, with their escapes.
  const large = ['\u0001'.repeat(2 ** 27), new Uint8Array(2 ** 26), new ArrayBuffer(261_121)];
  for (const room of rooms) {
    await expectAll(`${room.name} payload`, noMessages, (data) => room.send(data), 'bad_argument');
    await expectAll(`${room.name} large`, large, (data) => room.send(data), 'too_large');
    await expectAll(`${room.name} lossy payload`, noMessages, (data) => room.send(data, { class: 'lossy' }), 'bad_argument');
  }
  await expectAll('file', [undefined, null, 'text', 7, {}, new Uint8Array(5), [new Blob([])], Object.create(File.prototype)], (file) => plain.sendBlob(file), 'bad_argument');
  const file = new Blob(['x']);
  await expectAll('file options', [...notObjects, ...unreadable], (given) => plain.sendBlob(file, given), 'bad_argument');
  await expectAll('file name', notStrings, (name) => plain.sendBlob(file, { name }), 'bad_argument');
  for (const what of ['onProgress', 'onDecline', 'signal']) {
    await expectAll(what, ['text', 7, true, {}, [], ...unreadable], (value) => plain.sendBlob(file, { [what]: value }), 'bad_argument');
  }
  await expectAll('signal', [{ aborted: false, addEventListener() {} }, Object.create(AbortSignal.prototype)], (signal) => plain.sendBlob(file, { signal }), 'bad_argument');
  class Nameless extends File { get name() { throw new Error('name'); } }
  await expect('name of a file', () => plain.sendBlob(new Nameless(['x'], 'x')), 'bad_argument');
  await expectAll('file recipients', noIds, (id) => plain.sendBlob(file, { to: [id] }), 'bad_frame');
  await expect('file for nobody', () => plain.sendBlob(file, { to: [] }), 'no_such_member');
  await expect('given up', () => plain.sendBlob(file, { signal: AbortSignal.abort() }), 'canceled');

  // What arrives, byte for byte: of every kind, of another realm, shared, at an offset, resizable.
  if (arrived.length > 0) failures.push(['nothing arrived', arrived.map(([name, { topic, text }]) => [name, topic, text])]);
  const frame = document.createElement('iframe');
  document.body.append(frame);
  const realm = frame.contentWindow;
  const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array];
  const raw = new Uint8Array(24).map((_, at) => at);
  const part = (buffer) => new Uint8Array(buffer, 8, 16);
  const foreign = new realm.ArrayBuffer(24);
  new Uint8Array(foreign).set(raw);
  const growing = new ArrayBuffer(24, { maxByteLength: 48 });
  new Uint8Array(growing).set(raw);
  const whole = [raw.buffer, new DataView(raw.buffer), foreign, growing, new Uint8Array(growing), new realm.DataView(foreign)];
  try {
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;
    new Uint8Array(shared).set(raw);
    whole.push(new Uint8Array(shared, 0, 24), new DataView(shared, 0, 24));
    const own = new shared.constructor(24);
    new Uint8Array(own).set(raw);
    whole.push(own);
  } catch {
    // Not every page may share memory.
  }
  const parts = [...kinds.map((kind) => new kind(raw.buffer, 8, 16 / kind.BYTES_PER_ELEMENT)), new DataView(raw.buffer, 8, 16), new realm.Uint16Array(foreign, 8, 8)];
  // What a subclass says of itself does not count.
  class Liar extends Uint8Array {
    get byteLength() { return 0; }
    get byteOffset() { return 99; }
    get buffer() { throw new Error('buffer'); }
  }
  parts.push(new Liar(raw.buffer, 8, 16));
  const sent = [
    ...whole.map((data) => [data, raw.join()]),
    ...parts.map((data) => [data, part(raw.buffer).join()]),
    [new ArrayBuffer(0), ''],
    ['', ''],
    ['a\ud800b', 'a\ufffdb'],
  ];
  const none = [undefined, null, {}, { id: undefined }, { id: null, to: null, topic: null, echo: null, receipt: null, class: null }];
  // An option counts wherever an object has it.
  class Options { get topic() { return 'inherited'; } }
  none.push(new Options(), Object.defineProperty({}, 'topic', { value: 'hidden' }), Object.freeze({ to: Object.freeze([them]) }));
  const expected = [];
  for (const room of rooms) {
    for (const [at, [data, wanted]] of sent.entries()) {
      await expect(`${room.name} sent ${at}`, () => room.send(data), 'done');
      expected.push([room.name, wanted]);
    }
    for (const [at, given] of none.entries()) {
      await expect(`${room.name} no options ${at}`, () => room.send(`none ${at}`, given), 'done');
      expected.push([room.name, `none ${at}`]);
    }
    // What is written into the buffer later is not sent.
    const reused = new Uint8Array([1, 2]);
    const sending = room.send(reused);
    reused.fill(9);
    await sending;
    expected.push([room.name, '1,2']);
    await expect(`${room.name} topic`, () => room.send('x', { topic: 'a\ud800', id: `mine in ${room.name}` }), 'done');
    expected.push([room.name, 'x']);
  }

  // None of them waits for an answer that does not come, and nothing is said again over the next link.
  for (let time = 0; time < 1_100; time += 1) plain.send('x', { id: 7 }).catch(() => {});
  cut();
  mend();
  for (const room of rooms) {
    await expect(`${room.name} after all`, () => room.send('the end'), 'done');
    expected.push([room.name, 'the end']);
  }
  for (let time = 0; time < 100 && arrived.length < expected.length; time += 1) await wait(50);
  const heard = arrived.map(([name, { text, bytes }]) => [name, text ?? bytes.join()]);
  const inRoom = (list, name) => JSON.stringify(list.filter(([room]) => room === name));
  for (const { name } of rooms) {
    if (inRoom(heard, name) !== inRoom(expected, name)) failures.push([`arrived in ${name}`, inRoom(heard, name), inRoom(expected, name)]);
  }

  class Joining { get name() { return 'inherited'; } get key() { return key; } }
  const [inherited, reader] = [relay.join('inherited', new Joining()), other.join('inherited')];
  await Promise.all([inherited.joined, reader.joined]);
  const reasons = [];
  for (const type of ['message', 'unreadable']) reader.on(type, ({ reason = 'clear' }) => reasons.push(reason));
  await inherited.send('secret');
  for (let time = 0; time < 60 && reasons.length === 0; time += 1) await wait(50);
  if (reasons.join() !== 'no_key') failures.push(['a key that is inherited', reasons]);
  if (reader.members.get(inherited.me).name !== 'inherited') failures.push(['a name that is inherited']);
  const topics = arrived.map(([, { topic }]) => topic);
  for (const topic of ['inherited', 'hidden']) if (!topics.includes(topic)) failures.push(['topic', topic]);

  // After the end.
  const left = [plain.leave(), plain.leave()];
  await expect('left', () => Promise.all(left), 'done');
  await expectAll('after leave', ['send', 'sendBlob', 'history', 'update', 'kick'], (method) => plain[method](), 'left');
  await expect('closed', () => Promise.all([relay.close(), relay.close()]), 'done');
  relay.retry();
  await expect('join after close', () => relay.join('plain'), 'closed');
  await expect('send after close', () => rooms[1].send('x'), 'left');
  await other.close();
  if (faults.length > 0) failures.push(['faults', faults]);
  return [count, failures, unexpected];
}
