-- When an account was left behind last: facts that were found out before are not its facts any more.
ALTER TABLE unsettled ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
-- Accounts of which no fact was in question.
DELETE FROM unsettled WHERE parts=0;
