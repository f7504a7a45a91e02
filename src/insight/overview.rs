//! The first page of the Metrics screen: the header's figures with their targets.

use super::page::{Block, Figure, Input, Page, Value, Why};
use super::{Coverage, header};

/// The page.
pub fn page(input: &Input<'_>) -> Page {
    let h = header(input.book, input.derived, input.today, input.mine);
    let figure = |name, label: &str, value, coverage: Coverage| {
        let why = Why {
            rows_in: coverage.known,
            rows_out: coverage.of - coverage.known,
            coverage,
            ..Why::default()
        };
        Figure::new(name, label, value, why)
    };
    Page {
        name: "overview",
        title: "Overview",
        blocks: vec![Block::Figures {
            title: "The book today".into(),
            figures: vec![
                figure("arr", "ARR", Value::Money(h.arr), h.arr_coverage),
                figure(
                    "at_risk",
                    "at risk",
                    Value::Money(h.at_risk),
                    h.at_risk_coverage,
                ),
                figure("due_90d", "due 90d", Value::Money(h.due), h.due_coverage),
                figure(
                    "coverage",
                    "health known",
                    Value::ratio(h.health_coverage.share(), "there is no account"),
                    h.health_coverage,
                ),
            ],
        }],
        ..Page::default()
    }
}
