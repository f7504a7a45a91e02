//! The figures of published and constructed fixtures, to the last digit, and what holds of any ledger.

use super::fixture::{Fixture, base};
use super::*;

const YEAR: (&str, &str) = ("2025-01-01", "2025-12-31");

fn rates(f: &Fixture, switches: &str) -> (Option<f64>, Option<f64>) {
    let r = f.report(switches, YEAR.0, YEAR.1);
    assert!(r.broken.is_empty(), "{switches}: {:?}", r.broken);
    (r.totals.gross(), r.totals.net())
}

#[test]
fn the_base_cohort_reads_from_74_to_85_percent_by_policy() {
    let f = base();
    for (switches, gross, net) in [
        ("", 0.849015317286652, 0.9343544857768052),
        ("netting=line", 0.8315098468271335, 0.9343544857768052),
        ("late=term_end", 0.8096280087527352, 0.8949671772428884),
        (
            "reactivation=churn_new",
            0.8052516411378556,
            0.8905908096280087,
        ),
        (
            "reactivation=bucket",
            0.8052516411378556,
            0.8905908096280087,
        ),
        ("price=exclude", 0.849015317286652, 0.9310722100656456),
        ("price=separate", 0.849015317286652, 0.9343544857768052),
        ("fx=reported", 0.8429978118161926, 0.9163019693654267),
        (
            "late=term_end reactivation=churn_new",
            0.7658643326039387,
            0.8512035010940919,
        ),
    ] {
        assert_eq!(rates(&f, switches), (Some(gross), Some(net)), "{switches}");
    }
    // The due base is the same under every policy but for what `late` decides.
    for switches in [
        "",
        "reactivation=churn_new",
        "price=exclude",
        "netting=account",
    ] {
        let t = f.report(switches, YEAR.0, YEAR.1).totals;
        assert_eq!(t.sum.due, 34_700_000, "{switches}");
        assert_eq!(t.renewal_gross(), Some(0.7435158501440923), "{switches}");
        assert_eq!(t.renewal_net(), Some(0.8515850144092219), "{switches}");
        assert_eq!((t.due_customers, t.due_lost), (7, 2), "{switches}");
    }
    // A5's fall of 8 shows when lines stand for themselves; A10 is lost when lateness is not forgiven.
    let lines = f.report("netting=line", YEAR.0, YEAR.1).totals;
    assert_eq!(lines.sum.due_kept, 25_000_000);
    let strict = f.report("late=term_end", YEAR.0, YEAR.1).totals;
    assert_eq!(
        (strict.sum.due, strict.sum.due_kept),
        (34_700_000, 24_000_000)
    );
}

#[test]
fn customers_lost_of_the_base_cohort() {
    let f = base();
    for (switches, lost) in [
        ("", 1),
        ("reactivation=churn_new", 2),
        ("late=term_end reactivation=churn_new", 3),
    ] {
        let t = f.report(switches, YEAR.0, YEAR.1).totals;
        assert_eq!((t.lost, t.customers), (lost, 9), "{switches}");
        assert_eq!(t.churn(), Some(lost as f64 / 9.0));
    }
}

#[test]
fn the_waterfall_of_the_base_cohort_ties_under_every_policy() {
    let f = base();
    let t = f.report("", YEAR.0, YEAR.1).totals.sum;
    assert_eq!(
        (
            t.opening,
            t.new,
            t.expansion,
            t.contraction,
            t.churn,
            t.closing
        ),
        (
            45_700_000, 3_600_000, 3_900_000, 1_900_000, 5_000_000, 46_300_000
        )
    );
    assert_eq!((t.price, t.fx, t.reactivation, t.check()), (0, 0, 0, 0));
    let t = f.report("fx=reported", YEAR.0, YEAR.1).totals.sum;
    assert_eq!((t.fx, t.expansion, t.check()), (-825_000, 3_900_000, 0));
    let t = f.report("price=separate", YEAR.0, YEAR.1).totals.sum;
    assert_eq!(
        (t.price, t.expansion, t.closing),
        (150_000, 3_750_000, 46_300_000)
    );
    let t = f.report("reactivation=bucket", YEAR.0, YEAR.1).totals.sum;
    assert_eq!(
        (t.reactivation, t.churn, t.contraction),
        (2_000_000, 7_400_000, 1_500_000)
    );
    let t = f
        .report("reactivation=churn_new", YEAR.0, YEAR.1)
        .totals
        .sum;
    assert_eq!((t.reactivation, t.new), (0, 5_600_000));
    let t = f.report("netting=line", YEAR.0, YEAR.1).totals.sum;
    assert_eq!((t.expansion, t.contraction), (4_700_000, 2_700_000));
    for switches in [
        "cap=losses",
        "cap=losses netting=line price=exclude",
        "early=signing",
    ] {
        let r = f.report(switches, YEAR.0, YEAR.1);
        assert_eq!(r.totals.sum.check(), 0, "{switches}");
        assert!(r.broken.is_empty());
    }
}

#[test]
fn a_quarter_may_bucket_a_line_that_comes_back_differently_from_the_year() {
    let f = base();
    let second = f.report("", "2025-04-01", "2025-06-30").totals.sum;
    assert_eq!((second.churn, second.contraction), (2_400_000, 0));
    let third = f.report("", "2025-07-01", "2025-09-30").totals.sum;
    assert_eq!((third.reactivation, third.new), (2_000_000, 0));
    // What one quarter closes with the next one opens with, whatever the policy.
    for switches in [
        "",
        "late=term_end",
        "late=grace:10d netting=line",
        "early=signing",
    ] {
        let quarters = [
            ("2025-01-01", "2025-03-31"),
            ("2025-04-01", "2025-06-30"),
            ("2025-07-01", "2025-09-30"),
            ("2025-10-01", "2025-12-31"),
        ];
        let sums: Vec<Cell> = (quarters.iter())
            .map(|(from, to)| f.report(&format!("{switches} fx=plan fx=constant"), from, to))
            .map(|r| r.totals.sum)
            .collect();
        for pair in sums.windows(2) {
            assert_eq!(pair[0].closing, pair[1].opening, "{switches}");
        }
    }
}

#[test]
fn a_credit_line_is_netted_into_its_account_before_the_cap() {
    let mut f = Fixture::default();
    for row in [
        "C,L1,new,2024-01-01,,50000",
        "C,L1,amendment,2025-03-01,,46500",
        "C,L2,new,2024-01-01,,41200",
        "C,L2,amendment,2025-05-01,,39200",
        "C,Credit,new,2024-01-01,2025-06-30,-1200",
    ] {
        f.sold(row);
    }
    let (gross, net) = rates(&f, "");
    assert_eq!(
        (gross, net),
        (Some(85_700.0 / 90_000.0), Some(85_700.0 / 90_000.0))
    );
    assert_eq!((gross.unwrap() * 10_000.0).round() / 100.0, 95.22);
    // Line by line the credit stands with the largest line.
    assert_eq!(rates(&f, "netting=line").1, net);
    // 120,000 − 8,000 − 6,000.
    let mut f = Fixture::default();
    for row in [
        "A,L,new,2024-01-01,,112000",
        "A,L,amendment,2025-03-01,,106000",
        "B,L,new,2024-01-01,2025-06-30,8000",
    ] {
        f.sold(row);
    }
    let gross = rates(&f, "").0.unwrap();
    assert_eq!((gross * 10_000.0).round() / 100.0, 88.33);
}

#[test]
fn a_renewal_rate_looks_at_what_was_due_and_retention_at_everything() {
    let mut f = Fixture::default();
    for row in [
        "Rest,L,new,2024-01-01,2027-12-31,750000",
        "Due,L1,new,2024-01-01,2025-02-28,200000",
        "Due,L1,renewal,2025-03-01,2026-02-28,200000",
        "Gone,L,new,2024-01-01,2025-02-14,50000",
    ] {
        f.sold(row);
    }
    let t = f.report("", "2025-01-01", "2025-03-31").totals;
    assert_eq!((t.renewal_gross(), t.gross()), (Some(0.8), Some(0.95)));
    let t = f.report("denominator=due", "2025-01-01", "2025-03-31");
    assert_eq!(t.totals.renewal_gross(), Some(0.8));
}

#[test]
fn a_late_renewal_is_a_windfall_where_lateness_is_not_forgiven() {
    let mut f = Fixture::default();
    for row in [
        "Jan,L,new,2024-02-01,2025-01-31,100",
        "Jan,L,renewal,2025-02-01,2026-01-31,100,USD,2025-02-20",
        "Feb,L,new,2024-03-01,2025-02-28,100",
        "Feb,L,renewal,2025-03-01,2026-02-28,100,USD,2025-02-20",
    ] {
        f.sold(row);
    }
    let rate = |from, to| {
        let t = f.report("late=term_end", from, to).totals;
        (t.renewal_gross(), t.windfalls)
    };
    assert_eq!(rate("2025-01-01", "2025-01-31"), (Some(0.0), 0));
    assert_eq!(rate("2025-02-01", "2025-02-28"), (Some(2.0), 1));
    assert_eq!(rate("2025-01-01", "2025-03-31"), (Some(1.0), 1));
    // Forgiven, both months have their own.
    let t = f.report("", "2025-01-01", "2025-01-31").totals;
    assert_eq!((t.renewal_gross(), t.windfalls), (Some(1.0), 0));
}

#[test]
fn escalators_and_amendments_make_nothing_due_and_an_early_renewal_stays_in_its_period() {
    let mut f = Fixture::default();
    for row in [
        "A,L,new,2024-01-01,2026-06-30,100",
        "A,L,escalator,2025-01-01,2026-06-30,105",
        "A,L,ramp,2025-07-01,2026-06-30,150",
        "B,L,new,2024-03-01,2025-02-28,100",
        "B,L,renewal,2025-03-01,2026-02-28,110,USD,2024-12-15",
    ] {
        f.sold(row);
    }
    let t = f.report("", "2025-01-01", "2025-12-31").totals;
    assert_eq!((t.sum.due, t.sum.due_renewed), (10_000, 11_000));
    // Signed in the fourth quarter: the rise counts from the new term, or from the signature on.
    let rise = |switches, from, to| f.report(switches, from, to).totals.sum.expansion;
    assert_eq!(rise("", "2024-10-01", "2024-12-31"), 0);
    assert_eq!(rise("early=signing", "2024-10-01", "2024-12-31"), 1_000);
    assert_eq!(rise("early=signing", "2025-01-01", "2025-03-31"), 500);
    let due = |from, to| f.report("early=signing", from, to).totals.sum.due;
    assert_eq!(
        (
            due("2024-10-01", "2024-12-31"),
            due("2025-01-01", "2025-03-31")
        ),
        (0, 10_000 + 1_000)
    );
}

#[test]
fn no_cohort_is_no_answer_and_missing_columns_are_said() {
    let f = base();
    let r = f.report("", "2020-01-01", "2020-12-31");
    assert_eq!(
        (r.totals.gross(), r.totals.net(), r.totals.churn()),
        (None, None, None)
    );
    assert_eq!(r.totals.renewal_gross(), None);
    for (switches, column) in [
        ("fx=plan", "plan"),
        ("one_off=include", "recurring"),
        ("unit=contract", "contract"),
    ] {
        let r = f.report(switches, YEAR.0, YEAR.1);
        assert!(
            r.unavailable.is_some_and(|w| w.contains(column)),
            "{switches}"
        );
    }
    assert_eq!(f.report("late=hold", YEAR.0, YEAR.1).unavailable, None);
    let mut f = Fixture::default();
    f.sold("A,L,new,2024-01-01,2025-03-31,100");
    assert!(f.report("late=hold", YEAR.0, YEAR.1).unavailable.is_some());
}

#[test]
fn a_hold_ends_with_a_signature_or_a_notice() {
    let mut f = Fixture::default();
    f.sold("Held,L,new,2024-01-01,2025-03-31,100");
    f.sold("Signed,L,new,2024-01-01,2025-03-31,100");
    f.sold("Signed,L,renewal,2025-04-01,2026-03-31,90,USD,2025-11-30");
    f.sold("Left,L,new,2024-01-01,2025-03-31,100").cancelled = fixture::day("2025-02-01");
    let t = f.report("late=hold", YEAR.0, YEAR.1).totals;
    assert_eq!((t.sum.opening, t.sum.kept, t.lost), (30_000, 19_000, 1));
    assert_eq!((t.sum.due, t.sum.due_kept, t.pending), (30_000, 19_000, 1));
}

#[test]
fn grace_looks_past_the_window_and_a_term_inside_it_is_held() {
    // Ends 20 days before the last day that is known: still inside its grace. Ends 61 days before: over.
    let mut f = Fixture::default();
    f.sold("In,L,new,2024-01-01,2026-11-06,100");
    f.sold("Out,L,new,2024-01-01,2026-09-26,100");
    let t = f.report("", "2025-11-27", "2026-11-26").totals;
    assert_eq!((t.sum.kept, t.lost, t.pending), (10_000, 1, 1));
    // The gap is counted in days strictly between: 60 are forgiven, 61 are not.
    let mut f = Fixture::default();
    f.sold("In,L,new,2024-01-01,2025-01-31,100");
    f.sold("In,L,renewal,2025-04-02,,100");
    f.sold("Out,L,new,2024-01-01,2025-01-31,100");
    f.sold("Out,L,renewal,2025-04-03,,100");
    let t = f.report("reactivation=churn_new", YEAR.0, YEAR.1).totals;
    assert_eq!((t.sum.kept, t.lost), (10_000, 1));
    assert_eq!((t.sum.due, t.sum.due_kept), (20_000, 10_000));
}

#[test]
fn every_fall_counts_where_losses_are_summed() {
    let mut f = Fixture::default();
    for row in [
        "A,L,new,2024-01-01,,100",
        "A,L,amendment,2025-03-01,,90",
        "A,L,amendment,2025-09-01,,105",
    ] {
        f.sold(row);
    }
    assert_eq!(rates(&f, ""), (Some(1.0), Some(1.05)));
    assert_eq!(rates(&f, "cap=losses"), (Some(0.9), Some(1.05)));
    let t = f.report("cap=losses", YEAR.0, YEAR.1).totals.sum;
    assert_eq!((t.expansion, t.contraction), (1_500, 1_000));
    // What exchange takes is no loss.
    assert_eq!(
        rates(&base(), "cap=losses fx=reported").0,
        Some(0.849015317286652)
    );
}

#[test]
fn a_plan_rate_converts_both_ends() {
    let mut f = base();
    f.rate("2024-06-01", "EUR", 2.0, "plan");
    let t = f.report("fx=plan", YEAR.0, YEAR.1).totals.sum;
    assert_eq!((t.opening, t.closing, t.fx), (50_200_000, 51_250_000, 0));
}

#[test]
fn one_off_sales_count_only_when_asked_for() {
    let mut f = Fixture::default();
    f.sold("A,L,new,2024-01-01,,100");
    f.sold("A,Setup,new,2024-12-01,2025-02-28,40").recurring = Some(false);
    assert_eq!(rates(&f, "").0, Some(1.0));
    assert_eq!(rates(&f, "one_off=include").0, Some(100.0 / 140.0));
}

#[test]
fn a_customer_is_an_account_a_parent_or_a_contract() {
    let mut f = Fixture::default();
    let parent = f.account("Group").id;
    f.account("North").parent = Some(parent);
    f.account("South").parent = Some(parent);
    for (row, contract) in [
        ("North,L,new,2024-01-01,2025-03-31,100", "C1"),
        ("South,L,new,2024-01-01,,50", "C2"),
        ("South,M,new,2025-02-01,,30", "C3"),
        ("Group,L,new,2025-05-01,,20", "C4"),
    ] {
        f.sold(row).contract = Some(contract.into());
    }
    let t = |switches| f.report(switches, YEAR.0, YEAR.1).totals;
    let account = t("");
    assert_eq!((account.customers, account.lost), (2, 1));
    assert_eq!(
        (account.sum.new, account.sum.expansion, account.sum.churn),
        (2_000, 3_000, 10_000)
    );
    let parent = t("unit=parent");
    assert_eq!((parent.customers, parent.lost), (1, 0));
    assert_eq!((parent.sum.new, parent.sum.expansion), (0, 5_000));
    assert_eq!((parent.sum.churn, parent.sum.contraction), (0, 10_000));
    let contract = t("unit=contract");
    assert_eq!((contract.customers, contract.lost), (2, 1));
    assert_eq!((contract.sum.new, contract.sum.expansion), (5_000, 0));
    for c in [account, parent, contract] {
        assert_eq!((c.sum.check(), c.sum.closing), (0, 10_000));
    }
}

#[test]
fn groups_add_up_to_the_total() {
    let mut f = base();
    for (i, name) in ["A1", "A2", "A3", "A4", "A5", "A6"].into_iter().enumerate() {
        f.account(name).segment = Some(["smb", "enterprise"][i % 2].into());
        f.csm(name, ["Dana", "Omar", "Lee"][i % 3]);
    }
    for by in By::ALL {
        let r = f.grouped("", YEAR.0, YEAR.1, Some(by));
        let mut sum = Cell::default();
        let (mut customers, mut lost) = (0, 0);
        for g in &r.grouped[0].groups {
            let mut all = Totals::default();
            all.add(&sum);
            all.add(&g.totals.sum);
            sum = all.sum;
            customers += g.totals.customers;
            lost += g.totals.lost;
        }
        assert_eq!(sum, r.totals.sum, "{by:?}");
        assert_eq!((customers, lost), (r.totals.customers, r.totals.lost));
    }
    let r = f.grouped("", YEAR.0, YEAR.1, Some(By::Segment));
    let keys: Vec<&str> = r.grouped[0].groups.iter().map(|g| g.key.as_str()).collect();
    assert_eq!(keys, ["smb", "enterprise", "(none)"]);
    assert_eq!(
        r.grouped[0].groups[0].totals.gross(),
        Some((100.0 + 45.0 + 40.0) / 200.0)
    );
    let r = f.grouped("", YEAR.0, YEAR.1, Some(By::Cohort));
    assert_eq!(r.grouped[0].groups[0].key, "2024 Q1");
    // By product the lines of a product are netted.
    let r = f.grouped("", YEAR.0, YEAR.1, Some(By::Product));
    assert_eq!(r.policy.value("netting"), "product");
}

#[test]
fn a_ramp_steps_on_its_days_and_a_coterminous_addition_counts_a_whole_year() {
    let mut f = Fixture::default();
    // Three years of one, two and three millions, sold in one contract: never its sum.
    for row in [
        "Ramp,L,new,2024-01-01,2026-12-31,1000000",
        "Ramp,L,ramp,2025-01-01,2026-12-31,2000000",
        "Ramp,L,ramp,2026-01-01,2026-12-31,3000000",
        "Add,L,new,2025-01-01,2025-12-31,50000",
        "Add,More,new,2025-04-15,2025-12-31,12000",
    ] {
        f.sold(row);
    }
    let t = f.report("", "2025-01-01", "2025-12-31").totals.sum;
    assert_eq!((t.opening, t.closing), (100_000_000, 206_200_000));
    assert_eq!((t.expansion, t.new), (100_000_000, 6_200_000));
    // 261 days are billed, a year is counted.
    let days = crate::book::day::days(fixture::day("2025-12-31").unwrap())
        - crate::book::day::days(fixture::day("2025-04-15").unwrap());
    assert_eq!(days + 1, 261);
}

#[test]
fn amounts_beyond_all_measure_are_listed_and_do_not_break_the_sums() {
    let mut f = Fixture::default();
    for i in 0..3 {
        f.sold(&format!(
            "Big{i},L,new,2024-01-01,2025-06-30,92000000000000000"
        ));
        f.sold(&format!(
            "Large{i},L,new,2024-01-01,2025-06-30,80000000000000"
        ));
    }
    f.sold("A,L,new,2024-01-01,,100");
    let r = f.report("", "2025-01-01", "2025-12-31");
    assert_eq!(r.excluded.count, 3);
    assert_eq!(r.excluded.list[0].row, "Big0");
    assert_eq!(
        (r.totals.customers, r.totals.lost, r.totals.sum.check()),
        (4, 3, 0)
    );
}

#[test]
fn a_churn_is_of_the_day_after_the_last_paid_one_whenever_notice_was_given() {
    let mut f = Fixture::default();
    f.sold("A,L,new,2024-01-01,2025-06-30,100").cancelled = fixture::day("2025-02-01");
    f.sold("B,L,new,2024-01-01,,100");
    let churn = |from, to| f.report("", from, to).totals.sum.churn;
    assert_eq!(churn("2025-02-01", "2025-06-30"), 0);
    assert_eq!(churn("2025-07-01", "2025-07-01"), 10_000);
    // With notice given there is nothing to wait for: no grace.
    let mut f = Fixture::default();
    f.sold("A,L,new,2024-01-01,2026-11-20,100").cancelled = fixture::day("2026-06-01");
    assert_eq!(f.report("", "2026-01-01", "2026-11-26").totals.lost, 1);
}

#[test]
fn windows_are_a_range_twelve_months_or_fiscal_and_to_date() {
    use jiff::civil::date;
    let at = |window: &str, from, to| {
        let mut policy = Policy::default();
        policy.set("window", window).unwrap();
        let february = crate::book::Calendar {
            fiscal_month: 2,
            ..Default::default()
        };
        super::window(&policy, from, to, fixture::TODAY, &february)
    };
    let today = fixture::TODAY;
    assert_eq!(at("range", None, None), Ok((date(2025, 11, 27), today)));
    assert_eq!(
        at("ttm", None, Some(date(2025, 12, 31))),
        Ok((date(2025, 1, 1), date(2025, 12, 31)))
    );
    // A leap day has no twelve months before it that begin on one.
    assert_eq!(
        at("ttm", None, Some(date(2024, 2, 29))),
        Ok((date(2023, 3, 1), date(2024, 2, 29)))
    );
    assert_eq!(at("year", None, None), Ok((date(2026, 2, 1), today)));
    assert_eq!(at("quarter", None, None), Ok((date(2026, 11, 1), today)));
    assert!(at("year", Some(today), None).is_err());
    assert!(at("range", Some(today), Some(date(2020, 1, 1))).is_err());
}
