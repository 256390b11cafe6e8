//! A relay that lets in only who has a token.

use std::{
    env, fs,
    io::Write,
    path::PathBuf,
    process::{self, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use oneport_tests::{
    Result, artifacts,
    relay::{self, Relay},
};
use serde_json::json;

use crate::{
    stage::Stage,
    user::{CONNECTED, SOON, User},
};

/// What the button says that copies the link, and whether the panel with the link is closed.
const INVITE: &str = "[shown('#invite-label')[0], document.querySelector('#invite-panel').hidden]";

/// A relay with a secret, and the tokens that are made with it.
struct Doorkeeper {
    relay: Relay,
    folder: PathBuf,
}

impl Doorkeeper {
    fn new() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("oneport-doorkeeper-{}-{unique}", process::id()));
        fs::create_dir(&folder)?;
        let secret = folder.join("secret");
        fs::write(
            &secret,
            "a secret of more than thirty-two bytes, for this test",
        )?;
        let secret = secret.to_string_lossy();
        let relay = Relay::start(&["--listen", "127.0.0.1:0", "--secret-file", &secret])?;
        Ok(Self { relay, folder })
    }

    fn token(&self, more: &[&str]) -> Result<String> {
        let secret = self.folder.join("secret");
        let output =
            relay::run(&[&["token", "--secret-file", &secret.to_string_lossy()], more].concat())?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The address of a room with this token.
    fn url(&self, room: &str, token: &str) -> String {
        format!("{}?token={token}", self.relay.room_url(room))
    }

    /// The address of a room with a token of its own.
    fn invitation(&self, room: &str, more: &[&str]) -> Result<String> {
        Ok(self.url(room, &self.token(&[&["--room", room], more].concat())?))
    }

    /// A file that goes with this value.
    fn keep(&self, name: &str, content: &str) -> Result<String> {
        let path = self.folder.join(name);
        fs::write(&path, content)?;
        Ok(path.to_string_lossy().into_owned())
    }
}

impl Drop for Doorkeeper {
    fn drop(&mut self) {
        // What is left of it is a small folder among temporary ones.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn an_invitation_lets_in_and_says_who_one_is() -> Result {
    let stage = Stage::set()?;
    let doorkeeper = Doorkeeper::new()?;
    let relay = &doorkeeper.relay;
    let invited = doorkeeper.token(&["--room", "club", "--name", "Ada Lovelace"])?;
    let short = doorkeeper.token(&["--room", "club", "--for", "1s"])?;
    let url = |room: &str, token: &str| doorkeeper.url(room, token);

    for browser in stage.both() {
        let ada = User::at_the_door(browser)?;
        ada.page.go_to(&url("club", &invited))?;
        ada.page.wait_for(CONNECTED, SOON)?;
        let shown = "[location.hash, document.querySelector('#name').value, document.querySelector('#name').readOnly,
            document.querySelector('#name-lock').hidden, present()[0]]";
        let expected = json!(["#club", "Ada Lovelace", true, false, "Ada Lovelace"]);
        ada.waits_for("present().length === 1 || present()")?;
        assert_eq!(ada.page.eval(shown)?, expected, "in {}", browser.name());
        // It says what it copies, before and after; and where nothing can be copied, it shows that alone.
        assert_eq!(
            ada.page.eval(INVITE)?,
            json!(["Copy link without your token", true])
        );
        for (copies, expected) in [
            (true, json!(["Copied, without your token", true])),
            (false, json!(["Copy link without your token", false])),
        ] {
            ada.page.eval(&format!(
                "(() => {{
                    Object.defineProperty(navigator, 'clipboard', {{ value: undefined, configurable: true }});
                    document.execCommand = () => {copies};
                    document.querySelector('#invite').click();
                }})()"
            ))?;
            let expected = expected.to_string();
            ada.waits_for(&format!(
                "JSON.stringify({INVITE}) === '{expected}' || {INVITE}"
            ))?;
            ada.waits_for("shown('#invite-label')[0].startsWith('Copy')")?;
        }
        let link = ada
            .page
            .eval("document.querySelector('#invite-link').value")?;
        assert!(
            link.as_str().is_some_and(|link| link.ends_with("#club")),
            "{link}"
        );
        assert_eq!(
            ada.page.eval("all('.kick').length")?,
            json!(0),
            "she may not"
        );

        // The tab has kept it.
        ada.page.go_to("about:blank")?;
        ada.page.go_to(&relay.room_url("club"))?;
        ada.page.wait_for(CONNECTED, SOON)?;
        ada.waits_for("present()[0] === 'Ada Lovelace' || present()")?;

        let guest = User::at_the_door(browser)?;
        guest.go_in(&doorkeeper.invitation("club", &[])?)?;
        guest.sees_people(2)?;
        guest.say(&["may I?".into()])?;
        ada.hears("may I?")?;

        for (room, token, words) in [
            (
                "club",
                "",
                "You need an invitation here: open the link again that you were given.",
            ),
            (
                "club",
                "nonsense",
                "This invitation is not valid at this relay: open the link again that you were given.",
            ),
            (
                "club",
                &short,
                "Your invitation has expired. Ask for a new one.",
            ),
            (
                "vault",
                &invited,
                "Your invitation does not let you into this room.",
            ),
        ] {
            let user = User::at_the_door(browser)?;
            // Until the token that is good for a second is not.
            let words = json!(words);
            let refused = format!(
                "document.documentElement.dataset.state === 'refused' && shown('#notice-text')[0] === {words} || shown('#notice-text')"
            );
            user.page.go_to(&url(room, token))?;
            user.waits_for(&refused)?;
            let welcome = "all('#empty .welcome').some((words) => words.checkVisibility())";
            assert_eq!(user.page.eval(welcome)?, json!(false), "nobody is greeted");
            let empty = user
                .page
                .eval("document.querySelector('.empty-title').innerText")?;
            assert_eq!(empty, json!(format!("You are not in #{room}")));
            let attempts = user.page.eval("peers.length")?;
            assert!(attempts.as_u64() <= Some(2), "{attempts} attempts");
            if token.is_empty() {
                user.page.screenshot(&artifacts::path(&format!(
                    "refused-{}.png",
                    browser.name()
                ))?)?;
            }
        }
    }
    Ok(())
}

/// An invitation ends, and a guest is shown the door.
#[test]
fn who_is_sent_away_is_told_why() -> Result {
    let stage = Stage::set()?;
    let doorkeeper = Doorkeeper::new()?;
    let relay = &doorkeeper.relay;
    let host = User::at_the_door(stage.firefox)?;
    host.go_in(&doorkeeper.invitation("club", &[])?)?;

    let guest = User::at_the_door(stage.chromium)?;
    guest.go_in(&doorkeeper.invitation("club", &["--for", "4s"])?)?;
    guest.waits_for("shown('#notice-text')[0] === 'Your invitation has expired. Ask for a new one.' || shown('#notice-text')")?;
    host.is_told(&format!("{} left: the invitation has expired", guest.name))?;

    let guest = User::at_the_door(stage.chromium)?;
    guest.go_in(&doorkeeper.invitation("club", &[])?)?;
    host.sees_people(2)?;
    let token = doorkeeper.token(&["--room", "club", "--can", "join,publish,subscribe,kick"])?;
    let token_file = doorkeeper.keep("token", &token)?;
    let mut terminal = relay::command()?
        .args([
            "chat",
            relay.url().trim_end_matches('/'),
            "--room",
            "club",
            "--json",
            "--token-file",
            &token_file,
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let mut input = terminal.stdin.take().expect("it is piped");
    // Ids are given in order: the host, the first guest, this one.
    input.write_all(b"{\"t\":\"kick\",\"member\":3,\"message\":\"enough\"}\n")?;
    guest.waits_for(
        "shown('#notice-text')[0] === 'You were removed from this room: “enough”' || shown('#notice-text')",
    )?;
    host.is_told(&format!("{} was removed", guest.name))?;
    guest
        .page
        .eval("document.querySelector('#retry').click()")?;
    guest.page.wait_for(CONNECTED, SOON)?;
    drop(input);
    terminal.wait()?;
    host.sees_people(2)?;

    // The page offers it to who has the right, and says what the relay thinks of it.
    let warden = User::at_the_door(stage.chromium)?;
    warden.go_in(&doorkeeper.url("club", &token))?;
    warden.sees_people(3)?;
    let kick = |message: &str| {
        let (name, message) = (json!(guest.name), json!(message));
        warden.page.eval(&format!(
            "(() => {{
                personOf({name}).querySelector('.kick').click();
                const asked = shown('#kick-name')[0];
                document.querySelector('#kick-message').value = {message};
                document.querySelector('#kick-confirm').click();
                return asked;
            }})()"
        ))
    };
    assert_eq!(kick("go \u{202e}\nhome")?, json!(guest.name));
    guest.waits_for(
        "shown('#notice-text')[0] === 'You were removed from this room: “go home”' || shown('#notice-text')",
    )?;
    warden.sees_people(2)?;
    warden.is_told(&format!("{} was removed", guest.name))?;
    guest
        .page
        .eval("document.querySelector('#retry').click()")?;
    guest.page.wait_for(CONNECTED, SOON)?;
    warden.sees_people(3)?;
    // What the token says is for show: the relay decides.
    warden
        .page
        .eval("import('/oneport.js').then(({ Room, RelayError }) => { Room.prototype.kick = async () => { throw new RelayError('forbidden', 'not here'); }; })")?;
    kick("")?;
    warden.is_told(&format!("{} was not removed: not here", guest.name))
}
