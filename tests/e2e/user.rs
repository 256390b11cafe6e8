use std::{thread, time::Duration};

use oneport_tests::{
    Error, Result,
    browser::{Browser, Page},
};
use serde_json::{Value, json};

/// For what takes milliseconds on an idle machine.
pub(crate) const SOON: Duration = Duration::from_secs(15);

/// Before the page's own scripts: what a test does to a page, and what it looks at.
const WATCH: &str = include_str!("user.js");

/// Whether the page says so, and else what it says.
pub(crate) const CONNECTED: &str =
    "((state) => state === 'connected' || state)(document.documentElement.dataset.state)";

/// Somebody who uses the relay's page.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) page: Page,
    pub(crate) name: String,
}

/// A line of the conversation as one user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) from: String,
    pub(crate) text: String,
    pub(crate) own: bool,
}

impl User {
    /// A user of that browser, in a room and connected, under the page's name.
    pub(crate) fn enter(browser: &Browser, room_url: &str) -> Result<Self> {
        let user = Self::at_the_door(browser)?;
        user.go_in(room_url)?;
        Ok(user)
    }

    /// A user whose page is still empty.
    pub(crate) fn at_the_door(browser: &Browser) -> Result<Self> {
        let page = browser.blank()?;
        page.before_load(WATCH)?;
        let name = page.name().to_owned();
        Ok(Self { page, name })
    }

    /// The name of the browser.
    pub(crate) fn browser(&self) -> &str {
        self.page.name().split('-').next().unwrap_or_default()
    }

    /// Opens the page in a room, waits until it is connected, and takes the name.
    pub(crate) fn go_in(&self, room_url: &str) -> Result {
        self.page.go_to(room_url)?;
        self.page.wait_for(CONNECTED, SOON)?;
        self.rename(&self.name)
    }

    /// Takes a name, as who types it does.
    pub(crate) fn rename(&self, name: &str) -> Result {
        let name = json!(name);
        let script = format!(
            "(() => {{
                const name = document.querySelector('#name');
                name.value = {name};
                name.dispatchEvent(new Event('input', {{ bubbles: true }}));
                name.dispatchEvent(new Event('change', {{ bubbles: true }}));
            }})()"
        );
        self.page.eval(&script).map(drop)
    }

    /// Says these one after the other with short pauses, and checks that each is shown at once.
    pub(crate) fn say(&self, texts: &[String]) -> Result {
        let texts = json!(texts);
        let script = format!(
            "(async () => {{
                const own = () => document.querySelectorAll('li[data-id][data-own]').length;
                for (const text of {texts}) {{
                    const before = own();
                    const box = document.querySelector('#text');
                    box.value = text;
                    box.dispatchEvent(new Event('input', {{ bubbles: true }}));
                    document.querySelector('#composer').requestSubmit();
                    if (own() !== before + 1) throw new Error('not shown at once: ' + text);
                    await new Promise((resolve) => setTimeout(resolve, 10 * Math.random()));
                }}
            }})()"
        );
        self.page.eval(&script).map(drop)
    }

    /// The conversation in the order in which it is shown.
    pub(crate) fn messages(&self) -> Result<Vec<Message>> {
        let lines = self.page.eval(
            "[...document.querySelectorAll('li[data-id]')].map((line) => [
                line.querySelector('.name').textContent,
                line.querySelector('.text').textContent,
                'own' in line.dataset,
            ])",
        )?;
        let garbled = || Error::Garbled {
            what: lines.to_string(),
        };
        let message = |line: &Value| {
            let own = line[2].as_bool()?;
            Some(Message {
                from: line[0].as_str()?.into(),
                text: line[1].as_str()?.into(),
                own,
            })
        };
        lines
            .as_array()
            .and_then(|lines| lines.iter().map(message).collect())
            .ok_or_else(garbled)
    }

    /// The texts alone.
    pub(crate) fn texts(&self) -> Result<Vec<String>> {
        Ok(self
            .messages()?
            .into_iter()
            .map(|message| message.text)
            .collect())
    }

    /// Waits until a message with exactly this text is shown.
    pub(crate) fn hears(&self, text: &str) -> Result {
        let text = json!(text);
        let heard = format!(
            "((texts) => texts.includes({text}) || texts)(
                [...document.querySelectorAll('li[data-id] .text')].map((text) => text.textContent))"
        );
        self.page.wait_for(&heard, SOON)
    }

    /// Waits until so many people are listed who are not away, oneself included.
    pub(crate) fn sees_people(&self, count: usize) -> Result {
        self.waits_for(&format!("present().length === {count} || present()"))
    }

    /// Waits for something that the page shows.
    pub(crate) fn waits_for(&self, condition: &str) -> Result {
        self.page.wait_for(condition, SOON)
    }

    /// Waits until there is a note with exactly this text.
    pub(crate) fn is_told(&self, note: &str) -> Result {
        let note = json!(note);
        self.waits_for(&format!("notes().includes({note}) || notes()"))
    }

    /// Chooses somebody to write to alone.
    pub(crate) fn writes_to(&self, name: &str) -> Result {
        let name = json!(name);
        self.page
            .eval(&format!("personOf({name}).querySelector('button').click()"))?;
        self.waits_for("document.documentElement.hasAttribute('data-private')")
    }

    /// Waits until an own message has come so far.
    pub(crate) fn sees_delivery(&self, text: &str, delivery: &str) -> Result {
        let (text, delivery) = (json!(text), json!(delivery));
        self.waits_for(&format!(
            "lineOf({text}).dataset.delivery === {delivery} || lineOf({text}).outerHTML"
        ))
    }

    /// Loads the page again, and waits until it is connected.
    pub(crate) fn reload(&self) -> Result {
        let reload = "(() => {
            window.isOld = true;
            setTimeout(() => location.reload());
        })()";
        self.page.eval(reload)?;
        self.waits_for("window.isOld === undefined || 'not reloaded'")?;
        self.page.wait_for(CONNECTED, SOON)
    }

    /// Cuts the page off from the relay, and brings it back.
    pub(crate) fn cut(&self) -> Result {
        self.page.eval("cut()").map(drop)
    }

    pub(crate) fn mend(&self) -> Result {
        self.page.eval("mend()").map(drop)
    }
}

/// Lets every user do something at the same time.
pub(crate) fn each<'u>(
    users: impl IntoIterator<Item = &'u User>,
    act: impl Fn(&'u User) -> Result + Sync,
) -> Result {
    let act = &act;
    thread::scope(|scope| {
        let threads: Vec<_> = users
            .into_iter()
            .map(|user| scope.spawn(move || act(user)))
            .collect();
        // All are awaited, whatever the first of them says.
        let results: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        results
            .into_iter()
            .try_for_each(|result| result.expect("no user panics"))
    })
}

/// So many users of each browser in one room, where all see each other.
pub(crate) fn crowd(browsers: [&Browser; 2], of_each: usize, room_url: &str) -> Result<Vec<User>> {
    let enter = |browser| {
        let users = (0..of_each).map(|_| User::enter(browser, room_url));
        users.collect::<Result<Vec<_>>>()
    };
    let enter = &enter;
    let users = thread::scope(|scope| {
        let threads = browsers.map(|browser| scope.spawn(move || enter(browser)));
        let users = threads.map(|thread| thread.join().expect("no user panics"));
        users.into_iter().collect::<Result<Vec<_>>>()
    })?;
    let users = users.into_iter().flatten().collect::<Vec<_>>();
    each(&users, |user| user.sees_people(users.len()))?;
    Ok(users)
}
