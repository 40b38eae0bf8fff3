-- The first schema of an eyas store. Migrations are only added: what stands here never changes again.
-- Numbers that are unsigned 64-bit in eyas are kept as SQLite's signed 64-bit integers, bit for bit.
-- Times: *_wall is nanoseconds since 1970 (UTC); *_boot is nanoseconds since that machine booted.

-- One row a boot of a node: pids and start times are unique within a boot only.
CREATE TABLE boots (
    id      INTEGER PRIMARY KEY,
    boot_id TEXT NOT NULL UNIQUE
);

-- One row each time eyas opened the store for writing.
CREATE TABLE runs (
    id              INTEGER PRIMARY KEY,
    kind            INTEGER NOT NULL,              -- 1 live, 2 from a recording
    node            TEXT NOT NULL,
    version         TEXT NOT NULL,                 -- of eyas
    pid             INTEGER NOT NULL,              -- of the writing process
    boot            INTEGER NOT NULL REFERENCES boots (id),
    wall_offset     INTEGER NOT NULL,              -- wall time minus boot time, nanoseconds
    started_wall    INTEGER NOT NULL,
    last_alive_wall INTEGER NOT NULL,              -- moves with every commit
    ended_wall      INTEGER                        -- NULL: still running, or killed
);

-- The texts that alerts were judged by.
CREATE TABLE rulesets (
    hash        BLOB PRIMARY KEY,                  -- SHA-256
    loaded_wall INTEGER NOT NULL                   -- when it was loaded first
) WITHOUT ROWID;

CREATE TABLE ruleset_files (
    ruleset  BLOB NOT NULL REFERENCES rulesets (hash),
    position INTEGER NOT NULL,                     -- files are loaded in this order
    name     TEXT NOT NULL,
    text     TEXT NOT NULL,
    PRIMARY KEY (ruleset, position)
) WITHOUT ROWID;

-- One row a value of a process: an exec makes a new one, and so does any other change that an alert saw.
CREATE TABLE processes (
    id            INTEGER PRIMARY KEY,
    boot          INTEGER NOT NULL REFERENCES boots (id),
    pid           INTEGER NOT NULL,
    start         INTEGER NOT NULL,                -- ticks of 10 ms since boot; with pid a process's identity
    exec_time     INTEGER NOT NULL,                -- boot time; 0: before eyas looked
    started       INTEGER NOT NULL,                -- boot time, as exactly as it is known
    parent_pid    INTEGER NOT NULL,
    parent_start  INTEGER NOT NULL,
    comm          BLOB NOT NULL,
    exe_path      BLOB NOT NULL,
    filename      BLOB NOT NULL,
    argv          BLOB NOT NULL,                   -- each argument ends with a NUL
    cwd           BLOB NOT NULL,
    uid           INTEGER NOT NULL,
    gid           INTEGER NOT NULL,
    euid          INTEGER NOT NULL,
    egid          INTEGER NOT NULL,
    loginuid      INTEGER NOT NULL,
    audit_session INTEGER NOT NULL,
    tty           INTEGER NOT NULL,
    sid           INTEGER NOT NULL,
    pgid          INTEGER NOT NULL,
    vpid          INTEGER NOT NULL,
    vpgid         INTEGER NOT NULL,
    pid_ns        INTEGER NOT NULL,
    cgroup        INTEGER NOT NULL,
    container     TEXT NOT NULL,
    cap_effective INTEGER NOT NULL,
    exe_dev       INTEGER NOT NULL,
    exe_ino       INTEGER NOT NULL,
    flags         INTEGER NOT NULL
);
CREATE INDEX processes_by_key ON processes (boot, pid, start, exec_time);
CREATE INDEX processes_by_parent ON processes (boot, parent_pid, parent_start);

-- One row an alert. The id sorts by time.
CREATE TABLE alerts (
    id            INTEGER PRIMARY KEY,
    run           INTEGER NOT NULL REFERENCES runs (id),
    time          INTEGER NOT NULL,                -- wall time of the event
    boot_time     INTEGER NOT NULL,
    priority      INTEGER NOT NULL,                -- 0 Emergency to 7 Debug
    rule          TEXT NOT NULL,
    tags          TEXT NOT NULL,                   -- JSON array
    ruleset       BLOB NOT NULL,                   -- rulesets.hash
    source        TEXT NOT NULL,
    node          TEXT NOT NULL,
    message       TEXT NOT NULL,
    pid           INTEGER NOT NULL,
    start         INTEGER NOT NULL,
    proc_name     TEXT NOT NULL,                   -- for people; the exact bytes are in processes.comm
    container     TEXT NOT NULL,
    user          TEXT NOT NULL,
    event_num     INTEGER NOT NULL,
    event_type    TEXT NOT NULL,
    lost_before   INTEGER NOT NULL,
    process       INTEGER NOT NULL REFERENCES processes (id),
    ancestors     TEXT NOT NULL,                   -- JSON array of processes.id, parent first
    output_fields TEXT NOT NULL,                   -- JSON object
    fields        TEXT NOT NULL,                   -- JSON object
    signed        TEXT                             -- JSON array: which non-negative numbers of the two are signed
);
CREATE INDEX alerts_by_time ON alerts (time, priority);
CREATE INDEX alerts_by_rule ON alerts (rule, id);
CREATE INDEX alerts_by_priority ON alerts (priority, id);

-- What eyas should have seen or kept, and did not.
CREATE TABLE losses (
    id        INTEGER PRIMARY KEY,
    run       INTEGER NOT NULL REFERENCES runs (id),
    lost      INTEGER NOT NULL,                    -- docs/store.md has the numbers
    cause     INTEGER NOT NULL,
    count     INTEGER NOT NULL,                    -- 0: nobody can know
    from_boot INTEGER NOT NULL,
    to_boot   INTEGER NOT NULL,
    from_wall INTEGER NOT NULL,
    to_wall   INTEGER NOT NULL
);
CREATE INDEX losses_by_time ON losses (from_wall);

-- The recording: records as the kernel sent them, about 1 MiB each, zstd.
CREATE TABLE segments (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    run          INTEGER NOT NULL REFERENCES runs (id),
    first_boot   INTEGER NOT NULL,
    last_boot    INTEGER NOT NULL,
    first_wall   INTEGER NOT NULL,
    last_wall    INTEGER NOT NULL,
    records      INTEGER NOT NULL,
    raw_bytes    INTEGER NOT NULL,
    stored_bytes INTEGER NOT NULL,
    keyframe     INTEGER NOT NULL                  -- 1: begins with every process that ran
);
CREATE INDEX segments_by_time ON segments (first_wall, last_wall);

-- Apart, so that listing segments reads none of this.
CREATE TABLE segment_data (
    segment INTEGER PRIMARY KEY REFERENCES segments (id) ON DELETE CASCADE,
    data    BLOB NOT NULL                          -- one zstd frame with a checksum
);

PRAGMA user_version = 1;
