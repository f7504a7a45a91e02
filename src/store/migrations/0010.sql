-- What an account's row holds beside the Book is a thousand bytes and more: in a tree without rowid most of it lay on pages of its own.
CREATE TABLE extra (
    entity TEXT NOT NULL,
    id INTEGER NOT NULL,
    account INTEGER,
    extra TEXT,
    provenance TEXT,
    PRIMARY KEY (entity, id)
);
INSERT INTO extra SELECT entity,id,account,extra,provenance FROM row_extra;
DROP TABLE row_extra;
ALTER TABLE extra RENAME TO row_extra;
