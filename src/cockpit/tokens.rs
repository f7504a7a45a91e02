//! What csops itself keeps of a login: secrets that a person typed and tokens that a vendor gave. They lie in the system's keyring, or where
//! there is none in files beside the database that only their owner can read.

use super::keyring::{Keyring, KeyringError, System};
use crate::config::SecretError;
use crate::connect::{Lease, TokenStore};
use secrecy::{ExposeSecret, SecretString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Stands in a file whose secret is in the keyring.
const IN_KEYRING: &str = "csops: in the keyring";
/// The key of a login's tokens.
pub(super) const TOKENS: &str = "tokens";

/// Where something is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the system's keyring.
    Keyring,
    /// In a file of ours; why it is not in the keyring.
    File {
        /// The file.
        path: PathBuf,
        /// Why, as a sentence.
        because: Option<String>,
    },
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Keyring => f.write_str("the keyring"),
            Place::File { path, because } => {
                write!(f, "the file {} (mode 0600)", path.display())?;
                match because {
                    Some(why) => write!(f, ", because {why}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// The keyring with a folder of files behind it.
pub struct Keeper {
    folder: PathBuf,
    keyring: Arc<dyn Keyring>,
}

impl Keeper {
    /// With the system's keyring.
    pub fn new(folder: PathBuf) -> Keeper {
        let keyring = System::new(&|name| std::env::var(name).ok());
        Keeper::with(folder, Arc::new(keyring))
    }

    /// With that keyring.
    pub fn with(folder: PathBuf, keyring: Arc<dyn Keyring>) -> Keeper {
        Keeper { folder, keyring }
    }

    /// Names of sources are people's own; only letters, digits, `-` and `_` reach the file system, and no two names meet.
    fn file(&self, account: &str, ending: &str) -> PathBuf {
        let (source, key) = account.rsplit_once('/').unwrap_or((account, TOKENS));
        let mut name = String::new();
        for b in source.bytes() {
            if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_') {
                name.push(char::from(b));
            } else {
                name.push_str(&format!("%{b:02x}"));
            }
        }
        if key == TOKENS {
            self.folder.join(format!("{name}.{ending}"))
        } else {
            self.folder.join(format!("{name}.{key}.{ending}"))
        }
    }

    /// What is kept under an account (`crm/token`) and where. The error says why the place where it is cannot be read.
    pub fn get(&self, account: &str) -> Result<Option<(SecretString, Place)>, String> {
        let path = self.file(account, "token");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(format!("{} cannot be read: {e}", path.display())),
        };
        let text = text.trim();
        let noted = text == IN_KEYRING;
        if !text.is_empty() && !noted {
            let place = Place::File {
                path,
                because: None,
            };
            return Ok(Some((SecretString::from(text.to_owned()), place)));
        }
        // Tokens are only ever put there by us, who leave a note; a typed secret may have been put there by hand.
        if !noted && account.ends_with(&format!("/{TOKENS}")) {
            return Ok(None);
        }
        match self.keyring.get(account) {
            Ok(found) => Ok(found.map(|s| (s, Place::Keyring))),
            Err(KeyringError::Absent(_)) if !noted => Ok(None),
            Err(e) => Err(format!(
                "the keyring, where it is kept, cannot be read: {}",
                e.words()
            )),
        }
    }

    /// Keeps a secret, and says where.
    pub fn set(&self, account: &str, secret: &SecretString) -> Result<Place, String> {
        let path = self.file(account, "token");
        let write = |text: &str| {
            write_private(&self.folder, &path, text).map_err(|e| {
                format!(
                    "{account} cannot be kept in {}: {e}. Make the folder writable, else log in again after the next start",
                    path.display()
                )
            })
        };
        match self.keyring.set(account, secret) {
            Ok(()) => {
                write(IN_KEYRING)?;
                Ok(Place::Keyring)
            }
            Err(e) => {
                write(secret.expose_secret())?;
                Ok(Place::File {
                    path,
                    because: Some(match e {
                        KeyringError::Absent(why) => format!("there is no keyring: {why}"),
                        KeyringError::Failed(why) => format!("the keyring did not take it: {why}"),
                    }),
                })
            }
        }
    }

    /// Forgets what is kept; whether there was something.
    pub fn forget(&self, account: &str) -> Result<bool, String> {
        let path = self.file(account, "token");
        let kept = self.get(account);
        let in_keyring = match &kept {
            Ok(Some((_, place))) => *place == Place::Keyring,
            Ok(None) => false,
            Err(_) => true,
        };
        if in_keyring {
            self.keyring
                .delete(account)
                .map_err(|e| format!("the keyring does not forget {account}: {}", e.words()))?;
        }
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(format!("{} cannot be removed: {e}", path.display())),
        }
        Ok(!matches!(kept, Ok(None)))
    }

    /// A secret that the configuration says is kept here.
    pub fn secret(&self, account: &str) -> Result<SecretString, SecretError> {
        let source = account.rsplit_once('/').map_or(account, |(s, _)| s);
        match self.get(account) {
            Ok(Some((secret, _))) => Ok(secret),
            Ok(None) => {
                let absent = self.absent();
                Err(SecretError(match absent {
                    Some(why) => format!(
                        "`{account}` has not been stored yet (there is no keyring here: {why}; a file of mode 0600 takes its place): csops auth login {source}"
                    ),
                    None => format!(
                        "the keyring has no `{account}` of the service csops yet: csops auth login {source}"
                    ),
                }))
            }
            Err(why) => Err(SecretError(format!("`{account}`: {why}"))),
        }
    }

    /// Why there is no keyring, if there is none.
    pub fn absent(&self) -> Option<String> {
        match self.keyring.get("csops/present") {
            Err(KeyringError::Absent(why)) => Some(why),
            _ => None,
        }
    }
}

/// The account of a source's tokens.
pub(super) fn tokens_of(source: &str) -> String {
    format!("{source}/{TOKENS}")
}

impl TokenStore for Keeper {
    fn load(&self, source: &str) -> Result<Option<SecretString>, String> {
        Ok(self.get(&tokens_of(source))?.map(|(secret, _)| secret))
    }

    fn save(&self, source: &str, token: &SecretString) -> Result<(), String> {
        self.set(&tokens_of(source), token).map(drop)
    }

    fn lease(&self, source: &str) -> Lease {
        let path = self.file(&tokens_of(source), "lock");
        let open = || -> std::io::Result<std::fs::File> {
            private_folder(&self.folder)?;
            private().create(true).truncate(false).open(&path)
        };
        let Ok(file) = open() else {
            return Lease::None;
        };
        match file.try_lock() {
            // Closing the file gives it back, also when the program is killed.
            Ok(()) => Lease::Ours(Box::new(file)),
            Err(std::fs::TryLockError::WouldBlock) => Lease::Taken,
            Err(std::fs::TryLockError::Error(_)) => Lease::None,
        }
    }
}

fn private() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

fn private_folder(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// Writes a file that only its owner can read, whole or not at all.
fn write_private(folder: &Path, file: &Path, text: &str) -> std::io::Result<()> {
    private_folder(folder)?;
    let new = file.with_extension("new");
    // One that was left lying might be readable by others.
    match std::fs::remove_file(&new) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut f = private().create_new(true).open(&new)?;
    f.write_all(text.as_bytes())?;
    f.sync_all()?;
    std::fs::rename(&new, file)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::sync::Mutex;

    /// A keyring in memory that can be away or locked.
    #[derive(Default)]
    pub struct Fake {
        pub kept: Mutex<HashMap<String, String>>,
        pub trouble: Mutex<Option<KeyringError>>,
    }

    impl Fake {
        fn well(&self) -> Result<(), KeyringError> {
            self.trouble.lock().unwrap().clone().map_or(Ok(()), Err)
        }
    }

    impl Keyring for Fake {
        fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
            self.well()?;
            let kept = self.kept.lock().unwrap();
            Ok(kept.get(account).map(|s| SecretString::from(s.as_str())))
        }
        fn set(&self, account: &str, secret: &SecretString) -> Result<(), KeyringError> {
            self.well()?;
            let mut kept = self.kept.lock().unwrap();
            kept.insert(account.into(), secret.expose_secret().into());
            Ok(())
        }
        fn delete(&self, account: &str) -> Result<(), KeyringError> {
            self.well()?;
            self.kept.lock().unwrap().remove(account);
            Ok(())
        }
    }

    fn away() -> Option<KeyringError> {
        Some(KeyringError::Absent("no session bus runs here".into()))
    }

    fn text(found: Option<(SecretString, Place)>) -> (String, Place) {
        let (secret, place) = found.expect("kept");
        (secret.expose_secret().to_owned(), place)
    }

    fn files(folder: &Path) -> String {
        let mut all = String::new();
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            all.push_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
        }
        all
    }

    #[test]
    fn what_the_keyring_keeps_is_in_no_file_and_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let fake = Arc::new(Fake::default());
        let keeper = Keeper::with(dir.path().join("tokens"), fake.clone());
        assert!(keeper.get("crm/tokens").unwrap().is_none());
        let place = keeper.set("crm/tokens", &SecretString::from("R1")).unwrap();
        assert_eq!(place, Place::Keyring);
        assert!(!files(&dir.path().join("tokens")).contains("R1"));
        assert_eq!(text(keeper.get("crm/tokens").unwrap()).0, "R1");

        // A keyring that is locked now must not look as if nothing had ever been kept.
        *fake.trouble.lock().unwrap() = away();
        let error = keeper.get("crm/tokens").unwrap_err();
        assert!(error.contains("no session bus"), "{error}");
        // What comes now goes into a file, and that is the newer one also when the keyring is back.
        let place = keeper.set("crm/tokens", &SecretString::from("R2")).unwrap();
        assert!(place.to_string().contains("no session bus"), "{place}");
        *fake.trouble.lock().unwrap() = None;
        assert_eq!(text(keeper.get("crm/tokens").unwrap()).0, "R2");
        assert!(keeper.forget("crm/tokens").unwrap());
        assert!(keeper.get("crm/tokens").unwrap().is_none());
    }

    #[test]
    fn a_secret_put_into_the_keyring_by_hand_counts_and_a_missing_one_names_the_command() {
        let dir = tempfile::tempdir().unwrap();
        let fake = Arc::new(Fake::default());
        let keeper = Keeper::with(dir.path().to_owned(), fake.clone());
        let error = keeper.secret("crm/token").unwrap_err();
        assert!(error.0.contains("csops auth login crm"), "{error}");
        let mut kept = fake.kept.lock().unwrap();
        kept.insert("crm/token".into(), "by hand".into());
        drop(kept);
        assert_eq!(
            keeper.secret("crm/token").unwrap().expose_secret(),
            "by hand"
        );
        *fake.trouble.lock().unwrap() = away();
        let error = keeper.secret("crm/token").unwrap_err();
        assert!(error.0.contains("there is no keyring here"), "{error}");
    }

    #[test]
    fn a_token_is_kept_for_its_owner_only_and_names_neither_leave_the_folder_nor_meet() {
        let dir = tempfile::tempdir().unwrap();
        let fake = Arc::new(Fake::default());
        *fake.trouble.lock().unwrap() = away();
        let folder = dir.path().join("tokens");
        let keeper = Keeper::with(folder.clone(), fake);
        for (source, secret) in [("../crm", "one"), ("__crm", "two"), ("../crm", "three")] {
            keeper.save(source, &SecretString::from(secret)).unwrap();
        }
        let load = |s: &str| keeper.load(s).unwrap().unwrap().expose_secret().to_owned();
        assert_eq!(
            (load("../crm"), load("__crm")),
            ("three".into(), "two".into())
        );
        let file = keeper.file("../crm/tokens", "token");
        assert_eq!(file.parent(), Some(folder.as_path()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&file), mode(&folder)), (0o600, 0o700));
        }
    }

    #[test]
    fn only_one_has_the_lease() {
        let dir = tempfile::tempdir().unwrap();
        let keeper = || Keeper::with(dir.path().to_owned(), Arc::new(Fake::default()));
        let (one, two) = (keeper(), keeper());
        let Lease::Ours(held) = one.lease("crm") else {
            panic!("free");
        };
        assert!(matches!(two.lease("crm"), Lease::Taken));
        assert!(matches!(two.lease("cs"), Lease::Ours(_)));
        drop(held);
        assert!(matches!(two.lease("crm"), Lease::Ours(_)));
    }
}
