//! The page: time to value, milestones, and the board of those who are under way.

use super::board::Board;
use super::journey::{Journey, journey};
use super::reached::{FIRST, FULL, Reached, by_segment};
use crate::book::Day;
use crate::insight::page::{Block, Figure, Input, Page, Value};

/// The page.
pub fn page(input: &Input<'_>) -> Page {
    let settings = &input.settings.onboarding;
    let today = Day::of(Some(input.today));
    let mut all: Vec<Journey<'_>> = input
        .book
        .accounts()
        .filter(|a| input.mine.is_none() || a.csm_id() == input.mine)
        .map(|a| journey(a, today, settings))
        .collect();
    let first = Reached::of(&all, &FIRST, today, settings);
    let full = Reached::of(&all, &FULL, today, settings);
    let segments = by_segment(&all, today, settings);
    all.retain(|j| j.under_way || j.milestones.iter().any(|m| m.task.is_open()));
    let board = Board {
        journeys: all,
        today,
        settings,
    };
    let (count, arr) = board.sums();
    let (late, on_time) = board.milestones();
    let mut page = Page {
        name: "onboarding",
        title: "Onboarding",
        badge: format!(
            "customers of the last {} d · first value within {} d",
            settings.cohort_days, settings.first_value_days
        ),
        ..Page::default()
    };
    let (to_first, to_full) = (first.figure(settings), full.figure(settings));
    page.sentence = sentence(&to_first, &count, &late);
    page.blocks.push(Block::Figures {
        title: "Time to value, and who is under way".into(),
        figures: vec![to_first, to_full, count, arr, late, on_time],
    });
    page.blocks.extend(first.within());
    page.blocks.push(segments);
    page.blocks.push(board.table());
    page
}

fn sentence(first: &Figure, count: &Figure, late: &Figure) -> String {
    let under_way = count.value.number().unwrap_or(0.0);
    let late = late.value.number().unwrap_or(0.0);
    let s = if late == 1.0 { "" } else { "s" };
    let value = match (&first.value, first.value.number()) {
        (_, Some(days)) => {
            format!("Half of the customers have their first value after {days:.0} days")
        }
        (Value::None(why), _) => format!("Time to first value is not known: {why}"),
        _ => "Time to first value is not known".into(),
    };
    format!("{value}; {under_way:.0} are being onboarded, {late:.0} milestone{s} late.")
}
