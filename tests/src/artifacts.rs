//! What a test run leaves behind for a person to look at: `target/test-artifacts/`.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// The path for an artifact of that file name; the folder exists.
///
/// # Errors
/// When the folder cannot be made.
pub fn path(file_name: &str) -> Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = workspace.join(target).join("test-artifacts");
    fs::create_dir_all(&folder)?;
    Ok(folder.canonicalize()?.join(file_name))
}

/// Width and height of a PNG in pixels, from its IHDR chunk (PNG specification, section 11.2.1).
///
/// # Errors
/// [`Error::Garbled`] when the bytes do not begin as a PNG does.
pub fn png_size(png: &[u8]) -> Result<(u32, u32)> {
    const BEFORE_WIDTH: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
    let rest = png
        .strip_prefix(BEFORE_WIDTH)
        .and_then(|rest| rest.first_chunk::<8>());
    let Some(&[w0, w1, w2, w3, h0, h1, h2, h3]) = rest else {
        return Err(Error::Garbled {
            what: "a picture that is not a PNG".into(),
        });
    };
    Ok((
        u32::from_be_bytes([w0, w1, w2, w3]),
        u32::from_be_bytes([h0, h1, h2, h3]),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_says_its_size() {
        let header = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\x68\0\0\x02\xe4\x08\x02";
        assert!(matches!(png_size(header), Ok((360, 740))));
        assert!(png_size(&header[..20]).is_err());
        assert!(png_size(b"<svg/>").is_err());
    }
}
