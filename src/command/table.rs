//! The table of commands: everything that a hand, a script or a key can do, with its help and default keys.

use super::spec::{Arg, ArgKind, CommandSpec, Flag, Group, On, Scope};

const fn arg(name: &'static str, kind: ArgKind) -> Arg {
    Arg {
        name,
        kind,
        optional: false,
    }
}
const fn opt(name: &'static str, kind: ArgKind) -> Arg {
    Arg {
        name,
        kind,
        optional: true,
    }
}
const fn flag(name: &'static str, kind: ArgKind, help: &'static str) -> Flag {
    Flag { name, kind, help }
}

/// A command that changes data.
const fn write(
    name: &'static str,
    on: On,
    args: &'static [Arg],
    flags: &'static [Flag],
    keys: &'static [(Scope, &'static str)],
    help: &'static str,
) -> CommandSpec {
    CommandSpec {
        name,
        args,
        flags,
        help,
        group: Group::Write,
        on,
        writes: true,
        irreversible: false,
        keys,
    }
}
/// A command of the queue.
const fn triage(
    name: &'static str,
    args: &'static [Arg],
    flags: &'static [Flag],
    keys: &'static [(Scope, &'static str)],
    help: &'static str,
) -> CommandSpec {
    let mut spec = write(name, On::Account, args, flags, keys, help);
    spec.group = Group::Triage;
    spec
}
/// A command that changes no data.
const fn plain(
    group: Group,
    name: &'static str,
    args: &'static [Arg],
    keys: &'static [(Scope, &'static str)],
    help: &'static str,
) -> CommandSpec {
    CommandSpec {
        name,
        args,
        flags: &[],
        help,
        group,
        on: On::Nothing,
        writes: false,
        irreversible: false,
        keys,
    }
}
const fn on(mut spec: CommandSpec, on: On) -> CommandSpec {
    spec.on = on;
    spec
}
const fn irreversible(mut spec: CommandSpec) -> CommandSpec {
    spec.irreversible = true;
    spec
}
const fn in_group(mut spec: CommandSpec, group: Group) -> CommandSpec {
    spec.group = group;
    spec
}

use ArgKind as K;
use Scope::{Account, Global, Metrics, Queue, Renewals, Segments, Sync, Tasks};

const REASON: Flag = flag("reason", K::Text, "why, in a few words");

/// Every command, in the order of the help page.
pub static COMMANDS: &[CommandSpec] = &[
    // Triage.
    triage(
        "ack",
        &[],
        &[],
        &[(Global, "a")],
        "Say that you have seen it: the open risk becomes acknowledged",
    ),
    triage(
        "claim",
        &[],
        &[],
        &[(Global, "c")],
        "Make the open risk yours",
    ),
    triage(
        "assign",
        &[arg("WHO", K::Who)],
        &[],
        &[(Global, "o")],
        "Give the open risk to somebody",
    ),
    triage(
        "escalate",
        &[],
        &[
            flag("to", K::Level, "the level; the next one up when left out"),
            REASON,
        ],
        &[(Global, "e")],
        "Raise the level, the risk's priority and reason, and note it on the timeline",
    ),
    triage(
        "deescalate",
        &[],
        &[REASON],
        &[(Global, "E")],
        "Lower the level by one",
    ),
    triage(
        "snooze",
        &[arg("UNTIL", K::Date)],
        &[],
        &[(Global, "s")],
        "Out of the queue until that day",
    ),
    triage(
        "wake",
        &[],
        &[],
        &[(Global, "W")],
        "Back into the queue now",
    ),
    triage(
        "resolve",
        &[arg("OUTCOME", K::Outcome)],
        &[REASON],
        &[(Global, "x")],
        "Close the open risk with its outcome",
    ),
    triage(
        "reopen",
        &[],
        &[],
        &[(Global, "X")],
        "Take the resolution back: the risk is open again",
    ),
    // Change.
    write(
        "note",
        On::Account,
        &[arg("TEXT", K::Text)],
        &[],
        &[(Global, "n")],
        "Write a note on the account's timeline",
    ),
    write(
        "log",
        On::Account,
        &[arg("TYPE", K::TouchKind), arg("TEXT", K::Text)],
        &[
            flag("date", K::PastDate, "when it was; today when left out"),
            flag(
                "contact",
                K::Contact,
                "with whom: name or e-mail of a contact",
            ),
        ],
        &[(Global, "L")],
        "Log a call, mail or meeting",
    ),
    write(
        "task new",
        On::Account,
        &[arg("TITLE", K::Text)],
        &[
            flag("due", K::Date, "by when"),
            flag("priority", K::Priority, "p1 (urgent) to p4"),
            flag("owner", K::Who, "whose; yours when left out"),
        ],
        &[(Global, "t")],
        "A new task for the account",
    ),
    write(
        "task done",
        On::Task,
        &[],
        &[],
        &[(Tasks, "d")],
        "Complete the task",
    ),
    write(
        "task move",
        On::Task,
        &[arg("DATE", K::Date)],
        &[],
        &[(Tasks, "m")],
        "Another due day",
    ),
    write(
        "task assign",
        On::Task,
        &[arg("WHO", K::Who)],
        &[],
        &[(Tasks, "o")],
        "Give the task to somebody",
    ),
    write(
        "task edit",
        On::Task,
        &[arg("FIELD", K::TaskField), arg("VALUE", K::Text)],
        &[],
        &[(Tasks, "i")],
        "Change one field of the task",
    ),
    write(
        "renewal stage",
        On::Renewal,
        &[arg("STAGE", K::Stage)],
        &[],
        &[(Global, "r s")],
        "Another stage",
    ),
    write(
        "renewal forecast",
        On::Renewal,
        &[arg("CATEGORY", K::Forecast)],
        &[],
        &[(Global, "r f"), (Renewals, "f")],
        "Another forecast category",
    ),
    write(
        "renewal amount",
        On::Renewal,
        &[arg("AMOUNT", K::Amount)],
        &[],
        &[(Global, "r a")],
        "Another amount",
    ),
    write(
        "renewal close",
        On::Renewal,
        &[arg("DATE", K::Date)],
        &[],
        &[(Global, "r c"), (Renewals, "m")],
        "Another close date",
    ),
    write(
        "owner",
        On::Account,
        &[arg("WHO", K::Who)],
        &[],
        &[(Global, "ctrl-o")],
        "Another customer success manager for the account",
    ),
    write(
        "tag",
        On::Account,
        &[arg("TAG", K::Tag)],
        &[],
        &[(Global, "+")],
        "Add (+) or remove (-) a tag",
    ),
    write(
        "sentiment",
        On::Account,
        &[arg("VALUE", K::Sentiment)],
        &[],
        &[(Global, "=")],
        "How it feels: good, watch or bad",
    ),
    irreversible(write(
        "account confirm",
        On::Account,
        &[],
        &[],
        &[(Account, "C")],
        "Yes, it is the same customer as the candidate shown: make them one",
    )),
    irreversible(write(
        "account merge",
        On::Account,
        &[arg("OTHER", K::Account)],
        &[],
        &[],
        "Another account is the same customer: make them one",
    )),
    irreversible(write(
        "account split",
        On::Account,
        &[arg("SOURCE", K::Source)],
        &[],
        &[],
        "That source's record is another customer: make it an account of its own",
    )),
    in_group(
        plain(
            Group::Write,
            "undo",
            &[],
            &[(Global, "u")],
            "Take the last action back: before it is sent, or by sending the inverse",
        ),
        Group::Write,
    ),
    plain(
        Group::Write,
        "redo",
        &[],
        &[(Global, "ctrl-r")],
        "Do again what was taken back",
    ),
    plain(
        Group::Write,
        "repeat",
        &[],
        &[(Global, ".")],
        "The last action again, on what is in focus",
    ),
    // Move.
    plain(
        Group::Move,
        "down",
        &[],
        &[(Global, "j"), (Global, "down")],
        "Next row",
    ),
    plain(
        Group::Move,
        "up",
        &[],
        &[(Global, "k"), (Global, "up")],
        "Previous row",
    ),
    plain(
        Group::Move,
        "left",
        &[],
        &[(Global, "h"), (Global, "left")],
        "To the left",
    ),
    plain(
        Group::Move,
        "right",
        &[],
        &[(Global, "l"), (Global, "right")],
        "To the right",
    ),
    plain(
        Group::Move,
        "half down",
        &[],
        &[(Global, "ctrl-d")],
        "Half a page down",
    ),
    plain(
        Group::Move,
        "half up",
        &[],
        &[(Global, "ctrl-u")],
        "Half a page up",
    ),
    plain(
        Group::Move,
        "page down",
        &[],
        &[(Global, "pagedown"), (Global, "ctrl-f")],
        "A page down",
    ),
    plain(
        Group::Move,
        "page up",
        &[],
        &[(Global, "pageup"), (Global, "ctrl-b")],
        "A page up",
    ),
    plain(
        Group::Move,
        "top",
        &[],
        &[(Global, "g g"), (Global, "home")],
        "First row",
    ),
    plain(
        Group::Move,
        "bottom",
        &[],
        &[(Global, "G"), (Global, "end")],
        "Last row",
    ),
    plain(
        Group::Move,
        "pane next",
        &[],
        &[(Global, "tab")],
        "Next pane",
    ),
    plain(
        Group::Move,
        "pane previous",
        &[],
        &[(Global, "shift-tab")],
        "Previous pane",
    ),
    plain(
        Group::Move,
        "back",
        &[],
        &[(Global, "esc")],
        "One step back",
    ),
    on(
        plain(
            Group::Move,
            "open",
            &[],
            &[(Global, "enter")],
            "The account page",
        ),
        On::Account,
    ),
    on(
        plain(
            Group::Move,
            "open web",
            &[],
            &[(Global, "O")],
            "The row in the vendor's own page, in the browser",
        ),
        On::Account,
    ),
    plain(
        Group::Move,
        "goto",
        &[arg("SCREEN", K::Screen)],
        &[],
        "Go to a screen: home, queue, renewals, segments, tasks, sync, metrics, or its number",
    ),
    plain(Group::Move, "goto home", &[], &[(Global, "0")], "Home"),
    plain(Group::Move, "goto queue", &[], &[(Global, "1")], "Queue"),
    plain(
        Group::Move,
        "goto renewals",
        &[],
        &[(Global, "2")],
        "Renewals",
    ),
    plain(
        Group::Move,
        "goto segments",
        &[],
        &[(Global, "3")],
        "Segments",
    ),
    plain(Group::Move, "goto tasks", &[], &[(Global, "4")], "Tasks"),
    plain(
        Group::Move,
        "goto sync",
        &[],
        &[(Global, "5")],
        "Sync and outbox",
    ),
    plain(
        Group::Move,
        "goto metrics",
        &[opt("PAGE", K::Page)],
        &[(Global, "6")],
        "Metrics, and one of its pages",
    ),
    plain(
        Group::Move,
        "page",
        &[arg("PAGE", K::Page)],
        &[],
        "A page of Metrics",
    ),
    plain(
        Group::Move,
        "page next",
        &[],
        &[(Metrics, "]")],
        "The next page of Metrics",
    ),
    plain(
        Group::Move,
        "page previous",
        &[],
        &[(Metrics, "[")],
        "The page of Metrics before",
    ),
    // View.
    plain(
        Group::View,
        "filter",
        &[opt("QUERY", K::Query)],
        &[(Global, "/")],
        "Show only the rows that match",
    ),
    plain(
        Group::View,
        "asof",
        &[arg("DATE", K::PastDate)],
        &[(Global, "@")],
        "Show queue, renewals and segments as they were known on an earlier day (-30d, 2026-11-03); `asof today` comes back",
    ),
    plain(
        Group::View,
        "sort",
        &[opt("COLUMN", K::Column)],
        &[(Global, "S")],
        "Sort by a column; -COLUMN downwards; without one the direction turns",
    ),
    plain(
        Group::View,
        "why",
        &[opt("FIGURE", K::Figure)],
        &[(Global, "w")],
        "Why it is so: definition, arithmetic, rows in and out, coverage, age, source",
    ),
    plain(
        Group::View,
        "whatif",
        &[arg("SIGNAL=VALUE", K::Move)],
        &[(Queue, "i"), (Account, "i")],
        "What would be if a signal moved, before and after: usage.trend=0, slip-commits; never written",
    ),
    plain(
        Group::View,
        "switch",
        &[arg("SWITCH", K::Switch), opt("VALUE", K::Word)],
        &[(Metrics, "f")],
        "Flip a switch of the page: another policy, another grouping",
    ),
    plain(
        Group::View,
        "mine",
        &[],
        &[(Global, "A")],
        "Mine or everybody's",
    ),
    plain(
        Group::View,
        "rebalance",
        &[opt("KEEP", K::Query)],
        &[(Segments, "b")],
        "Which accounts would best change hands so that nobody has more than fits; those that match stay",
    ),
    plain(
        Group::View,
        "asleep",
        &[],
        &[(Queue, "Z")],
        "Show or hide what is snoozed",
    ),
    plain(
        Group::View,
        "zoom",
        &[],
        &[(Global, "z")],
        "The pane at full size, or back",
    ),
    plain(
        Group::View,
        "mark",
        &[],
        &[(Global, "space")],
        "Mark the row",
    ),
    plain(
        Group::View,
        "mark range",
        &[],
        &[(Global, "V")],
        "Mark from here to where the cursor goes",
    ),
    plain(
        Group::View,
        "mark all",
        &[],
        &[(Global, "*")],
        "Mark every row that matches",
    ),
    plain(
        Group::View,
        "unmark",
        &[],
        &[(Global, "M")],
        "Remove all marks",
    ),
    plain(
        Group::View,
        "theme",
        &[opt("NAME", K::Theme)],
        &[(Global, "T")],
        "Another theme; the next one without a name",
    ),
    plain(
        Group::View,
        "redraw",
        &[],
        &[(Global, "ctrl-l")],
        "Draw everything anew",
    ),
    on(
        plain(
            Group::View,
            "yank",
            &[opt("FIELD", K::Field)],
            &[(Global, "y")],
            "Copy the name, or a field, to the clipboard",
        ),
        On::Account,
    ),
    plain(
        Group::View,
        "help",
        &[],
        &[(Global, "?")],
        "Help for what is in focus",
    ),
    plain(
        Group::View,
        "palette",
        &[],
        &[(Global, ":")],
        "Run any command by name",
    ),
    // Program.
    plain(
        Group::Program,
        "sync",
        &[opt("SOURCE", K::Source)],
        &[(Global, "R")],
        "Pull and push now",
    ),
    in_group(
        on(
            write(
                "retry",
                On::Outbox,
                &[opt("ID", K::Item)],
                &[],
                &[(Sync, "r")],
                "Send the outbox item again now",
            ),
            On::Outbox,
        ),
        Group::Program,
    ),
    irreversible(in_group(
        write(
            "drop",
            On::Outbox,
            &[opt("ID", K::Item)],
            &[],
            &[(Sync, "D")],
            "Give the outbox item up: what it wanted is forgotten",
        ),
        Group::Program,
    )),
    in_group(
        write(
            "conflict mine",
            On::Outbox,
            &[opt("ID", K::Item)],
            &[],
            &[(Sync, "K")],
            "Conflict: keep mine, overwrite theirs",
        ),
        Group::Program,
    ),
    in_group(
        write(
            "conflict theirs",
            On::Outbox,
            &[opt("ID", K::Item)],
            &[],
            &[(Sync, "T")],
            "Conflict: take theirs, forget mine",
        ),
        Group::Program,
    ),
    plain(
        Group::Program,
        "readonly",
        &[arg("on|off", K::OnOff), opt("SOURCE", K::Source)],
        &[],
        "Make every write impossible, or possible again: for one source or for all",
    ),
    plain(
        Group::Program,
        "suspend",
        &[],
        &[(Global, "ctrl-z")],
        "Stop; the shell's fg comes back",
    ),
    plain(
        Group::Program,
        "quit",
        &[],
        &[(Global, "q"), (Global, "ctrl-c")],
        "Send what waits and leave",
    ),
];

/// The command of that name.
pub fn find(name: &str) -> Option<&'static CommandSpec> {
    COMMANDS.iter().find(|c| c.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_only_the_last_argument_takes_the_rest() {
        for (i, c) in COMMANDS.iter().enumerate() {
            assert!(
                COMMANDS[i + 1..].iter().all(|d| d.name != c.name),
                "{} stands twice",
                c.name
            );
            for a in c.args.iter().rev().skip(1) {
                assert!(!a.kind.takes_rest(), "{}", c.name);
            }
            let mut optional = false;
            for a in c.args {
                assert!(
                    !optional || a.optional,
                    "{}: {} follows an optional one",
                    c.name,
                    a.name
                );
                optional |= a.optional;
            }
            assert!(!c.help.is_empty() && !c.help.ends_with('.'), "{}", c.name);
        }
    }
}
