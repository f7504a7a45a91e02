//! Refresh tokens that a vendor rotates: one file per source beside the database, readable by its owner only.

use crate::connect::TokenStore;
use secrecy::{ExposeSecret, SecretString};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A folder of token files.
pub(super) struct TokenFiles {
    folder: PathBuf,
}

impl TokenFiles {
    pub(super) fn new(folder: PathBuf) -> TokenFiles {
        TokenFiles { folder }
    }

    /// Names of sources are people's own; only letters, digits, `-` and `_` reach the file system.
    fn file(&self, source: &str) -> PathBuf {
        let name: String = source
            .chars()
            .map(|c| {
                if c.is_alphanumeric() || c == '-' || c == '_' {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        self.folder.join(format!("{name}.token"))
    }
}

impl TokenStore for TokenFiles {
    fn load(&self, source: &str) -> Option<SecretString> {
        let text = std::fs::read_to_string(self.file(source)).ok()?;
        let token = text.trim();
        (!token.is_empty()).then(|| SecretString::from(token.to_owned()))
    }

    fn save(&self, source: &str, token: &SecretString) -> Result<(), String> {
        let file = self.file(source);
        write_private(&self.folder, &file, token.expose_secret()).map_err(|e| {
            format!(
                "the new refresh token of {source} cannot be kept in {}: {e}. Make the folder writable, else log in again after the next start",
                file.display()
            )
        })
    }
}

/// Writes a file that only its owner can read, whole or not at all.
fn write_private(folder: &Path, file: &Path, text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let new = file.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut f = options.open(&new)?;
    f.write_all(text.as_bytes())?;
    f.sync_all()?;
    std::fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_kept_for_its_owner_only_and_the_name_stays_in_the_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        let files = TokenFiles::new(dir.path().join("tokens"));
        assert!(files.load("crm").is_none());
        files
            .save("../crm", &SecretString::from("one".to_owned()))
            .expect("saved");
        files
            .save("../crm", &SecretString::from("two".to_owned()))
            .expect("saved");
        assert_eq!(files.load("../crm").expect("there").expose_secret(), "two");
        assert!(files.file("../crm").starts_with(dir.path().join("tokens")));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(files.file("../crm"))
                .expect("there")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
