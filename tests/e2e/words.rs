//! What the page makes of names, addresses, times and refusals: its own functions, in both browsers.

use oneport_tests::{Result, browser::Screen, relay::Relay};
use serde_json::{Value, json};

use crate::{
    stage::Stage,
    user::{SOON, User},
};

/// What is written, and what is shown and sent as a name. Empty: nothing to see, or the relay's own.
const NAMES: &[(&str, &str)] = &[
    // Characters that show nothing.
    ("\u{200c}", ""),
    ("\u{200d}\u{200b}\u{2060}", ""),
    ("\u{fe0f}", ""),
    ("\u{2800} \u{2800}", ""),
    ("\u{3164}", ""),
    ("\u{115f}\u{1160}", ""),
    ("\u{ffa0}", ""),
    ("\u{180e}", ""),
    ("\u{61c}", ""),
    ("\u{34f}", ""),
    ("\u{ad}", ""),
    ("\u{fffc}", ""),
    ("\u{13441}", ""),
    ("\u{e0041}\u{e0042}", ""),
    ("\u{301}\u{301}", ""),
    (" \t\n\u{3000}", ""),
    ("ada\u{200d}", "ada"),
    ("a\u{200b}d\u{2060}a", "ada"),
    ("\u{202e}ada\u{2066}", "ada"),
    ("\u{feff}ada  \u{3164}\nking ", "ada king"),
    ("a\u{301}\u{301}\u{301}\u{301}", "a\u{301}\u{301}"),
    // Those that pictures and some scripts need.
    (
        "\u{1f469}\u{200d}\u{1f4bb} dev",
        "\u{1f469}\u{200d}\u{1f4bb} dev",
    ),
    ("\u{2764}\u{fe0f}", "\u{2764}\u{fe0f}"),
    (
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    ),
    (
        "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}",
        "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}",
    ),
    (
        "\u{915}\u{94d}\u{200d}\u{937}",
        "\u{915}\u{94d}\u{200d}\u{937}",
    ),
    // At a glance these are the relay.
    ("the relay", ""),
    ("The  RELAY", ""),
    ("the\u{200b} re\u{200d}lay", ""),
    ("\u{202e}the relay\u{202c}", ""),
    ("therelay", ""),
    ("the-relay!", ""),
    ("\u{201c}the relay\u{201d} \u{1f916}", ""),
    ("the reIay", ""),
    ("the re1ay", ""),
    ("th\u{435} r\u{435}l\u{430}\u{443}", ""),
    ("\u{422}\u{41d}\u{415} RE\u{406}\u{410}\u{423}", ""),
    ("\u{3a4}\u{397}\u{395} REL\u{391}\u{3a5}", ""),
    (
        "\u{ff54}\u{ff48}\u{ff45}\u{3000}\u{ff52}\u{ff45}\u{ff4c}\u{ff41}\u{ff59}",
        "",
    ),
    (
        "\u{1d1b}\u{29c}\u{1d07} \u{280}\u{1d07}\u{29f}\u{1d00}\u{28f}",
        "",
    ),
    (
        "\u{1f163}\u{1f157}\u{1f154} \u{1f161}\u{1f154}\u{1f15b}\u{1f150}\u{1f168}",
        "",
    ),
    ("th\u{e9} r\u{e8}lay", ""),
    ("Relay Runner", "Relay Runner"),
    ("the relay team", "the relay team"),
    // And these are names.
    ("..", ".."),
    ("<b>", "<b>"),
    ("\u{416}\u{443}\u{43a}", "\u{416}\u{443}\u{43a}"),
];

/// A character, how often it is written, and how many of them are a name: 64 bytes.
const LONG: &[(&str, usize, usize)] = &[
    ("x", 65, 64),
    ("\u{e9}", 33, 32),
    ("\u{20ac}", 30, 21),
    ("\u{1f600}", 17, 16),
    ("\u{1f469}\u{200d}\u{1f4bb}", 7, 5),
    ("e\u{301}", 30, 21),
];

/// A text, the addresses in it, and where they lead if that is not the same.
const LINKS: &[(&str, &[(&str, &str)])] = &[
    ("see https://a.example/b.", &[("https://a.example/b", "")]),
    (
        "(http://a.example/b_(c))",
        &[("http://a.example/b_(c)", "")],
    ),
    (
        "[x](https://a.example/b)[y](https://c.example)",
        &[("https://a.example/b", ""), ("https://c.example", "")],
    ),
    (
        "https://a.example/[1]{2}, \u{201c}https://b.example/\u{201d}",
        &[("https://a.example/[1]{2}", ""), ("https://b.example/", "")],
    ),
    ("https://a.example/(", &[("https://a.example/", "")]),
    (
        "https://a.example/?q=x!)",
        &[("https://a.example/?q=x", "")],
    ),
    (
        "www.a.example, or WWW.b.example/c?d!",
        &[
            ("www.a.example", "https://www.a.example"),
            ("WWW.b.example/c?d", "https://WWW.b.example/c?d"),
        ],
    ),
    (
        "ada@a.example.",
        &[("ada@a.example", "mailto:ada@a.example")],
    ),
    (
        "<o'neil+x@b.a.example>;",
        &[("o'neil+x@b.a.example", "mailto:o'neil%2Bx@b.a.example")],
    ),
    (
        "mailto:ada@a.example?subject=x",
        &[("ada@a.example", "mailto:ada@a.example")],
    ),
    (
        "\u{3053}\u{308c}https://a.example\u{3002}",
        &[("https://a.example", "")],
    ),
    (
        "https://a.example/\u{202e}gpj.exe",
        &[("https://a.example/", "")],
    ),
    ("https://a.example/\u{200b}b", &[("https://a.example/", "")]),
    (
        "javascript:alert(1) data:text/html,x www.x www..com xwww.a.example b.www.a.example",
        &[],
    ),
    (
        "https://user@a.example https://user:pw@a.example www.a.b@c.example https://",
        &[],
    ),
    (
        "a@b j\u{fc}rgen@a.example ada@a.example\u{3067}\u{3059} a@b.c1 x@a.example@b.example",
        &[],
    ),
];

/// Makes a test's case a line if it fails.
const CHECK: &str = "(async () => {
    const [names, links, hues, times, status, text] =
        await Promise.all(['names', 'links', 'hues', 'times', 'status', 'text'].map((module) => import(`/${module}.js`)));
    const wrong = [];
    const is = (what, seen, expected) => JSON.stringify(seen) === JSON.stringify(expected) || wrong.push([what, seen, expected]);
    for (const [written, name] of NAMES) {
        is(`the name ${escape(written)}`, text.cleanName(written), name);
        is(`the member ${escape(written)}`, text.nameOf({ id: 7, name: written }), name || 'someone');
    }
    for (const [character, count, kept] of LONG) {
        is(`${count} of ${character}`, names.cleanName(character.repeat(count)), character.repeat(kept));
        is(`${count} of ${character}, typed`, names.cutName(character.repeat(count)), character.repeat(kept));
    }
    for (const written of ['\\ud83d', 'a\\udc00', 7, null, undefined, {}]) is(`the name ${typeof written}`, text.cleanName(written), written === 'a\\udc00' ? 'a' : '');
    is('a long text', text.textOf({ text: `${'x'.repeat(15_999)}\u{1f600}` }), `${'x'.repeat(15_999)}…`);
    is('the relay', text.nameOf({ id: 0, name: 'ada' }), 'the relay');

    for (const [written, expected] of LINKS) {
        const found = links.linksIn(written).map(({ start, end, href }) => [written.slice(start, end), href]);
        is(written, found, expected.map(([address, href]) => [address, href || address]));
    }
    // Long ones take no time.
    const started = performance.now();
    for (const part of ['a', 'a@', 'a.', 'www.', 'https://', '(', '@', 'https://a.b/)', \"a'\", 'a@a.']) links.linksIn(part.repeat(16_000 / part.length));
    is('time', performance.now() - started < 3_000 || performance.now() - started, true);

    for (const ids of [[1, 2, 3], [5, 17, 29], [1, 13, 25, 37, 49], [12, 24, 36, 48, 60, 72, 84, 96, 108, 120, 132, 144]]) {
        hues.giveHues(ids);
        is(`hues of ${ids}`, new Set(ids.map(hues.hueOf)).size, ids.length);
    }
    // Whoever stays keeps the colour, and the order in which people are listed is none of a page's own.
    hues.giveHues([]);
    hues.giveHues([3, 15, 27]);
    const before = [3, 15, 27].map(hues.hueOf);
    hues.giveHues([15, 27, 39]);
    is('hues that stay', [15, 27].map(hues.hueOf), before.slice(1));
    hues.giveHues([]);
    hues.giveHues([27, 3, 15]);
    is('hues in another order', [3, 15, 27].map(hues.hueOf), before);

    const now = new Date(2026, 10, 30, 13, 5);
    const own = (options) => new Intl.DateTimeFormat(undefined, options).format;
    is('today', times.timeOf(now, now), own({ timeStyle: 'short' })(now));
    for (const [date, parts] of [[new Date(2026, 10, 29, 23, 59), { month: 'short', day: 'numeric' }], [new Date(2025, 10, 30, 13, 5), { year: 'numeric', month: 'short', day: 'numeric' }]]) {
        const shown = times.timeOf(date, now);
        is(`the day of ${date}`, shown.startsWith(own(parts)(date)) || shown, true);
        is(`the time of ${date}`, shown.endsWith(own({ timeStyle: 'short' })(date)) || shown, true);
    }

    const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
    for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', 'x.localhost', '[::1]']) is(host, status.isFirefoxOnLoopback(firefox, host), true);
    for (const host of ['192.168.1.7', 'chat.example', '127.0.0.1.example', 'localhost.example', '[fe80::1]']) is(host, status.isFirefoxOnLoopback(firefox, host), false);
    is('Chromium', status.isFirefoxOnLoopback('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36', '127.0.0.1'), false);
    return wrong;
})()";

/// How well the worst of all colours of members can be read, as a name and as initials (WCAG 2.2, contrast ratio).
const CONTRAST: &str = "import('/hues.js').then(({ HUES }) => {
    const pen = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
    const luminance = (colour) => {
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        const [red, green, blue] = [...pen.getImageData(0, 0, 1, 1).data].map((part) => part / 255)
            .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const contrast = (one, other) => {
        const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
        return (light + 0.05) / (dark + 0.05);
    };
    const line = document.createElement('li');
    line.className = 'message';
    line.innerHTML = '<span class=\"avatar\">A</span><div class=\"bubble\"><bdi class=\"name\">Ada</bdi></div>';
    document.querySelector('#messages').append(line);
    const [avatar, bubble, name] = ['.avatar', '.bubble', '.name'].map((part) => line.querySelector(part));
    const worst = Math.min(...HUES.flatMap((hue) => {
        for (const part of [avatar, name]) part.style.setProperty('--hue', String(hue));
        return [
            contrast(getComputedStyle(name).color, getComputedStyle(bubble).backgroundColor),
            contrast(getComputedStyle(avatar).color, getComputedStyle(avatar).backgroundColor),
        ];
    }));
    line.remove();
    return worst;
})";

/// That every refusal has words, and that whoever is refused is not greeted.
const REFUSALS: &str = "import('/status.js').then(({ showStatus }) => {
    const codes = ['room_full', 'too_many_rooms', 'relay_full', 'too_many_clients_from_address', 'too_many_handshakes',
        'too_many_handshakes_from_address', 'memory', 'bad_name', 'name_too_long', 'bad_version', 'token_missing', 'token_bad',
        'token_expired', 'expired', 'forbidden', 'kicked', 'closed', 'replaced', 'unsupported', 'bad_key', 'insecure_context'];
    const wrong = codes.filter((code) => {
        showStatus({ state: 'refused', code, reason: 'no' });
        return shown('#notice-text')[0] === 'No.' || all('.welcome').some((words) => words.checkVisibility());
    });
    showStatus({ state: 'refused', code: 'closed', reason: 'x', said: 'the lesson is over' });
    if (shown('#notice-text')[0] !== 'This room was closed: “the lesson is over”') wrong.push(shown('#notice-text')[0]);
    return wrong;
})";

/// An attempt ends as it does where the browser finds no path, and another day begins.
const BEFORE: &str = "
    const description = RTCPeerConnection.prototype.setRemoteDescription;
    window.hasPath = false;
    Object.defineProperty(RTCPeerConnection.prototype, 'setRemoteDescription', { value: async function (...given) {
        await description.apply(this, given);
        if (hasPath) return;
        Object.defineProperty(this, 'connectionState', { value: 'failed' });
        this.dispatchEvent(new Event('connectionstatechange'));
    } });
    window.daysAhead = 0;
    const Now = Date;
    window.Date = class extends Now {
        constructor(...given) {
            super(...(given.length === 0 ? [Now.now() + daysAhead * 86_400_000] : given));
        }
    };
    const every = setInterval;
    window.setInterval = (act, ms) => every(act, Math.min(ms, 50));
";

#[test]
fn the_page_finds_the_right_words() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let check = CHECK
        .replace("NAMES", &json!(NAMES).to_string())
        .replace("LONG", &json!(LONG).to_string())
        .replace("LINKS", &json!(LINKS).to_string());
    for browser in stage.both() {
        let user = User::at_the_door(browser)?;
        user.page.before_load(BEFORE)?;
        user.page.go_to(&relay.room_url(browser.name()))?;
        // What this browser does not do by itself is said; and nobody is greeted meanwhile.
        let words = match browser.name() {
            "firefox" => "Firefox makes no WebRTC connection",
            _ => "No path to the relay was found.",
        };
        let notice = format!("shown('#notice-text')[0].startsWith('{words}')");
        user.waits_for(&format!("{notice} || shown('#notice-text')"))?;
        let welcome = "all('#empty .welcome').some((words) => words.checkVisibility())";
        assert_eq!(user.page.eval(welcome)?, json!(false));
        user.page.eval("(() => { hasPath = true; })()")?;
        user.page.wait_for(crate::user::CONNECTED, SOON)?;
        assert_eq!(user.page.eval(welcome)?, json!(true));

        assert_eq!(user.page.eval(&check)?, json!([]), "in {}", browser.name());
        let screens: &[bool] = match browser.name() {
            "chromium" => &[false, true],
            _ => &[],
        };
        assert_readable(&user.page.eval(CONTRAST)?);
        for &dark in screens {
            let screen = Screen {
                dark,
                ..Screen::default()
            };
            user.page.emulate_screen(screen)?;
            assert_readable(&user.page.eval(CONTRAST)?);
        }

        // The input takes as much as is a name.
        let long = "\u{1f600}".repeat(20);
        user.rename(&long)?;
        let name = user.page.eval("document.querySelector('#name').value")?;
        assert_eq!(name, json!("\u{1f600}".repeat(16)));
        user.waits_for(&format!("present()[0] === {name} || present()"))?;
        user.rename("The Relay\u{200d}")?;
        assert_eq!(
            user.page.eval("document.querySelector('#name').value")?,
            name
        );

        // A message of today says its time, and on the next day its day too.
        user.say(&["today".into()])?;
        let time = "lineOf('today').querySelector('time').textContent";
        let today = user.page.eval(time)?;
        user.page.eval("(() => { daysAhead = 1; })()")?;
        user.waits_for(&format!(
            "({time}.endsWith({today}) && {time} !== {today}) || {time}"
        ))?;

        assert_eq!(
            user.page.eval(REFUSALS)?,
            json!([]),
            "in {}",
            browser.name()
        );
        user.page.close()?;
    }
    Ok(())
}

/// AA for text of any size.
fn assert_readable(contrast: &Value) {
    assert!(
        contrast.as_f64().is_some_and(|contrast| contrast >= 4.5),
        "{contrast}"
    );
}
