-- What rows were before they changed, so that csops can say what it knew on a day.

-- The days on which something was written, counted from 1970-01-01, with the sequence number at which each began.
CREATE TABLE history_day (day INTEGER PRIMARY KEY, seq INTEGER NOT NULL);

-- Field names and words of pick lists, by number.
CREATE TABLE history_word (number INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);

-- Of each row that ever changed: what it was until which day, packed (see history/pack.rs), in parts that fit into a page. `first` and
-- `last` are the days of the part's first and last entry; `gone`: the row was removed by the last one.
CREATE TABLE history (
    kind INTEGER NOT NULL,
    id INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (kind, id, first)
) WITHOUT ROWID;

-- The figures that were shown on a day: of the whole book, and by segment, touch model and CSM. Amounts are minor units of `currency`.
CREATE TABLE history_figure (
    day INTEGER NOT NULL,
    "by" TEXT NOT NULL,
    key TEXT NOT NULL,
    currency TEXT NOT NULL,
    accounts INTEGER NOT NULL,
    arr INTEGER NOT NULL,
    arr_known INTEGER NOT NULL,
    health_known INTEGER NOT NULL,
    health_sum INTEGER NOT NULL,
    in_queue INTEGER NOT NULL,
    at_risk INTEGER NOT NULL,
    due INTEGER NOT NULL,
    PRIMARY KEY (day, "by", key)
) WITHOUT ROWID;
