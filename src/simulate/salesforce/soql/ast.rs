//! What a query says, before names mean anything. Every part knows where in the text it stands.

/// A dotted path, `Owner.Name`, and the byte at which it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    pub parts: Vec<String>,
    pub at: usize,
}

impl Path {
    pub fn text(&self) -> String {
        self.parts.join(".")
    }
}

/// A function of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
    CalendarMonth,
    CalendarQuarter,
    CalendarYear,
    DayInMonth,
    DayInWeek,
    DayInYear,
    DayOnly,
    FiscalMonth,
    FiscalQuarter,
    FiscalYear,
    HourInDay,
    WeekInMonth,
    WeekInYear,
    ToLabel,
    Format,
    ConvertCurrency,
}

impl Function {
    /// By name, in any case.
    pub fn named(name: &str) -> Option<Function> {
        use Function::*;
        Some(match name.to_ascii_uppercase().as_str() {
            "COUNT" => Count,
            "COUNT_DISTINCT" => CountDistinct,
            "SUM" => Sum,
            "AVG" => Avg,
            "MIN" => Min,
            "MAX" => Max,
            "CALENDAR_MONTH" => CalendarMonth,
            "CALENDAR_QUARTER" => CalendarQuarter,
            "CALENDAR_YEAR" => CalendarYear,
            "DAY_IN_MONTH" => DayInMonth,
            "DAY_IN_WEEK" => DayInWeek,
            "DAY_IN_YEAR" => DayInYear,
            "DAY_ONLY" => DayOnly,
            "FISCAL_MONTH" => FiscalMonth,
            "FISCAL_QUARTER" => FiscalQuarter,
            "FISCAL_YEAR" => FiscalYear,
            "HOUR_IN_DAY" => HourInDay,
            "WEEK_IN_MONTH" => WeekInMonth,
            "WEEK_IN_YEAR" => WeekInYear,
            "TOLABEL" => ToLabel,
            "FORMAT" => Format,
            "CONVERTCURRENCY" => ConvertCurrency,
            _ => return None,
        })
    }

    /// Whether it makes one value of many rows.
    pub fn aggregates(self) -> bool {
        use Function::*;
        matches!(self, Count | CountDistinct | Sum | Avg | Min | Max)
    }

    /// Whether it takes a date or a date and time.
    pub fn of_date(self) -> bool {
        use Function::*;
        !self.aggregates() && !matches!(self, ToLabel | Format | ConvertCurrency)
    }
}

/// A field, or functions of one.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    Path(Path),
    /// `argument` is missing only in `COUNT()`.
    Call {
        function: Function,
        argument: Option<Box<Term>>,
        at: usize,
    },
}

impl Term {
    pub fn at(&self) -> usize {
        match self {
            Term::Path(path) => path.at,
            Term::Call { at, .. } => *at,
        }
    }
}

/// One entry of the select list.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Term {
        term: Term,
        alias: Option<String>,
    },
    /// `(SELECT … FROM Contacts)`
    Children(Box<Query>),
    /// `FIELDS(ALL)`; the word, and where it stands.
    Fields(String, usize),
    /// `TYPEOF What WHEN Account THEN Phone ELSE Name END`
    TypeOf {
        path: Path,
        cases: Vec<(String, usize, Vec<Path>)>,
        otherwise: Vec<Path>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Like,
    In,
    NotIn,
    Includes,
    Excludes,
}

/// A value as it is written.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Null,
    Bool(bool),
    Text(String),
    Number(f64),
    /// `USD5000`
    Currency(String, f64),
    Date(jiff::civil::Date),
    /// Milliseconds since 1970.
    Time(i64),
    /// `LAST_N_DAYS:30`: the word in upper case, and the number.
    Range(String, Option<i64>),
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Right {
    One(Literal),
    Many(Vec<Literal>),
    Rows(Box<Query>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare { left: Term, op: Op, right: Right },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    pub term: Term,
    pub descending: bool,
    pub nulls_last: bool,
}

/// A query, or a subquery.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    pub items: Vec<Item>,
    pub from: String,
    pub from_at: usize,
    pub alias: Option<String>,
    pub filter: Option<Condition>,
    pub group: Vec<Term>,
    pub having: Option<Condition>,
    pub order: Vec<Order>,
    pub limit: Option<u64>,
    pub offset: Option<u64>,
    pub all_rows: bool,
}
