//! This machine as it is, in which a test may install what it likes: its root file system with a layer
//! above it that takes all changes, and namespaces of its own for processes and network. Nothing of it
//! outlives the test, however that ends.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use oneport_tests::{Error, Result};

use crate::run;

/// Set in the process that runs in the sandbox.
const INSIDE: &str = "ONEPORT_TESTS_SANDBOX";

/// With `--kill-child` all that was started in there ends with it.
const UNSHARE: [&str; 6] = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--"];

/// Where everything of it is. What is there already is hidden, for the sandbox only.
const MOUNTED: &str = "/mnt";

/// Makes the root. `/run` is empty: it might have the machine's own service manager in it.
const SET_UP: &str = "
    mount -t tmpfs none /mnt
    mkdir /mnt/changes /mnt/work /mnt/tree
    mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/changes,workdir=/mnt/work /mnt/tree
    mount -t proc proc /mnt/tree/proc
    mount --rbind /dev /mnt/tree/dev
    mount -t tmpfs none /mnt/tree/run
    mount -t tmpfs none /mnt/tree/tmp
    ip link set lo up";

/// A root directory in which everything is as outside, and stays there.
pub(crate) struct Sandbox {
    root: PathBuf,
}

impl Sandbox {
    /// Runs the calling test, by its name, again in the sandbox, where this returns it. Here it
    /// returns `None` when that has passed, or after saying why it cannot be.
    pub(crate) fn enter(test: &str) -> Result<Option<Self>> {
        if env::var_os(INSIDE).is_some() {
            let root = Path::new(MOUNTED).join("tree");
            return Ok(Some(Self { root }));
        }
        let set_up = ["sh", "-ec", SET_UP];
        if let Err(error) = run(Command::new("unshare").args(UNSHARE).args(set_up)) {
            println!("skipped: no sandbox here, which needs root and overlayfs: {error}");
            return Ok(None);
        }
        let again = format!("{SET_UP}\nexec \"$@\"");
        let output = Command::new("unshare")
            .args(UNSHARE)
            .args(["sh", "-ec", &again, "sh"])
            .arg(env::current_exe()?)
            .args([test, "--exact", "--nocapture"])
            .env(INSIDE, "1")
            .stdin(Stdio::null())
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        // A name that is none would run no test, and pass.
        if output.status.success() && said.contains("1 passed") {
            return Ok(None);
        }
        Err(Error::Start {
            program: format!("{test} in a sandbox"),
            why: format!("{said}{}", String::from_utf8_lossy(&output.stderr)),
        })
    }

    /// A program that sees nothing but the sandbox.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command
            .arg(&self.root)
            .args(words)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env_remove(INSIDE);
        command
    }

    /// Runs it to its end; what it printed.
    pub(crate) fn run(&self, words: &[&str]) -> Result<String> {
        run(&mut self.command(words))
    }

    /// Where a file of the sandbox is to be found from here.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside.trim_start_matches('/'))
    }

    /// Whether there is anything of that name, were it a link to nowhere.
    pub(crate) fn has(&self, inside: &str) -> bool {
        self.path(inside).symlink_metadata().is_ok()
    }

    /// A file's text.
    pub(crate) fn read(&self, inside: &str) -> Result<String> {
        Ok(fs::read_to_string(self.path(inside))?)
    }
}
