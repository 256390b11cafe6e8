use std::{
    env, fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{Error, Result};

/// Waits for the end of its input, which comes when [`Contained`] is dropped and also when the test
/// process dies in any way; then kills the process group and removes the folder. The loop is for
/// files that dying processes still held.
const GUARD: &str = r#"
read -r _
kill -s KILL -- "-$1"
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf -- "$2" && exit
    sleep 0.1
done
"#;

/// A new empty folder for one program to call its home.
#[derive(Debug)]
pub(crate) struct Home(PathBuf);

impl Home {
    pub(crate) fn new(program: &str) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("oneport-tests-{}-{unique}-{program}", process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

/// A program with its own process group and home. Neither outlives this value, nor the test process:
/// browsers start many processes, and a test that is killed runs no destructor.
#[derive(Debug)]
pub(crate) struct Contained {
    child: Child,
    guard: Child,
}

impl Contained {
    pub(crate) fn start(command: &mut Command, home: &Home) -> Result<Self> {
        let start = |command: &mut Command| {
            command
                .process_group(0)
                .spawn()
                .map_err(|error| Error::Start {
                    program: command.get_program().to_string_lossy().into_owned(),
                    why: error.to_string(),
                })
        };
        let child = start(command.env("HOME", home.path()))?;
        let mut guard = Command::new("/bin/sh");
        guard
            .args(["-c", GUARD, "guard", &child.id().to_string()])
            .arg(home.path());
        guard
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(Self {
            child,
            guard: start(&mut guard)?,
        })
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // The guard kills the leader too; this is for the day on which it could not.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.guard.wait();
    }
}
