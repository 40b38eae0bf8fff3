-- Where and by whom that was made which was lost, and which rules could have fired for it. NULL: not known; of what was lost
-- of one kind on one processor, the row without a process is what was not told apart.
ALTER TABLE losses ADD COLUMN cpu INTEGER;
ALTER TABLE losses ADD COLUMN pid INTEGER;
ALTER TABLE losses ADD COLUMN start INTEGER;                -- as in processes
ALTER TABLE losses ADD COLUMN comm BLOB;
ALTER TABLE losses ADD COLUMN blind INTEGER REFERENCES blind_rules (id);

-- Names of rules, once for all losses that they share.
CREATE TABLE blind_rules (
    id    INTEGER PRIMARY KEY,
    rules TEXT NOT NULL UNIQUE                     -- JSON array
);

PRAGMA user_version = 3;
