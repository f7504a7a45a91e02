//! The health model through the real program: scores in lists, and who would change band under another model.

mod common;

use common::{csops, json};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;

const NOW: &str = "2026-11-22T09:00:00Z";

/// Acme is a customer since July, Boreal since 2024; both use 40 % of their licences.
fn book(home: &Path) {
    let file = |name: &str, text: &str| {
        std::fs::write(home.join(name), text).expect("written");
        let args = ["import", name, "--now", NOW];
        let o = csops(home)
            .current_dir(home)
            .args(args)
            .output()
            .expect("the program starts");
        assert_eq!(o.status.code(), Some(0), "{}", text_of(&o));
    };
    file(
        "accounts.csv",
        "id,name,segment,start\nA1,Acme,smb,2026-07-01\nA2,Boreal,smb,2024-01-01\nA3,Cirrus,smb,\n",
    );
    file(
        "signals.csv",
        "account,kind,at,value\nA1,licence.use,2026-11-22,40\nA1,engagement,2026-11-22,85\nA1,nps,2026-11-22,9\n\
         A2,licence.use,2026-11-22,40\nA2,engagement,2026-11-22,85\nA2,nps,2026-11-22,9\n",
    );
}

fn text_of(o: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&o.stdout),
        String::from_utf8_lossy(&o.stderr)
    )
}

fn gitlab() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/health-gitlab.toml");
    file.to_string_lossy().into_owned()
}

#[test]
fn a_what_if_moves_figures_and_writes_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    book(home);
    let ask = |words: &[&str]| {
        let mut args = vec!["whatif"];
        args.extend_from_slice(words);
        args.extend_from_slice(&["--json", "--now", NOW]);
        json(home, &args)
    };
    let of = |w: &Value, part: &str, name: &str| -> (Value, Value) {
        let pairs = w[part].as_array().expect("pairs");
        let pair = pairs.iter().find(|p| p["name"] == name).expect("there");
        (pair["before"].clone(), pair["after"].clone())
    };
    let w = ask(&["Acme", "health=20", "sentiment=bad"]);
    assert_eq!(of(&w, "figures", "health.band").1, "bad");
    let (before, after) = of(&w, "figures", "loss");
    assert!(before.as_f64() < after.as_f64(), "{before} {after}");
    assert_eq!(of(&w, "book", "in_queue"), (json!(0), json!(1)));
    let lost = ask(&["lose-top-3"]);
    assert_eq!(lost["account"], Value::Null);
    let args = [
        "list",
        "accounts",
        "--json",
        "--columns",
        "health,sentiment",
        "--now",
        NOW,
    ];
    let listed = json(home, &args);
    let rows = listed["rows"].as_array().expect("rows");
    let unmoved = |a: &Value| a["health"].is_null() && a["sentiment"].is_null();
    assert!(rows.len() == 3 && rows.iter().all(unmoved));
    for (words, says) in [
        (&["Acme"][..], "say what is to be moved"),
        (&["health=20"], "whose health=20?"),
        (&["Acme", "helth=20"], "did you mean `health`?"),
    ] {
        let o = csops(home)
            .arg("whatif")
            .args(words)
            .output()
            .expect("runs");
        assert_eq!(o.status.code(), Some(2), "{}", text_of(&o));
        assert!(text_of(&o).contains(says), "{}", text_of(&o));
    }
}

#[test]
fn a_model_of_ones_own_scores_and_a_diff_says_who_would_change_band() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    book(home);
    let columns = "name,health.csops,health.band,health.coverage,health.drives,health.model";
    let rows = |extra: &[&str]| -> Vec<Value> {
        let mut args = vec![
            "list",
            "accounts",
            "--json",
            "--columns",
            columns,
            "--sort",
            "name",
            "--now",
            NOW,
        ];
        args.extend_from_slice(extra);
        json(home, &args)["rows"].as_array().expect("rows").clone()
    };
    // The built-in model knows nothing of licences: NPS alone is 10 of 100.
    let built_in = rows(&[]);
    assert_eq!(built_in[0]["health.band"], "insufficient");
    assert_eq!(built_in[0]["health.coverage"], json!(0.1));
    assert_eq!(built_in[0]["health.drives"], Value::Null);
    assert_eq!(built_in[2]["health.csops"], Value::Null);

    // GitLab's: licences 30, engagement 20 and voice 15 of 90 are known. Acme (55·30 + 85·20 + 85·15)/65, Boreal with red licences.
    let model = std::fs::read_to_string(gitlab()).expect("the model");
    let settings: String = model
        .lines()
        .map(|l| match l.strip_prefix("[[").or(l.strip_prefix('[')) {
            Some(rest) if l.starts_with("[[") => format!("[[health.{rest}\n"),
            Some(rest) => format!("[health.{rest}\n"),
            None => format!("{l}\n"),
        })
        .collect();
    std::fs::write(home.join("own.toml"), format!("[health]\n{settings}")).expect("written");
    let own = home.join("own.toml").to_string_lossy().into_owned();
    let by_own = rows(&["--config", &own]);
    assert_eq!(
        (
            &by_own[0]["health.csops"],
            &by_own[0]["health.band"],
            &by_own[0]["health.drives"]
        ),
        (&json!(71), &json!("good"), &json!("csops"))
    );
    assert_eq!(
        (&by_own[1]["health.csops"], &by_own[1]["health.band"]),
        (&json!(55), &json!("watch"))
    );
    assert_eq!(by_own[0]["health.coverage"], json!(0.72));
    assert_ne!(by_own[0]["health.model"], built_in[0]["health.model"]);

    std::fs::write(home.join("old.toml"), "good = 70\nwatch = 40\n").expect("written");
    let old = home.join("old.toml").to_string_lossy().into_owned();
    let d = json(
        home,
        &["health", "diff", &old, &own, "--json", "--now", NOW],
    );
    assert_eq!(
        (&d["all"]["accounts"], &d["changed"]["accounts"]),
        (&json!(3), &json!(2))
    );
    let names: Vec<_> = d["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|r| r["name"].clone())
        .collect();
    assert_eq!(names, ["Acme", "Boreal"]);
    assert_eq!(d["rows"][0]["after"]["band"], "good");
    assert_eq!(d["before"]["version"], built_in[0]["health.model"]);
    assert_eq!(d["after"]["version"], by_own[0]["health.model"]);
    let total: u64 = d["matrix"]
        .as_array()
        .expect("cells")
        .iter()
        .filter_map(|c| c["accounts"].as_u64())
        .sum();
    assert_eq!(total, 3);

    let o = csops(home)
        .args(["health", "diff", &old, &gitlab(), "--now", NOW])
        .output()
        .expect("runs");
    assert!(
        text_of(&o).contains("2 of 3 accounts change band"),
        "{}",
        text_of(&o)
    );
    std::fs::write(
        home.join("bad.toml"),
        "[signals.usage]\nmeasure = \"usage.tend\"\nworst = 0\nbest = 1\n",
    )
    .expect("written");
    let bad = home.join("bad.toml").to_string_lossy().into_owned();
    let o = csops(home)
        .args(["health", "diff", &old, &bad])
        .output()
        .expect("runs");
    assert_eq!(o.status.code(), Some(2));
    let said = text_of(&o);
    assert!(said.contains("bad.toml:2:11: `signals.usage.measure` does not know `usage.tend`; did you mean `usage.trend`?"), "{said}");
}
