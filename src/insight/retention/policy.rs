//! The conventions of a retention figure as switches: published definitions differ in each of them, so each figure names its own.

use crate::book::nearest::nearest;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant),* }
        impl $name {
            /// Its word in the configuration, on the command line and in JSON.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }
            fn parse(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)* _ => None }
            }
        }
    };
}

words!(
    /// From when to when.
    Window {
        /// From one day to another; without them the trailing twelve months.
        #[default] Range = "range",
        /// The trailing twelve months.
        Ttm = "ttm",
        /// The fiscal year to date.
        Year = "year",
        /// The fiscal quarter to date.
        Quarter = "quarter",
    }
);
words!(
    /// What a rate is a share of.
    Denominator {
        /// All ARR at the opening: retention.
        #[default] Opening = "opening",
        /// Only what was due for renewal: renewal rate.
        Due = "due",
    }
);
words!(
    /// Within what a rise hides a fall.
    Netting {
        /// An account's lines are taken together.
        #[default] Account = "account",
        /// Each subscription line stands for itself.
        Line = "line",
        /// Lines of one product are taken together.
        Product = "product",
    }
);
words!(
    /// How gross retention leaves rises out.
    Cap {
        /// At most the opening counts, per unit that the netting names.
        #[default] Account = "account",
        /// Every fall in the window counts.
        Losses = "losses",
    }
);
words!(
    /// When a renewal counts that was signed before the term ended.
    Early {
        /// From the new term's start.
        #[default] Due = "due",
        /// From the day on which it was signed.
        Signing = "signing",
    }
);
words!(
    /// What a rise of the price that was agreed beforehand is.
    Price {
        /// Expansion.
        #[default] Include = "include",
        /// A step of its own in the waterfall; net retention has it.
        Separate = "separate",
        /// A step of its own in the waterfall; net retention does not have it.
        Exclude = "exclude",
    }
);
words!(
    /// At what rates of exchange.
    FxMode {
        /// Both ends at the opening's rate.
        #[default] Constant = "constant",
        /// Both ends at the plan's rate.
        Plan = "plan",
        /// Each end at its own day's rate; the difference is a step of its own in the waterfall.
        Reported = "reported",
    }
);
words!(
    /// What becomes of services and other sales that do not come again.
    OneOff {
        /// They are no ARR.
        #[default] Exclude = "exclude",
        /// They count while they run.
        Include = "include",
    }
);
words!(
    /// What a customer is, for counting them and for telling new from more.
    Unit {
        /// The account without a parent, its children with it.
        Parent = "parent",
        /// The account.
        #[default] Account = "account",
        /// The contract.
        Contract = "contract",
    }
);

/// What becomes of a term that ended without a successor in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Late {
    /// Renewed if the successor is signed within so many days, churned on the day after its end otherwise.
    Grace(u16),
    /// Churned on the day after its end.
    TermEnd,
    /// Kept until a successor is signed or notice is known.
    Hold,
}

impl Default for Late {
    fn default() -> Self {
        Late::Grace(60)
    }
}

/// What a line is that comes back after a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reactivation {
    /// Never gone, if it is back within so many days and within the window; otherwise as `Bucket`.
    Ignore(u16),
    /// Churned, then new.
    ChurnNew,
    /// Churned, then a step of its own in the waterfall.
    Bucket,
}

impl Default for Reactivation {
    fn default() -> Self {
        Reactivation::Ignore(90)
    }
}

/// A set of conventions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Policy {
    /// From when to when.
    pub window: Window,
    /// What a rate is a share of.
    pub denominator: Denominator,
    /// Within what a rise hides a fall.
    pub netting: Netting,
    /// How gross retention leaves rises out.
    pub cap: Cap,
    /// Terms that ended without a successor in time.
    pub late: Late,
    /// Renewals signed before the term ended.
    pub early: Early,
    /// Lines that come back.
    pub reactivation: Reactivation,
    /// Rises of the price that were agreed beforehand.
    pub price: Price,
    /// Rates of exchange.
    pub fx: FxMode,
    /// Sales that do not come again.
    pub one_off: OneOff,
    /// What a customer is.
    pub unit: Unit,
}

/// A switch: its name, what people call it, its values (one with a number of days as `grace:60d`), what it decides.
#[derive(Clone, Copy, Debug)]
pub struct SwitchSpec {
    /// Its name.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Its values, the usual one first.
    pub values: &'static [&'static str],
}

/// All switches, in the order in which they are shown.
pub const SWITCHES: &[SwitchSpec] = &[
    SwitchSpec {
        name: "window",
        title: "window",
        values: &["range", "ttm", "year", "quarter"],
    },
    SwitchSpec {
        name: "denominator",
        title: "share of",
        values: &["opening", "due"],
    },
    SwitchSpec {
        name: "netting",
        title: "netted per",
        values: &["account", "line", "product"],
    },
    SwitchSpec {
        name: "cap",
        title: "gross cap",
        values: &["account", "losses"],
    },
    SwitchSpec {
        name: "late",
        title: "late renewals",
        values: &["grace:60d", "term_end", "hold"],
    },
    SwitchSpec {
        name: "early",
        title: "early renewals",
        values: &["due", "signing"],
    },
    SwitchSpec {
        name: "reactivation",
        title: "back again",
        values: &["ignore:90d", "churn_new", "bucket"],
    },
    SwitchSpec {
        name: "price",
        title: "escalators",
        values: &["include", "separate", "exclude"],
    },
    SwitchSpec {
        name: "fx",
        title: "exchange",
        values: &["constant", "plan", "reported"],
    },
    SwitchSpec {
        name: "one_off",
        title: "one-off sales",
        values: &["exclude", "include"],
    },
    SwitchSpec {
        name: "unit",
        title: "customer is",
        values: &["account", "parent", "contract"],
    },
];

/// `grace:60d`, `grace:60` or `grace` as its days.
fn with_days(value: &str, word: &str, default: u16) -> Option<Result<u16, String>> {
    let rest = value.strip_prefix(word)?;
    if rest.is_empty() {
        return Some(Ok(default));
    }
    let days = rest.strip_prefix(':')?;
    let number = days.strip_suffix('d').unwrap_or(days);
    Some(match number.parse::<u16>() {
        Ok(n) if n <= 3650 => Ok(n),
        _ => Err(format!(
            "`{value}`: a number of days from 0 to 3650 stands behind the colon, {word}:{default}d"
        )),
    })
}

impl Policy {
    /// Sets a switch.
    ///
    /// # Errors
    /// A sentence with the nearest right name when there is no such switch or value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let (name, value) = (name.trim(), value.trim());
        let Some(spec) = SWITCHES.iter().find(|s| s.name == name) else {
            let names = || SWITCHES.iter().map(|s| s.name);
            return Err(match nearest(name, names()) {
                Some(near) => format!("there is no switch `{name}`; did you mean `{near}`?"),
                None => format!(
                    "there is no switch `{name}`; there are {}",
                    names().collect::<Vec<_>>().join(", ")
                ),
            });
        };
        let wrong = || {
            let words = spec.values.iter().map(|v| v.split(':').next().unwrap_or(v));
            let near = nearest(value.split(':').next().unwrap_or(value), words)
                .map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
            format!(
                "`{name}` does not take `{value}`, it is one of {}{near}",
                spec.values.join(", ")
            )
        };
        macro_rules! word {
            ($field:ident, $ty:ident) => {
                self.$field = $ty::parse(value).ok_or_else(wrong)?
            };
        }
        match name {
            "window" => word!(window, Window),
            "denominator" => word!(denominator, Denominator),
            "netting" => word!(netting, Netting),
            "cap" => word!(cap, Cap),
            "early" => word!(early, Early),
            "price" => word!(price, Price),
            "fx" => word!(fx, FxMode),
            "one_off" => word!(one_off, OneOff),
            "unit" => word!(unit, Unit),
            "late" => {
                self.late = match (value, with_days(value, "grace", 60)) {
                    ("term_end", _) => Late::TermEnd,
                    ("hold", _) => Late::Hold,
                    (_, Some(days)) => Late::Grace(days?),
                    _ => return Err(wrong()),
                }
            }
            _ => {
                self.reactivation = match (value, with_days(value, "ignore", 90)) {
                    ("churn_new", _) => Reactivation::ChurnNew,
                    ("bucket", _) => Reactivation::Bucket,
                    (_, Some(days)) => Reactivation::Ignore(days?),
                    _ => return Err(wrong()),
                }
            }
        }
        Ok(())
    }

    /// Sets a switch from `key=value`; several may stand behind one another, separated by commas or spaces.
    ///
    /// # Errors
    /// A sentence that says what cannot be understood.
    pub fn set_pairs(&mut self, text: &str) -> Result<(), String> {
        let parts = text.split([',', ' ']).map(str::trim);
        for part in parts.filter(|p| !p.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| {
                format!("`{part}` is no switch with a value, such as netting=line")
            })?;
            self.set(name, value)?;
        }
        Ok(())
    }

    /// The value of a switch as it is written; empty for a name that is none.
    pub fn value(&self, name: &str) -> String {
        match name {
            "window" => self.window.word().into(),
            "denominator" => self.denominator.word().into(),
            "netting" => self.netting.word().into(),
            "cap" => self.cap.word().into(),
            "late" => match self.late {
                Late::Grace(days) => format!("grace:{days}d"),
                Late::TermEnd => "term_end".into(),
                Late::Hold => "hold".into(),
            },
            "early" => self.early.word().into(),
            "reactivation" => match self.reactivation {
                Reactivation::Ignore(days) => format!("ignore:{days}d"),
                Reactivation::ChurnNew => "churn_new".into(),
                Reactivation::Bucket => "bucket".into(),
            },
            "price" => self.price.word().into(),
            "fx" => self.fx.word().into(),
            "one_off" => self.one_off.word().into(),
            "unit" => self.unit.word().into(),
            _ => String::new(),
        }
    }

    /// Every switch with its value, in their order.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        SWITCHES.iter().map(|s| (s.name, self.value(s.name)))
    }

    /// The conventions in short, to stand beside a figure.
    pub fn badge(&self) -> String {
        let base = match self.denominator {
            Denominator::Opening => "opening ARR",
            Denominator::Due => "ARR due",
        };
        let late = match self.late {
            Late::Grace(days) => format!("grace {days}d"),
            Late::TermEnd => "churn at term end".into(),
            Late::Hold => "held until resolved".into(),
        };
        let back = match self.reactivation {
            Reactivation::Ignore(days) => format!("back within {days}d ignored"),
            Reactivation::ChurnNew => "back is new".into(),
            Reactivation::Bucket => "back is apart".into(),
        };
        let price = match self.price {
            Price::Include => "escalators in",
            Price::Separate => "escalators apart",
            Price::Exclude => "escalators out",
        };
        let fx = match self.fx {
            FxMode::Constant => "constant FX",
            FxMode::Plan => "plan FX",
            FxMode::Reported => "reported FX",
        };
        let mut parts = vec![
            base.to_owned(),
            format!("per {}", self.netting.word()),
            late,
            back,
            price.into(),
            fx.into(),
        ];
        if self.cap == Cap::Losses {
            parts.push("every fall counts".into());
        }
        if self.early == Early::Signing {
            parts.push("early counts at signing".into());
        }
        if self.one_off == OneOff::Include {
            parts.push("one-offs in".into());
        }
        if self.unit != Unit::Account {
            parts.push(format!("customer is the {}", self.unit.word()));
        }
        parts.join(" · ")
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(SWITCHES.len()))?;
        for (name, value) in self.pairs() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut policy = Policy::default();
        for (name, value) in BTreeMap::<String, String>::deserialize(deserializer)? {
            policy
                .set(&name, &value)
                .map_err(serde::de::Error::custom)?;
        }
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_every_switch_is_read_and_written_alike() {
        for spec in SWITCHES {
            for value in spec.values {
                let mut policy = Policy::default();
                policy.set(spec.name, value).unwrap();
                assert_eq!(policy.value(spec.name), *value);
                let json = serde_json::to_string(&policy).unwrap();
                assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
            }
        }
        let mut policy = Policy::default();
        policy
            .set_pairs("late=grace:30d, reactivation=ignore:7 netting=line")
            .unwrap();
        assert_eq!(
            (policy.late, policy.reactivation, policy.netting),
            (Late::Grace(30), Reactivation::Ignore(7), Netting::Line)
        );
        policy.set("late", "grace").unwrap();
        assert_eq!(policy.late, Late::Grace(60));
    }

    #[test]
    fn the_usual_policy_is_the_first_value_of_each_switch() {
        for (spec, (name, value)) in SWITCHES.iter().zip(Policy::default().pairs()) {
            assert_eq!((spec.name, spec.values[0]), (name, value.as_str()));
        }
    }

    #[test]
    fn mistakes_name_what_was_meant() {
        let mut policy = Policy::default();
        let said = |r: Result<(), String>| r.unwrap_err();
        assert!(said(policy.set_pairs("neting=line")).contains("`netting`"));
        assert!(said(policy.set_pairs("netting=lines")).contains("`line`"));
        assert!(said(policy.set_pairs("late=grase:60d")).contains("`grace`"));
        assert!(said(policy.set_pairs("late=grace:x")).contains("number of days"));
        assert!(said(policy.set_pairs("late=grace:99999d")).contains("3650"));
        assert!(said(policy.set_pairs("line")).contains("netting=line"));
        assert_eq!(policy, Policy::default());
    }
}
