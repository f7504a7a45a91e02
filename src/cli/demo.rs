//! `csops demo`: simulated vendors on loopback, a configuration that points at them, and the cockpit on it, through the real connectors.
//! The only file outside `simulate` that knows the simulator.

use super::args::Demo;
use super::start::{Failure, narrate};
use crate::book::Clock;
use crate::simulate::{AuthDetails, Options, Simulation, VendorEndpoint, start};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A running demo: the vendors, and the configuration and database that are made for them.
pub struct Running {
    /// The configuration file.
    pub config: PathBuf,
    /// The database.
    pub db: PathBuf,
    /// The vendors live as long as this and the runtime they were started on.
    pub vendors: Simulation,
}

/// Starts the vendors and writes the configuration.
///
/// # Errors
/// When the folder cannot be used, the faults cannot be read, or the vendors do not start.
pub async fn begin(demo: &Demo, clock: impl Clock + 'static) -> Result<Running, Failure> {
    let dir = match &demo.dir {
        Some(dir) => dir.clone(),
        None => default_dir(demo)?,
    };
    std::fs::create_dir_all(&dir).map_err(|e| {
        Failure::failed(format!(
            "the demo's folder {} cannot be made: {e}; choose another with --dir",
            dir.display()
        ))
    })?;
    // Relative names would point elsewhere for whoever reads the configuration from another folder.
    let dir = std::path::absolute(&dir).unwrap_or(dir);
    let db = dir.join("csops.db");
    if demo.reset {
        for name in ["csops.db", "csops.db-wal", "csops.db-shm"] {
            match std::fs::remove_file(dir.join(name)) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Failure::failed(format!(
                        "{} cannot be removed: {e}",
                        dir.join(name).display()
                    )));
                }
                _ => {}
            }
        }
    }
    let faults = demo
        .faults
        .as_deref()
        .unwrap_or_default()
        .parse()
        .map_err(|e| Failure::usage(format!("--faults: {e}")))?;
    if demo.accounts > 20_000 {
        narrate(&format!("making a world of {} accounts …", demo.accounts));
    }
    let mut options = Options {
        accounts: demo.accounts as usize,
        seed: demo.seed,
        dir: Some(dir.clone()),
        reset: demo.reset,
        faults,
        freeze: demo.freeze,
        port_base: demo.port_base,
        tls: demo.tls,
        now: Arc::new(move || clock.now()),
        ..Options::default()
    };
    if !demo.vendors.is_empty() {
        options.vendors.clone_from(&demo.vendors);
    }
    options.limits.gainsight_per_minute = gainsight_per_minute(demo);
    options.limits.gainsight_daily = options.limits.gainsight_daily.max(demo.accounts * 4);
    // The same for the vendors with small pages: their documented limits stand in books of up to 25 and 500 accounts.
    let limits = &mut options.limits;
    limits.churnzero_soft_per_minute = limits
        .churnzero_soft_per_minute
        .max(demo.accounts.saturating_mul(4));
    limits.churnzero_per_minute = limits.churnzero_soft_per_minute.saturating_mul(2);
    limits.totango_per_minute = limits.totango_per_minute.max(demo.accounts / 5);
    limits.vitally_per_minute = limits.vitally_per_minute.max(demo.accounts / 5);
    limits.hubspot_ten_secondly = limits.hubspot_ten_secondly.max(demo.accounts / 20);
    let vendors = start(options)
        .await
        .map_err(|e| Failure::failed(e.to_string()))?;
    let me = whoever(&vendors, &demo.as_user)?;
    let config = dir.join("config.toml");
    let unwritten = |file: &Path, e: std::io::Error| {
        Failure::failed(format!("{} cannot be written: {e}", file.display()))
    };
    for vendor in &vendors.vendors {
        let file = secret_file(&dir, vendor);
        write_private(&file, secret(&vendor.auth)).map_err(|e| unwritten(&file, e))?;
        if let Some(key) = &vendor.application_key {
            let file = application_file(&dir, vendor);
            write_private(&file, key).map_err(|e| unwritten(&file, e))?;
        }
    }
    write_private(
        &config,
        &configuration(
            &vendors.vendors,
            &me,
            &dir,
            gainsight_per_minute(demo) * 9 / 10,
        ),
    )
    .map_err(|e| unwritten(&config, e))?;
    Ok(Running {
        config,
        db,
        vendors,
    })
}

/// Prints one line per vendor and the configuration's path, then serves until a signal.
///
/// # Errors
/// When stdout is gone.
pub async fn serve(running: Running) -> Result<(), Failure> {
    {
        let mut out = std::io::stdout().lock();
        for vendor in &running.vendors.vendors {
            let mut line = Map::new();
            line.insert("connector".into(), json!(vendor.connector));
            line.insert("base_url".into(), json!(vendor.base_url));
            line.insert("auth".into(), json!(vendor.auth));
            if let Some(key) = &vendor.application_key {
                line.insert("app_key".into(), json!(key));
            }
            line.insert("accounts".into(), json!(vendor.accounts));
            if let Some(file) = &vendor.ca_file {
                line.insert("ca_file".into(), json!(file));
            }
            writeln!(out, "{}", Value::Object(line)).map_err(|e| Failure::failed(e.to_string()))?;
        }
        writeln!(out, "{}", json!({"config": running.config}))
            .map_err(|e| Failure::failed(e.to_string()))?;
        out.flush().map_err(|e| Failure::failed(e.to_string()))?;
    }
    super::start::until_signal().await;
    Ok(())
}

/// A folder of the demo's own, one per world, never the user's data folder.
fn default_dir(demo: &Demo) -> Result<PathBuf, Failure> {
    let dirs = directories::ProjectDirs::from("", "", "csops-demo").ok_or_else(|| {
        Failure::usage(
            "no home folder was found for the demo; name one: csops demo --dir DIR".into(),
        )
    })?;
    let mut name = format!("{}-accounts-seed-{}", demo.accounts, demo.seed);
    if !demo.vendors.is_empty() {
        name = format!("{name}-{}", demo.vendors.join("-"));
    }
    Ok(dirs.data_dir().join(name))
}

/// The e-mail address of the person whose cockpit it is, by address or name.
fn whoever(vendors: &Simulation, wanted: &str) -> Result<String, Failure> {
    let users = &vendors.world.users;
    let found = users.iter().find(|u| {
        u.email.eq_ignore_ascii_case(wanted)
            || u.first.eq_ignore_ascii_case(wanted)
            || format!("{} {}", u.first, u.last).eq_ignore_ascii_case(wanted)
    });
    found.map(|u| u.email.to_string()).ok_or_else(|| {
        let some: Vec<&str> = users
            .iter()
            .filter(|u| u.active)
            .take(8)
            .map(|u| &*u.email)
            .collect();
        Failure::usage(format!(
            "--as: nobody in this world is “{wanted}”; there are {}, …",
            some.join(", ")
        ))
    })
}

/// The documented 100 requests a minute would make the first load of a large book a matter of an hour; a demo is there to be looked at.
fn gainsight_per_minute(demo: &Demo) -> u32 {
    (demo.accounts / 10).clamp(100, 6000)
}

fn secret_file(dir: &Path, vendor: &VendorEndpoint) -> PathBuf {
    dir.join(format!("{}.secret", name_of(vendor)))
}

fn application_file(dir: &Path, vendor: &VendorEndpoint) -> PathBuf {
    dir.join(format!("{}-application.secret", name_of(vendor)))
}

fn secret(auth: &AuthDetails) -> &str {
    match auth {
        AuthDetails::ClientCredentials { client_secret, .. } => client_secret,
        AuthDetails::Bearer { token } => token,
        AuthDetails::Header { value, .. } => value,
        AuthDetails::Basic { user, password } if password.is_empty() => user,
        AuthDetails::Basic { password, .. } => password,
    }
}

fn configuration(vendors: &[VendorEndpoint], me: &str, dir: &Path, per_minute: u32) -> String {
    let mut text = String::from("# The demo's configuration, written anew at each start.\n");
    for vendor in vendors {
        let _ = write!(
            text,
            "\n[[source]]\nname = {}\nconnector = {}\nbase_url = {}\nevery = \"20s\"\ndaily_requests = 45000\n",
            quoted(name_of(vendor)),
            quoted(vendor.connector),
            quoted(&vendor.base_url)
        );
        if vendor.connector == "gainsight" {
            let _ = writeln!(
                text,
                "options = {{ requests_per_minute = \"{per_minute}\" }}"
            );
        }
        let mut options = Vec::new();
        // Parts of some APIs live at another address of the vendor's; here they are all in one place.
        match vendor.connector {
            "churnzero" => options.push(("push_url", vendor.base_url.as_str())),
            "totango" => {
                options.push(("ingest_url", vendor.base_url.as_str()));
                options.push(("service", "SP-1"));
            }
            _ => {}
        }
        // Beside a CRM the renewals are the CRM's: an account's renewal date would count a second time.
        if matches!(vendor.connector, "totango" | "vitally")
            && vendors.iter().any(|v| CRMS.contains(&v.connector))
        {
            options.push(("renewals", "no"));
        }
        if !options.is_empty() {
            let options: Vec<String> = options
                .iter()
                .map(|(name, value)| format!("{name} = {}", quoted(value)))
                .collect();
            let _ = writeln!(text, "options = {{ {} }}", options.join(", "));
        }
        if vendor.application_key.is_some() {
            let file = application_file(dir, vendor);
            let _ = writeln!(
                text,
                "secrets = {{ app_key_file = {} }}",
                quoted(&file.to_string_lossy())
            );
        }
        if let Some(file) = &vendor.ca_file {
            let _ = writeln!(text, "ca_file = {}", quoted(&file.to_string_lossy()));
        }
        let file = quoted(&secret_file(dir, vendor).to_string_lossy());
        let _ = match &vendor.auth {
            AuthDetails::ClientCredentials {
                client_id,
                token_url,
                ..
            } => writeln!(
                text,
                "auth = {{ kind = \"client_credentials\", client_id = {}, client_secret_file = {file}, token_url = {} }}",
                quoted(client_id),
                quoted(token_url)
            ),
            AuthDetails::Bearer { .. } => {
                writeln!(text, "auth = {{ kind = \"bearer\", token_file = {file} }}")
            }
            AuthDetails::Header { name, .. } => {
                writeln!(
                    text,
                    "auth = {{ kind = \"header\", name = {}, value_file = {file} }}",
                    quoted(name)
                )
            }
            // Where the password is empty, the user is the key.
            AuthDetails::Basic { password, .. } if password.is_empty() => writeln!(
                text,
                "auth = {{ kind = \"basic\", user_file = {file}, password = \"\" }}"
            ),
            AuthDetails::Basic { user, .. } => {
                writeln!(
                    text,
                    "auth = {{ kind = \"basic\", user = {}, password_file = {file} }}",
                    quoted(user)
                )
            }
        };
    }
    // The CRM that is there takes the deals, the customer success platform the customer's side.
    let crm = CRMS
        .iter()
        .find_map(|c| vendors.iter().find(|v| v.connector == *c))
        .or(vendors.first())
        .map_or("crm", name_of);
    let cs = vendors
        .iter()
        .find(|v| !CRMS.contains(&v.connector))
        .or(vendors.iter().find(|v| name_of(v) != crm))
        .map_or(crm, name_of);
    let _ = write!(
        text,
        "\n[me]\nemail = {me}\n\n[write]\nrisk = {cs}\nnote = {cs}\ntask = {crm}\nrenewal = {crm}\ncsm = {cs}\n",
        me = quoted(me),
        cs = quoted(cs),
        crm = quoted(crm)
    );
    text
}

/// The simulated systems that are CRMs, the first of them at home for deals and tasks.
const CRMS: [&str; 2] = ["salesforce", "hubspot"];

fn name_of(vendor: &VendorEndpoint) -> &'static str {
    match vendor.connector {
        "salesforce" => "crm",
        "gainsight" => "cs",
        other => other,
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The file holds credentials (of a simulation, but habits matter), so nobody else may read it.
pub(super) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?.write_all(text.as_bytes())
}
