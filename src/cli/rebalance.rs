//! `csops rebalance`: which accounts would best change hands, shown, and done as ordinary `owner` commands.

use super::act::{confirmed, deliver, refused};
use super::args::{Global, Rebalance, RebalanceBy};
use super::open::{How, coverage, head, open};
use super::print::{money_json, print_json};
use super::start::Failure;
use crate::book::text::visible;
use crate::book::{Book, Entity};
use crate::cockpit::Snapshot;
use crate::command::{Command, Selection, find};
use crate::insight::capacity::rebalance::{Move, PersonLoad, Proposal, Wish, Work};
use crate::insight::short_money;
use crate::tui::fmt::{self, counted};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;

/// Runs it.
///
/// # Errors
/// 2 for a query that cannot be understood, 1 when a command is refused or its write has not arrived.
pub fn run(global: &Global, options: &Rebalance, out: &mut dyn Write) -> Result<(), Failure> {
    let session = open(global, How::Headless)?;
    let snapshot = session.cockpit.snapshot();
    let wish = Wish {
        keep: options.keep.clone(),
        max_moves: options.max_moves,
        unassigned: options.unassigned,
    };
    let proposal = snapshot.rebalance(&wish).map_err(Failure::usage)?;
    let moves = proposal.moves.len();
    if !options.json {
        text(&snapshot.book, &proposal, options.by, out)?;
    }
    let (mut operations, mut items, mut applied) = (Vec::new(), 0, 0);
    let mut stopped = None;
    if moves > 0 && !options.dry_run {
        confirmed("another CSM for", moves, options.yes)?;
        for m in &proposal.moves {
            let run = session.cockpit.run_headless(
                owner(m)?,
                Selection::of(Entity::Account, [m.account]),
                true,
                false,
            );
            match session.runtime.block_on(run) {
                Ok(outcome) => {
                    items += outcome.items;
                    operations.extend(outcome.operation.map(|o| o.id));
                    applied += 1;
                }
                Err(e) => {
                    // What was done before it is told and sent all the same.
                    stopped = Some(refused(e));
                    break;
                }
            }
        }
    }
    if options.json {
        print_json(&document(&snapshot, &proposal, options.by, applied), out)?;
    } else if applied > 0 {
        let have = if applied == 1 { "has" } else { "have" };
        writeln!(out, "{} {have} another CSM", counted(applied, "account"))?;
    }
    deliver(&session, &operations, items)?;
    session.runtime.block_on(session.cockpit.close());
    stopped.map_or(Ok(()), Err)
}

/// The command that makes a move.
fn owner(m: &Move) -> Result<Command, Failure> {
    let spec = find("owner").ok_or_else(|| Failure::failed("there is no command owner".into()))?;
    Ok(Command {
        spec,
        args: vec![m.who.clone()],
        flags: Vec::new(),
    })
}

/// People, or the teams of those who lead them.
fn groups(p: &Proposal, by: RebalanceBy) -> Vec<(String, f64, Work, Work)> {
    let rows = p
        .people
        .iter()
        .filter(|p| p.fte > 0.0 || p.before.accounts > 0 || p.after.accounts > 0);
    if by == RebalanceBy::Csm {
        let row = |p: &PersonLoad| {
            let note = if p.note.is_empty() {
                String::new()
            } else {
                format!(" ({})", p.note)
            };
            (format!("{}{note}", p.name), p.fte, p.before, p.after)
        };
        let mut all: Vec<_> = rows.map(row).collect();
        all.sort_by(|a, b| b.2.overload.total_cmp(&a.2.overload));
        return all;
    }
    let mut teams: BTreeMap<String, (f64, f64, Work, Work)> = BTreeMap::new();
    for p in rows {
        let key = match by {
            RebalanceBy::Team => p.manager.clone(),
            _ => p.region.clone(),
        };
        let team = teams
            .entry(key.unwrap_or_else(|| "none".into()))
            .or_default();
        team.0 += p.fte;
        team.1 += p.have;
        for (sum, w) in [(&mut team.2, &p.before), (&mut team.3, &p.after)] {
            sum.accounts += w.accounts;
            sum.arr += w.arr;
            sum.hours += w.hours;
            sum.overload += w.overload;
        }
    }
    teams
        .into_iter()
        .map(|(name, (fte, have, mut before, mut after))| {
            for w in [&mut before, &mut after] {
                w.utilisation = (have > 0.0).then(|| w.hours / have);
            }
            (name, fte, before, after)
        })
        .collect()
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "n/a".into(), fmt::percent)
}

fn text(book: &Book, p: &Proposal, by: RebalanceBy, out: &mut dyn Write) -> std::io::Result<()> {
    let exponent = book.reporting_money(0).exponent();
    let money = |minor: i64| short_money(minor, exponent);
    writeln!(
        out,
        "overload {:.2} → {:.2} full-time people with {}{}",
        p.before,
        p.after,
        counted(p.moves.len(), "move"),
        if p.proved && !p.moves.is_empty() {
            ", the fewest"
        } else {
            ""
        }
    )?;
    writeln!(
        out,
        "  {:<32}  {:>5}  {:>11}  {:>13}  {:>13}  {:>13}",
        "", "FTE", "accounts", "ARR", "hours used", "overload"
    )?;
    for (name, fte, b, a) in groups(p, by) {
        let both = |x: String, y: String| if x == y { x } else { format!("{x} → {y}") };
        writeln!(
            out,
            "  {:<32}  {fte:>5.2}  {:>11}  {:>13}  {:>13}  {:>13}",
            visible(&name),
            both(b.accounts.to_string(), a.accounts.to_string()),
            both(money(b.arr), money(a.arr)),
            both(percent(b.utilisation), percent(a.utilisation)),
            both(format!("{:.2}", b.overload), format!("{:.2}", a.overload)),
        )?;
    }
    for m in &p.moves {
        writeln!(
            out,
            "owner {}  {}  {} → {}  ARR {}  {} h  {}",
            m.who,
            visible(&m.name),
            visible(&p.people[m.from].name),
            visible(&p.people[m.to].name),
            m.arr.map_or_else(|| "?".into(), money),
            m.hours.map_or_else(|| "?".into(), |h| format!("{h:.0}")),
            m.note,
        )?;
    }
    for note in &p.notes {
        writeln!(out, "{}", visible(note))?;
    }
    Ok(())
}

fn document(snapshot: &Snapshot, p: &Proposal, by: RebalanceBy, applied: usize) -> Value {
    let book = &snapshot.book;
    let money = |minor: i64| money_json(book.reporting_money(minor));
    let work = |w: &Work| {
        json!({
            "accounts": w.accounts, "arr": money(w.arr), "hours": w.hours, "utilisation": w.utilisation,
            "accounts_of_band": w.band, "arr_of_band": w.arr_band, "overload": w.overload,
        })
    };
    let people: Vec<Value> = groups(p, by)
        .iter()
        .map(|(name, fte, b, a)| json!({"key": name, "fte": fte, "before": work(b), "after": work(a)}))
        .collect();
    let moves: Vec<Value> = p
        .moves
        .iter()
        .map(|m| {
            json!({
                "account": m.account, "name": m.name, "region": m.region, "arr": m.arr.map(money), "hours": m.hours,
                "from": p.people[m.from].name, "to": p.people[m.to].name, "relief": m.relief, "note": m.note,
                "command": owner(m).map(|c| c.to_string()).unwrap_or_default(),
            })
        })
        .collect();
    let mut document = head(snapshot, "rebalance");
    document.insert("coverage".into(), coverage(snapshot));
    document.extend([
        (
            "overload".to_owned(),
            json!({"before": p.before, "after": p.after}),
        ),
        ("proved".to_owned(), json!(p.proved)),
        ("kept".to_owned(), json!(p.kept)),
        ("groups".to_owned(), json!(people)),
        ("moves".to_owned(), json!(moves)),
        ("applied".to_owned(), json!(applied)),
        ("notes".to_owned(), json!(p.notes)),
    ]);
    Value::Object(document)
}
