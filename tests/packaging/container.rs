//! The container image: nothing but a static binary, built without a network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use oneport_tests::{
    Result, http,
    wait::{self, Look},
};
use serde_json::Value;

use crate::run;
use crate::sandbox::Sandbox;
use crate::unit::packaging;

/// In the sandbox, where all of it is gone afterwards.
const CONTEXT: &str = "/mnt/context";

/// From its start until it answers, and from SIGTERM to the end.
const PATIENCE: Duration = Duration::from_secs(30);

/// What it may write to, in bytes, and how many files it may open: a small container's share.
const LIMITS: [&str; 3] = ["prlimit", "--data=268435456", "--nofile=256"];

/// The static binary. It is a second build of everything, so it is one without optimization, and it
/// is kept; users build it for release by the same words.
fn binary() -> Result<PathBuf> {
    let about = run(Command::new("rustc").arg("-vV"))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.expect("rustc knows its host");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("static");
    let unoptimized = "profile.dev.package.\"*\".opt-level=0";
    run(Command::new(env!("CARGO"))
        .args(["build", "--package", "oneport", "--locked", "--offline"])
        .args(["--target", host, "--config", unoptimized, "--target-dir"])
        .arg(&target)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .env_remove("CARGO_TARGET_DIR")
        .current_dir(env!("CARGO_MANIFEST_DIR")))?;
    Ok(target.join(host).join("debug/oneport"))
}

fn buildah(words: &[&str]) -> Result<String> {
    let storage = ["--root", "/mnt/store", "--runroot", "/mnt/running"];
    let driver = ["--storage-driver", "vfs"];
    let mut command = Command::new("buildah");
    let said = run(command.args(storage).args(driver).args(words))?;
    Ok(said.trim().to_owned())
}

/// What an image says of itself.
struct Image(Value);

impl Image {
    fn words(&self, key: &str) -> Vec<&str> {
        let words = self.0[key].as_array().into_iter().flatten();
        words.filter_map(Value::as_str).collect()
    }

    fn user(&self) -> &str {
        self.0["User"].as_str().unwrap_or_default()
    }

    /// A program in the container, as its user, with the environment that it comes with and no other.
    fn command(&self, root: &str, words: &[&str]) -> Command {
        let mut command = Command::new(LIMITS[0]);
        command
            .args(&LIMITS[1..])
            .args(["chroot", &format!("--userspec={}", self.user()), root])
            .args(words)
            .env_clear()
            .envs(
                self.words("Env")
                    .iter()
                    .filter_map(|word| word.split_once('=')),
            )
            .stdin(Stdio::null());
        command
    }
}

/// Killed when dropped.
struct Container(Child);

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn built_from_scratch_it_serves() -> Result {
    let Some(_sandbox) = Sandbox::enter("container::built_from_scratch_it_serves")? else {
        return Ok(());
    };
    let binary = binary()?;
    fs::create_dir_all(Path::new(CONTEXT).join("state"))?;
    let stripped = Path::new(CONTEXT).join("oneport");
    run(Command::new("strip").arg(binary).arg("-o").arg(&stripped))?;
    let file = packaging().join("Containerfile");
    let file = file.to_string_lossy();
    let build = ["build", "--isolation", "chroot", "--tag", "oneport"];
    buildah(&[&build[..], &["--file", &*file, CONTEXT]].concat())?;

    let about = buildah(&["inspect", "--type", "image", "oneport"])?;
    let about: Value = serde_json::from_str(&about).unwrap_or_default();
    let image = Image(about["OCIv1"]["config"].clone());
    assert!(!matches!(image.user(), "" | "0" | "root"), "{about}");
    for port in ["3478/udp", "3478/tcp"] {
        assert!(image.0["ExposedPorts"][port].is_object(), "{about}");
    }

    buildah(&["from", "--pull-never", "--name", "container", "oneport"])?;
    let root = buildah(&["mount", "container"])?;
    let found = run(Command::new("find").args([&root, "-type", "f", "-printf", "%P %m\\n"]))?;
    assert_eq!(found, "usr/bin/oneport 755\n");
    let state = format!("{root}/var/lib/oneport");
    let owner = run(Command::new("stat").args(["-c", "%u:%g", &state]))?;
    assert_eq!(owner.trim(), image.user());
    // What whoever runs containers adds.
    for folder in ["dev", "etc"] {
        fs::create_dir_all(format!("{root}/{folder}"))?;
    }
    fs::write(format!("{root}/etc/hosts"), "127.0.0.1 relay.test\n")?;
    run(Command::new("mount").args(["--rbind", "/dev", &format!("{root}/dev")]))?;

    let words = [image.words("Entrypoint"), image.words("Cmd")].concat();
    let refused = image.command(&root, &words).output()?;
    let complaint = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{complaint}");
    assert!(complaint.contains("--open"), "{complaint}");

    let mut command = image.command(&root, &words);
    let mut container = Container(command.env("ONEPORT_OPEN", "true").spawn()?);
    wait::until("a container that serves", PATIENCE, || {
        if let Some(status) = container.0.try_wait()? {
            panic!("it has ended: {status}");
        }
        Ok(match http::get(([127, 0, 0, 1], 3478).into(), "/healthz") {
            Ok(response) => {
                assert_eq!(response.status, 200);
                Look::Done(())
            }
            Err(error) => Look::NotYet(error.to_string()),
        })
    })?;
    // A static binary finds a host by its name too, and its own relay by UDP.
    let chat = ["/usr/bin/oneport", "chat", "http://relay.test:3478/"];
    let chat = run(&mut image.command(&root, &chat))?;
    println!("{chat}");

    let pid = container.0.id().to_string();
    run(Command::new("/bin/sh").args(["-c", "kill -s TERM \"$1\"", "kill", &pid]))?;
    wait::until("the end of the container", PATIENCE, || {
        Ok(match container.0.try_wait()? {
            Some(status) => {
                assert!(status.success(), "{status}");
                Look::Done(())
            }
            None => Look::NotYet("it runs".into()),
        })
    })
}
