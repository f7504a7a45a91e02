//! `csops init`: a small configuration by asking. What is not asked keeps its default and is not written, so that later defaults apply.

use super::args::Init;
use super::start::{Failure, narrate, prompt};
use crate::config::Paths;
use std::fmt::Write as _;
use std::io::{self, BufRead, Write as _};

/// Asks, and writes the file.
///
/// # Errors
/// When the file exists and `--force` is not given, the input ends, or the file cannot be written.
pub fn run(init: &Init, paths: &Paths) -> Result<(), Failure> {
    let file = &paths.config;
    if file.exists() && !init.force {
        return Err(Failure::failed(format!(
            "{} exists already; edit it, or write a new one with csops init --force (the old one is kept beside it)",
            file.display()
        )));
    }
    let mut ask = Asker {
        input: io::stdin().lock(),
    };
    let text = interview(&mut ask)?;
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|e| {
            Failure::failed(format!(
                "the folder {} cannot be made: {e}",
                folder.display()
            ))
        })?;
    }
    if file.exists() {
        let old = file.with_extension("toml.old");
        std::fs::rename(file, &old).map_err(|e| {
            Failure::failed(format!(
                "{} cannot be kept as {}: {e}",
                file.display(),
                old.display()
            ))
        })?;
        narrate(&format!("the old configuration is now {}", old.display()));
    }
    super::demo::write_private(file, &text)
        .map_err(|e| Failure::failed(format!("{} cannot be written: {e}", file.display())))?;
    writeln!(io::stdout(), "{}", file.display())?;
    let login = if text.contains("_keyring = true") {
        "csops auth login crm · "
    } else {
        ""
    };
    narrate(&format!(
        "next: {login}csops connect check crm · csops sync · csops"
    ));
    Ok(())
}

fn interview<R: BufRead>(ask: &mut Asker<R>) -> Result<String, Failure> {
    let mut text = String::from(
        "# csops. Everything that can be set, with its default: config.example.toml in the repository.\n",
    );
    let me = ask.text("Your e-mail address (whose book `owner:me` is)", None)?;
    let mut homes: [Option<String>; 2] = [None, None];
    loop {
        let connector = ask.choice(
            "Which system",
            &["salesforce", "gainsight", "done"],
            "salesforce",
        )?;
        if connector == "done" {
            break;
        }
        let crm = connector == "salesforce";
        let name = ask.text("What do you call it", Some(if crm { "crm" } else { "cs" }))?;
        let example = if crm {
            "https://YOURS.my.salesforce.com"
        } else {
            "https://YOURS.gainsightcloud.com"
        };
        let base = ask.text(&format!("Its address ({example})"), None)?;
        let auth = if crm {
            let kind = ask.choice(
                "Log in by",
                &["client_credentials", "refresh", "jwt_bearer"],
                "client_credentials",
            )?;
            let id = ask.text("Client id of the connected app", None)?;
            match kind.as_str() {
                "client_credentials" => {
                    format!(
                        "kind = \"client_credentials\", client_id = {}, {}",
                        quoted(&id),
                        ask.secret("client_secret", "CSOPS_CRM_SECRET")?
                    )
                }
                "refresh" => format!(
                    "kind = \"refresh\", client_id = {}, {}",
                    quoted(&id),
                    ask.secret("refresh_token", "CSOPS_CRM_TOKEN")?
                ),
                _ => {
                    let user = ask.text("User name", None)?;
                    let key = ask.text("File with the private key (PEM, mode 0600)", None)?;
                    format!(
                        "kind = \"jwt_bearer\", client_id = {}, username = {}, private_key_file = {}",
                        quoted(&id),
                        quoted(&user),
                        quoted(&key)
                    )
                }
            }
        } else {
            format!(
                "kind = \"header\", name = \"accesskey\", {}",
                ask.secret("value", "CSOPS_CS_KEY")?
            )
        };
        let _ = write!(
            text,
            "\n[[source]]\nname = {}\nconnector = {}\nbase_url = {}\nauth = {{ {auth} }}\n",
            quoted(&name),
            quoted(&connector),
            quoted(&base)
        );
        homes[usize::from(!crm)] = Some(name);
        if !ask.yes("Another system")? {
            break;
        }
    }
    let _ = write!(text, "\n[me]\nemail = {}\n", quoted(&me));
    let (crm, cs) = (
        homes[0].clone().or(homes[1].clone()),
        homes[1].clone().or(homes[0].clone()),
    );
    if let (Some(crm), Some(cs)) = (crm, cs) {
        let _ = write!(
            text,
            "\n# One home for each kind of write; nothing is written twice.\n[write]\nrisk = {cs}\nnote = {cs}\ntask = {crm}\nrenewal = {crm}\ncsm = {cs}\n",
            cs = quoted(&cs),
            crm = quoted(&crm)
        );
    }
    Ok(text)
}

struct Asker<R> {
    input: R,
}

impl<R: BufRead> Asker<R> {
    fn line(&mut self, question: &str) -> Result<String, Failure> {
        prompt(&format!("{question}: "));
        let mut line = String::new();
        let read = self
            .input
            .read_line(&mut line)
            .map_err(|e| Failure::failed(format!("the answer cannot be read: {e}")))?;
        if read == 0 {
            return Err(Failure::failed(
                "the answers ended before the last question; nothing was written".into(),
            ));
        }
        Ok(line.trim().to_owned())
    }

    fn text(&mut self, question: &str, default: Option<&str>) -> Result<String, Failure> {
        loop {
            let shown = default.map_or(question.to_owned(), |d| format!("{question} [{d}]"));
            let line = self.line(&shown)?;
            match (line.is_empty(), default) {
                (false, _) => return Ok(line),
                (true, Some(d)) => return Ok(d.to_owned()),
                (true, None) => narrate("  an answer is needed here"),
            }
        }
    }

    fn choice(
        &mut self,
        question: &str,
        choices: &[&str],
        default: &str,
    ) -> Result<String, Failure> {
        loop {
            let line = self.text(
                &format!("{question} ({})", choices.join(", ")),
                Some(default),
            )?;
            let found: Vec<&&str> = choices
                .iter()
                .filter(|c| c.starts_with(&line.to_lowercase()))
                .collect();
            match found.as_slice() {
                [one] => return Ok((**one).to_owned()),
                _ => narrate(&format!("  one of {}", choices.join(", "))),
            }
        }
    }

    fn yes(&mut self, question: &str) -> Result<bool, Failure> {
        Ok(self.choice(question, &["yes", "no"], "no")? == "yes")
    }

    /// Where a secret is found. The secret itself is never asked for: it would end up in a file or a scroll-back.
    fn secret(&mut self, field: &str, variable: &str) -> Result<String, Failure> {
        let how = self.choice(
            &format!("Where is the {field}"),
            &["env", "command", "file", "keyring"],
            "env",
        )?;
        Ok(match how.as_str() {
            "env" => format!(
                "{field}_env = {}",
                quoted(&self.text("Name of the environment variable", Some(variable))?)
            ),
            "command" => format!(
                "{field}_command = {}",
                quoted(&self.text("Command that prints it (pass show …)", None)?)
            ),
            "keyring" => format!("{field}_keyring = true"),
            _ => format!(
                "{field}_file = {}",
                quoted(&self.text("File that holds it (mode 0600)", None)?)
            ),
        })
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_make_a_configuration_without_a_secret() {
        let answers = "dana@example.com\nsales\n\nhttps://x.my.salesforce.com\n\n3MVG\ncommand\npass show sf\nyes\ngain\n\nhttps://x.gainsightcloud.com\nenv\n\nno\n";
        let text = interview(&mut Asker {
            input: answers.as_bytes(),
        })
        .unwrap_or_else(|e| panic!("{e:?}"));
        let value: toml::Table = text.parse().expect("TOML");
        let sources = value["source"].as_array().expect("sources");
        assert_eq!(
            sources[0]["auth"]["client_secret_command"].as_str(),
            Some("pass show sf")
        );
        assert_eq!(
            sources[1]["auth"]["value_env"].as_str(),
            Some("CSOPS_CS_KEY")
        );
        assert_eq!(value["write"]["risk"].as_str(), Some("cs"));
        assert_eq!(value["write"]["renewal"].as_str(), Some("crm"));
        let loaded = crate::config::load_text(&text, std::path::Path::new("config.toml"));
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    }

    #[test]
    fn answers_that_end_early_write_nothing() {
        assert!(
            interview(&mut Asker {
                input: &b"dana@example.com\n"[..]
            })
            .is_err()
        );
    }
}
