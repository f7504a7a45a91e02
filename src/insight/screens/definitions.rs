//! The definitions of the figures that only the panes of the screens show.

use crate::insight::Definition;

const fn define(
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    note: &'static str,
) -> Definition {
    Definition {
        name,
        title,
        formula,
        note,
    }
}

/// Them all.
pub const DEFINITIONS: &[Definition] = &[
    define(
        "accounts",
        "Accounts",
        "accounts of the book, or of the group, that are not deleted",
        "accounts that were merged count once",
    ),
    define(
        "in_queue",
        "Accounts in the queue",
        "accounts above the threshold of loss or with an open risk, not snoozed, and not resolved since their reasons last changed",
        "the threshold stands under [risk] in the configuration",
    ),
    define(
        "due_safe",
        "Safe share of what is due",
        "amount due within 90 days whose account is neither above the threshold of loss nor has an open risk, divided by all that is due within 90 days",
        "amounts that are missing or have no rate are left out of both",
    ),
    define(
        "dates_known",
        "Decision dates known",
        "accounts with a notice deadline or renewal day, divided by all accounts",
        "without one an account counts as close to its decision",
    ),
    define(
        "tasks_open",
        "Open tasks",
        "tasks that are not completed",
        "everybody's, or those that you own",
    ),
    define(
        "tasks_overdue",
        "Overdue tasks",
        "open tasks that were due before today",
        "today in the calendar's time zone",
    ),
    define(
        "tasks_today",
        "Tasks due today",
        "open tasks whose due day is today",
        "",
    ),
    define(
        "tasks_week",
        "Tasks due this week",
        "open tasks due after today, up to the last day of the week",
        "the week begins as [calendar] says",
    ),
    define(
        "tasks_later",
        "Tasks due later",
        "open tasks due after this week",
        "",
    ),
    define(
        "tasks_undated",
        "Tasks without a day",
        "open tasks that have no due day",
        "they are never overdue",
    ),
    define(
        "tasks_done",
        "Completed lately",
        "tasks completed within the last seven days, today included",
        "by the day on which the source says that they were completed",
    ),
    define(
        "tasks_oldest",
        "The oldest overdue task",
        "days since the earliest due day among the overdue tasks",
        "",
    ),
    define(
        "decide",
        "Days to the decision",
        "the notice deadline while it lies ahead, else the renewal day, less today",
        "negative: the day is past",
    ),
    define(
        "renewal_days",
        "Days to the renewal",
        "the day on which the renewal is due, less today",
        "negative: the day is past",
    ),
    define(
        "notice_days",
        "Days to the notice deadline",
        "the last day on which the customer can give notice, less today",
        "from the source, else the renewal day less the notice period where one is known",
    ),
    define(
        "health",
        "Health",
        "the account's health score, 0 to 100",
        "from the system that has precedence for it",
    ),
    define(
        "health_mean",
        "Mean health",
        "sum of the health scores of the group's accounts, divided by how many have one",
        "every account weighs the same",
    ),
    define(
        "tickets_open",
        "Open tickets",
        "tickets of the account that are not closed",
        "",
    ),
    define(
        "tickets_urgent",
        "Urgent tickets",
        "open tickets with urgent priority or escalated",
        "",
    ),
    define(
        "nps_last",
        "Last NPS answer",
        "the newest answer of the account to the question whether they would recommend you, 0 to 10",
        "9 and 10 promote, 0 to 6 detract (Reichheld, 2003)",
    ),
    define(
        "last_touch",
        "Last touch",
        "the day of the newest touchpoint with the account, less today",
        "calls, mails and meetings that a source or csops has logged",
    ),
    define(
        "renewals_amount",
        "Renewal amount",
        "sum of the amounts expected, where missing of what is up for renewal, in the reporting currency",
        "amounts that are missing or have no rate are left out and counted",
    ),
    define(
        "csms",
        "CSMs",
        "people who are the CSM of at least one account",
        "",
    ),
    define(
        "cs_ops",
        "CS Ops",
        "active people whose role speaks of CS Ops",
        "from the roles that the sources give",
    ),
    define(
        "data_age",
        "Age of the data",
        "now less the oldest of the sources' last complete pulls",
        "a pull is complete when every stream of the source went through",
    ),
    define(
        "source_age",
        "Time since the last pull",
        "now less the end of the last run in which it went through",
        "of a source: in which every one of its streams did",
    ),
    define(
        "source_rows",
        "Rows held",
        "records of the source that are kept here",
        "deleted ones do not count",
    ),
    define(
        "source_changed",
        "Rows changed",
        "records that the last run found new, changed or gone",
        "",
    ),
    define(
        "source_refused",
        "Rows refused",
        "records that could not be taken, with their reasons in the log",
        "the rest of the stream is taken",
    ),
    define(
        "source_requests",
        "Requests today",
        "requests that csops made to the source today",
        "counted by csops itself; what others use of the vendor's limit is shown where the vendor says it",
    ),
    define(
        "source_requests_run",
        "Requests of the last run",
        "requests that the last run of the stream made",
        "",
    ),
    define(
        "source_next",
        "Next run",
        "time until the next planned run",
        "by the schedule of the source; after a failure later",
    ),
    define(
        "outbox_waiting",
        "Waiting or under way",
        "writes that wait for their grace or their next attempt, or are being sent",
        "",
    ),
    define(
        "outbox_unknown",
        "Unknown",
        "writes whose answer was lost: the vendor is asked before anything is sent again",
        "",
    ),
    define(
        "outbox_failed",
        "Refused",
        "writes that the vendor refused",
        "kept with their value until you retry or give up",
    ),
    define(
        "outbox_conflict",
        "In conflict",
        "writes where the vendor's value differs from what we started from and from what we want",
        "",
    ),
    define(
        "outbox_done",
        "Arrived",
        "writes that the vendor has taken",
        "the newest of them",
    ),
];
