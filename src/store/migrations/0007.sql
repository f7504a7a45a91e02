-- Chances to sell existing customers more.
CREATE TABLE opportunity (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, account INTEGER,
    name TEXT NOT NULL, kind TEXT, amount INTEGER, amount_currency TEXT, stage TEXT, stage_kind TEXT,
    created TEXT, accepted TEXT, due TEXT, closed TEXT, owner INTEGER, origin TEXT, outcome TEXT
);
CREATE INDEX opportunity_seq ON opportunity (seq);
CREATE INDEX opportunity_account ON opportunity (account);

-- What kind of work a task is. Until now it was kept beside the row; the records are merged again under the new name.
ALTER TABLE task ADD COLUMN class TEXT;
UPDATE source_record SET fields=replace(fields,'"x.class":','"class":'),dirty=1
    WHERE entity='task' AND instr(fields,'"x.class":')>0;

-- What another system says about an account's ARR, and where ours came from then.
ALTER TABLE account ADD COLUMN arr_source TEXT;
ALTER TABLE account ADD COLUMN arr_other INTEGER;
ALTER TABLE account ADD COLUMN arr_other_currency TEXT;
ALTER TABLE account ADD COLUMN arr_other_source TEXT;

-- A Book holds the signals that are no long series; a survey answer with the day on which it was followed up.
ALTER TABLE signal ADD COLUMN followed TEXT;
CREATE INDEX signal_seq ON signal (seq) WHERE kind NOT IN ('usage.weekly','health');

-- Both are made of what is there already: every account is looked at again.
INSERT INTO unsettled(account,parts) SELECT DISTINCT account,16 FROM signal
    WHERE kind NOT IN ('usage.weekly','health') AND account IS NOT NULL
    ON CONFLICT(account) DO UPDATE SET parts=parts|16;
INSERT INTO unsettled(account,parts) SELECT id,1 FROM row_extra WHERE entity='account' AND instr(provenance,'"field":"arr"')>0
    ON CONFLICT(account) DO UPDATE SET parts=parts|1;
