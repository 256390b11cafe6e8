//! Pairs of certificate and key that are taken, refused, and taken up again.

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;

/// A folder with a pair of files, as certbot keeps them: links that are turned to the new ones.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a new pair, valid until that year.
    fn write(&self, year: i32) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["relay.example".to_owned()]).expect("a name");
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.self_signed(&key).expect("a certificate");
        self.replace("chain.pem", &certificate.pem());
        self.replace("key.pem", &key.serialize_pem());
    }

    fn replace(&self, name: &str, content: &str) {
        fs::write(self.path("new"), content).expect("written");
        fs::rename(self.path("new"), self.path(name)).expect("moved");
    }

    fn read(&self) -> Result<CertificateFiles, CertificateError> {
        CertificateFiles::read(&self.path("chain.pem"), &self.path("key.pem"))
    }
}

fn year_of(files: &CertificateFiles) -> String {
    files.lock().not_after().to_string()[..4].to_owned()
}

#[test]
fn what_is_renewed_is_taken_up_and_what_is_broken_is_not() {
    let folder = Folder::new();
    folder.write(2090);
    let files = folder.read().expect("a pair");
    assert_eq!(year_of(&files), "2090");
    folder.write(2091);
    // Not looked at yet: that costs something for each connection.
    files.current();
    assert_eq!(year_of(&files), "2090");
    files.check();
    assert_eq!(year_of(&files), "2091");
    for broken in ["", "-----BEGIN CERTIFICATE-----"] {
        folder.replace("chain.pem", broken);
        files.check();
        assert_eq!(year_of(&files), "2091");
    }
    fs::remove_file(folder.path("key.pem")).expect("there");
    files.check();
    assert_eq!(year_of(&files), "2091");
    folder.write(2092);
    files.check();
    assert_eq!(year_of(&files), "2092");
}

#[test]
fn faults_name_the_file() {
    let folder = Folder::new();
    let fault = || folder.read().expect_err("a fault").to_string();
    assert!(fault().contains("chain.pem: No such file"), "{}", fault());
    folder.write(2090);
    folder.replace("key.pem", "");
    assert!(
        fault().contains("key.pem: there is no private key"),
        "{}",
        fault()
    );
    let key = KeyPair::generate().expect("a key").serialize_pem();
    folder.replace("key.pem", &key);
    assert!(
        fault().contains("key.pem: this key belongs to another"),
        "{}",
        fault()
    );
    folder.replace("chain.pem", &key);
    assert!(
        fault().contains("chain.pem: there is no certificate"),
        "{}",
        fault()
    );
    fs::remove_file(folder.path("key.pem")).expect("there");
    fs::create_dir(folder.path("key.pem")).expect("a folder");
    assert!(fault().contains("key.pem: it is no file"), "{}", fault());
    folder.replace("chain.pem", &"x".repeat(1 << 21));
    assert!(fault().contains("chain.pem: it is too long"), "{}", fault());
}

#[test]
fn an_expired_one_is_taken() {
    let folder = Folder::new();
    folder.write(2001);
    let files = folder.read().expect("a pair");
    assert_eq!(year_of(&files), "2001");
    assert!(files.lock().warned_at.is_some());
}
