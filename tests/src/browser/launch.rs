use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    Error, Result,
    contained::{Contained, Home},
    lines::Lines,
};

/// Usually one to three seconds; a cold disk and a busy machine take longer.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The size of a page in CSS pixels until a test asks for another.
const WINDOW: (u32, u32) = (1280, 800);

/// Firefox's preferences: the first two let host candidates on loopback be gathered at all (without
/// a camera permission Firefox uses the default route's address alone), the next keeps time stamps
/// exact, and the last two are for the pages that are not the one in front.
const FIREFOX_PREFERENCES: &str = r#"
user_pref("media.peerconnection.ice.loopback", true);
user_pref("permissions.default.microphone", 1);
user_pref("privacy.reduceTimerPrecision", false);
user_pref("dom.min_background_timeout_value", 4);
user_pref("dom.timeout.enable_budget_timer_throttling", false);
"#;

/// A browser's processes, and where its driver listens.
#[derive(Debug)]
pub(super) struct Launched {
    address: String,
    _process: Contained,
}

impl Launched {
    /// The WebSocket address that the browser printed.
    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

pub(super) fn chromium(arguments: &[&str]) -> Result<Launched> {
    let home = Home::new("chromium")?;
    let mut command = Command::new(find(&["chromium", "chromium-browser", "google-chrome"])?);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
    ]);
    command.args([
        "--disable-background-networking",
        "--disable-component-update",
    ]);
    command.args([
        "--disable-sync",
        "--disable-breakpad",
        "--remote-debugging-port=0",
    ]);
    // Several pages share the browser, and each is to run as if it were the only one.
    command.args([
        "--disable-background-timer-throttling",
        "--disable-renderer-backgrounding",
    ]);
    command.arg("--disable-backgrounding-occluded-windows");
    command.arg(format!("--window-size={},{}", WINDOW.0, WINDOW.1));
    command.arg(format!(
        "--user-data-dir={}",
        home.path().join("profile").display()
    ));
    command.args(arguments).arg("about:blank");
    launch(&mut command, &home, "DevTools listening on ")
}

pub(super) fn firefox() -> Result<Launched> {
    let home = Home::new("firefox")?;
    fs::write(home.path().join("user.js"), FIREFOX_PREFERENCES)?;
    let mut command = Command::new(find(&["firefox-esr", "firefox"])?);
    command.args([
        "--headless",
        "--no-remote",
        "--remote-debugging-port=0",
        "--profile",
    ]);
    command.arg(home.path()).arg("about:blank");
    command.env("MOZ_HEADLESS_WIDTH", WINDOW.0.to_string());
    command.env("MOZ_HEADLESS_HEIGHT", WINDOW.1.to_string());
    launch(&mut command, &home, "WebDriver BiDi listening on ")
}

/// Starts the browser and waits for the line that announces its driver's address.
fn launch(command: &mut Command, home: &Home, announcement: &str) -> Result<Launched> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut process = Contained::start(command, home)?;
    let stderr = process.child().stderr.take().expect("it is piped");
    let line = Lines::of(stderr)
        .wait_for(announcement, START_TIMEOUT, |line| {
            line.contains(announcement)
        })
        .map_err(|error| Error::Start {
            program: command.get_program().to_string_lossy().into_owned(),
            why: error.to_string(),
        })?;
    let (_, address) = line
        .split_once(announcement)
        .expect("the line was chosen for it");
    Ok(Launched {
        address: address.trim().to_owned(),
        _process: process,
    })
}

/// The first of these programs that is in the search path.
fn find(names: &[&str]) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = env::split_paths(&path).collect();
    let mut candidates = names
        .iter()
        .flat_map(|name| folders.iter().map(move |f| f.join(name)));
    candidates
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| Error::Start {
            program: names.join(" or "),
            why: "it is not installed; the script tests/run installs it".into(),
        })
}
