-- What else is known of a process and its file. Older rows did not keep it: zero, as for any value that is not known.
ALTER TABLE processes ADD COLUMN cap_permitted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE processes ADD COLUMN cap_inheritable INTEGER NOT NULL DEFAULT 0;
ALTER TABLE processes ADD COLUMN exe_ctime INTEGER NOT NULL DEFAULT 0;    -- seconds since 1970; the inode changed
ALTER TABLE processes ADD COLUMN exe_mtime INTEGER NOT NULL DEFAULT 0;    -- seconds since 1970; the content changed

PRAGMA user_version = 2;
