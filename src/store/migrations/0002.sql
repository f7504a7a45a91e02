-- Subscription lines and movements of annual recurring revenue, as sold and as booked; rates that a plan is made with.

CREATE TABLE subscription (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, account INTEGER,
    line TEXT, product TEXT, contract TEXT, "change" TEXT, start TEXT, "end" TEXT, arr INTEGER, arr_currency TEXT,
    signed TEXT, cancelled TEXT, recurring INTEGER, notice_days INTEGER, auto_renew INTEGER
);
CREATE INDEX subscription_account ON subscription (account, line, start);

CREATE TABLE movement (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, account INTEGER,
    line TEXT, date TEXT, kind TEXT, amount INTEGER, amount_currency TEXT, reason TEXT
);
CREATE INDEX movement_account ON movement (account, date);

ALTER TABLE rate ADD COLUMN kind TEXT;

-- What rows refer to and no record of its own has come for yet belongs to no stream.
CREATE INDEX source_record_implied ON source_record (source, entity) WHERE stream IS NULL;
