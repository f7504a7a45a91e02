//! What our own people do, read from the role or job title that a system gives.

/// What somebody of ours does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks after customers.
    Csm,
    /// Runs the systems and processes of customer success.
    CsOps,
    /// Leads people.
    Leader,
    /// Sells.
    Seller,
}

/// Words of a title and what they mean, the first that is found counts: `Director, CS Operations` is operations, `Head of CSM` leads, and
/// a `Lead CSM` is a CSM. A blank is where a word begins or ends.
const WORDS: &[(Role, &[&str])] = &[
    (
        Role::CsOps,
        &[
            " cs ops",
            " csops",
            "success operations",
            "success ops",
            " cs operations",
        ],
    ),
    (
        Role::Leader,
        &[
            " vp ",
            " svp ",
            " cco ",
            "vice president",
            "head of",
            "director",
            "chief",
            "team lead",
        ],
    ),
    (Role::Csm, &["csm", "success manager", "success engineer"]),
    (Role::Leader, &[" lead"]),
    (
        Role::Seller,
        &["account exec", "account manager", "sales", "seller"],
    ),
    (Role::Csm, &["success"]),
];

impl Role {
    /// What a role or title means; none for words that say nothing of it.
    pub fn of(title: &str) -> Option<Role> {
        let letters = |c: char| if c.is_alphanumeric() { c } else { ' ' };
        let words = title
            .to_lowercase()
            .chars()
            .map(letters)
            .collect::<String>();
        let title = format!(" {words} ");
        WORDS
            .iter()
            .find(|(_, words)| words.iter().any(|w| title.contains(w)))
            .map(|(role, _)| *role)
    }
    /// The canonical word.
    pub fn name(self) -> &'static str {
        match self {
            Role::Csm => "csm",
            Role::CsOps => "cs_ops",
            Role::Leader => "leader",
            Role::Seller => "seller",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_say_who_looks_after_customers_and_who_leads() {
        for (title, role) in [
            ("Senior Customer Success Manager", Some(Role::Csm)),
            ("CSM", Some(Role::Csm)),
            ("Lead CSM", Some(Role::Csm)),
            ("Customer Success", Some(Role::Csm)),
            ("VP Customer Success", Some(Role::Leader)),
            ("Head of CSM", Some(Role::Leader)),
            (
                "Director of Customer Success Management",
                Some(Role::Leader),
            ),
            ("leader", Some(Role::Leader)),
            ("cs_ops", Some(Role::CsOps)),
            ("CS Operations Manager", Some(Role::CsOps)),
            ("Customer Success Operations", Some(Role::CsOps)),
            ("Director, CS Operations", Some(Role::CsOps)),
            ("Account Executive", Some(Role::Seller)),
            ("Support Engineer", None),
            ("Accounting", None),
            ("VP, Customer Success", Some(Role::Leader)),
            ("", None),
        ] {
            assert_eq!(Role::of(title), role, "{title}");
        }
        for role in [Role::Csm, Role::CsOps, Role::Leader, Role::Seller] {
            assert_eq!(Role::of(role.name()), Some(role));
        }
    }
}
