-- How often a renewal's due day was moved to a later one.
ALTER TABLE renewal ADD COLUMN pushes INTEGER;

-- The forecasts of one day of each ISO week, to be held against what became of them: of all renewals (scope -1), those of accounts
-- without a CSM (0) or of one CSM (its id), for each quarter. Days are counted from 1970-01-01, `week` from the week's Monday; amounts
-- are minor units of `currency`.
CREATE TABLE forecast_snapshot (
    week INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    quarter INTEGER NOT NULL,
    quarter_end INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    currency TEXT NOT NULL,
    due INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    "commit" INTEGER NOT NULL,
    best INTEGER NOT NULL,
    weighted INTEGER NOT NULL,
    in_or_out INTEGER NOT NULL,
    p10 INTEGER NOT NULL,
    p50 INTEGER NOT NULL,
    p90 INTEGER NOT NULL,
    PRIMARY KEY (week, scope, quarter)
) WITHOUT ROWID;
