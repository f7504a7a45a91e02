//! Where things lie: the configuration, data and state folders, each with its flag and its environment variable.

use std::path::{Path, PathBuf};

/// Flags of the command line that move things; they win over the environment.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--config FILE`.
    pub config: Option<PathBuf>,
    /// `--db FILE`.
    pub db: Option<PathBuf>,
}

/// The places that csops reads and writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The settings file, `config.toml`.
    pub config: PathBuf,
    /// Whether a person named the settings file (then it must exist).
    pub config_named: bool,
    /// The folder of `keymap.toml`, `themes/` and the rest: the settings file's own folder.
    pub config_dir: PathBuf,
    /// The database, `csops.db`.
    pub db: PathBuf,
    /// The folder for what csops itself keeps beside the database (rotated tokens, mode 0600).
    pub data_dir: PathBuf,
    /// The folder of logs and crash reports.
    pub state_dir: PathBuf,
}

/// No place for the files could be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no home folder was found for the settings and the database; name them: --config FILE and --db FILE, or CSOPS_CONFIG and CSOPS_DB"
)]
pub struct PathError;

impl Paths {
    /// Finds the places: flags first, then `CSOPS_CONFIG`, `CSOPS_DB`, `CSOPS_CONFIG_DIR`, `CSOPS_DATA_DIR` and `CSOPS_STATE_DIR`
    /// as `env` gives them, then the platform's own folders. Nothing is created.
    pub fn resolve(
        flags: &Overrides,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Paths, PathError> {
        let var = |name: &str| env(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let dirs = directories::ProjectDirs::from("", "", "csops");
        let named = flags.config.clone().or_else(|| var("CSOPS_CONFIG"));
        let config_dir = named
            .as_deref()
            .map(folder)
            .or_else(|| var("CSOPS_CONFIG_DIR"))
            .or_else(|| dirs.as_ref().map(|d| d.config_dir().to_owned()))
            .ok_or(PathError)?;
        let db = flags.db.clone().or_else(|| var("CSOPS_DB"));
        let data_dir = db
            .as_deref()
            .map(folder)
            .or_else(|| var("CSOPS_DATA_DIR"))
            .or_else(|| dirs.as_ref().map(|d| d.data_dir().to_owned()))
            .ok_or(PathError)?;
        let state_dir = var("CSOPS_STATE_DIR")
            .or_else(|| {
                dirs.as_ref()
                    .map(|d| d.state_dir().unwrap_or(d.data_local_dir()).to_owned())
            })
            .unwrap_or_else(|| data_dir.clone());
        Ok(Paths {
            config: named
                .clone()
                .unwrap_or_else(|| config_dir.join("config.toml")),
            config_named: named.is_some(),
            db: db.unwrap_or_else(|| data_dir.join("csops.db")),
            config_dir,
            data_dir,
            state_dir,
        })
    }

    /// The keymap, `keymap.toml`.
    pub fn keymap(&self) -> PathBuf {
        self.config_dir.join("keymap.toml")
    }

    /// The folder of the user's own connectors.
    pub fn connectors(&self) -> PathBuf {
        self.config_dir.join("connectors")
    }

    /// The folder of the user's own themes.
    pub fn themes(&self) -> PathBuf {
        self.config_dir.join("themes")
    }

    /// The file with a source's rotated tokens (written with mode 0600).
    pub fn tokens(&self, source: &str) -> PathBuf {
        let safe: String = source
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        self.data_dir.join("tokens").join(safe)
    }
}

fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_environment_and_the_folder_follows_the_file() {
        let env = |name: &str| match name {
            "CSOPS_CONFIG" => Some("/env/config.toml".to_owned()),
            "CSOPS_DB" => Some("/env/data/x.db".to_owned()),
            "CSOPS_STATE_DIR" => Some("/env/state".to_owned()),
            _ => None,
        };
        let paths = Paths::resolve(&Overrides::default(), &env).unwrap();
        assert_eq!(paths.keymap(), Path::new("/env/keymap.toml"));
        assert_eq!(paths.db, Path::new("/env/data/x.db"));
        assert_eq!(
            paths.tokens("c/r m"),
            Path::new("/env/data/tokens").join("c_r_m")
        );
        let flags = Overrides {
            config: Some("mine.toml".into()),
            db: None,
        };
        let paths = Paths::resolve(&flags, &env).unwrap();
        assert_eq!(paths.config, Path::new("mine.toml"));
        assert_eq!(paths.config_dir, Path::new("."));
        assert!(paths.config_named);
    }
}
